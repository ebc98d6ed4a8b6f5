"""What was looked at and is not as a run needs it: told in the end, for exit code 1."""

from collections.abc import Iterable, Mapping

from reportgen.core.problem import Problem, Rejected


class Unready(Rejected):
    """A machine or a configuration lacks something; `values` are all that was looked at.

    People have been shown the problems among all else, so nobody is told twice.
    """

    def __init__(self, problems: Iterable[Problem], values: Mapping[str, object]) -> None:
        """Hold what is told."""
        super().__init__(problems)
        self.values = values
