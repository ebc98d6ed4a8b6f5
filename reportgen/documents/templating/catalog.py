"""The words of a locale: `_()` looks them up in the catalogs `locale/<language>.po`.

A word without a translation stands in English.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from babel.messages.pofile import PoFileError, read_po

from reportgen.core.problem import Problem
from reportgen.core.text import quoted
from reportgen.documents.templating.errors import rejected

ENGLISH = "en"


_QUOTING = re.compile(r'\s*(?:msgid|msgstr|msgctxt|")')


_QUOTED = re.compile(r'(?:msg\w+(?:\[\d\])?\s+)?"(?:[^"\\]|\\.)*"')
"""Lines of a catalog that hold a text; one that is not closed would be read without its last letter."""


_PLACE = re.compile(r"%\(\w+\)s")


_UNFIT_FOR_MARKUP = re.compile(r'[<>&"\\\x00-\x1f\x7f]')


def catalog(templates: Mapping[str, str], locale: str) -> dict[str, str]:
    """Give the translations of a locale, the language's own ones below it."""
    return {
        **_messages(templates.get(f"locale/{_language(locale)}.po", "")),
        **_messages(templates.get(f"locale/{locale}.po", "")),
    }


def untranslated(templates: Mapping[str, str], locales: Mapping[str, str]) -> list[Problem]:
    """Warn of every locale without a catalog, at the line that `locales` lead to."""
    return [
        Problem(
            source=source,
            message=f"{quoted(locale)} has no catalog of words: its documents stay English but for numbers and dates",
            hint=f"write the words into locale/{_language(locale)}.po in the folder that `templates` names",
            warning=True,
        )
        for locale, source in locales.items()
        if _language(locale) != ENGLISH
        and not {f"locale/{_language(locale)}.po", f"locale/{locale}.po"} & templates.keys()
    ]


def _language(locale: str) -> str:
    return locale.replace("-", "_").partition("_")[0]


def check_catalog(path: Path, text: str) -> None:
    """Raise Rejected with what a catalog has wrong; other files pass."""
    if path.suffix != ".po":
        return
    try:
        for line, fault in _faults(text):
            raise rejected(
                f"{path}:{line}", fault, "mend the line, or remove it to have the word in English"
            )
    except PoFileError as error:
        said = f"is not a catalog of words: {str(error).rpartition(' on ')[0].lower()}"
        raise rejected(
            f"{path}:{error.lineno + 1}", said, "mend the line, or check the file with `msgfmt -c`"
        ) from None
    except (LookupError, TypeError, ValueError):
        raise rejected(
            str(path), "is not a catalog of words", "check it with `msgfmt -c`"
        ) from None


def _faults(text: str) -> Iterator[tuple[int, str]]:
    """Give the line of every word whose translation would break a document, and how."""
    for number, line in enumerate(text.splitlines(), start=1):
        if _QUOTING.match(line) and not _QUOTED.fullmatch(line.strip()):
            yield number, "has a text that is not between two quotes"
    for message in read_po(BytesIO(text.encode()), abort_invalid=True):
        wanted, found = str(message.id), str(message.string)
        if not message.id or not found:
            continue
        if set(_PLACE.findall(found)) != set(_PLACE.findall(wanted)):
            yield (
                message.lineno or 1,
                f"translates {quoted(wanted)} with other places to fill in than it has",
            )
        elif "%" in _PLACE.sub("", found).replace("%%", "") and "%" in wanted:
            yield (
                message.lineno or 1,
                f"translates {quoted(wanted)} with a percent sign that is not written %%",
            )
        elif _UNFIT_FOR_MARKUP.search(found):
            yield (
                message.lineno or 1,
                f'translates {quoted(wanted)} with one of < > & " \\ or a character that cannot be seen',
            )


@lru_cache(maxsize=64)
def _messages(text: str) -> Mapping[str, str]:
    found = read_po(BytesIO(text.encode()), abort_invalid=True)
    return {
        str(message.id): str(message.string)
        for message in found
        if isinstance(message.id, str) and message.id and message.string and not message.fuzzy
    }
