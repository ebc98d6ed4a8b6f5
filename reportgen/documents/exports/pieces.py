"""Rows turned into CSV files piece by piece, so that no more than a piece is ever held."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO

from reportgen.documents.exports.material import Piece

SIZE = 1 << 18
"""Characters of a piece, or a row more."""


class CsvPieces:
    """A file that is on its way: rows of texts as they are, as RFC 4180 has it, in UTF-8."""

    def __init__(
        self, name: str, header: Sequence[str], separator: str = ",", mark: str = ""
    ) -> None:
        """Begin a file with a mark, if any, and its header."""
        self._name, self._text = name, StringIO(newline="")
        self._text.write(mark)
        self._write = csv.writer(self._text, delimiter=separator).writerow
        self._write(header)

    def of(self, rows: Iterable[Sequence[str]]) -> Iterator[Piece]:
        """Add rows, and give what makes whole pieces."""
        tell, write = self._text.tell, self._write
        for row in rows:
            write(row)
            if tell() >= SIZE:
                yield self.rest()

    def rest(self) -> Piece:
        """Give what has not been given yet."""
        piece = Piece(self._name, self._text.getvalue().encode())
        self._text.seek(0)
        self._text.truncate()
        return piece
