"""Somebody on the network whom a command needs, and who cannot be reached."""

from reportgen.core.problem import Problem


class Unreached(Exception):  # noqa: N818 - nothing is wrong here
    """Carry the problem: trying again later may do."""

    def __init__(self, problem: Problem) -> None:
        """Hold what is to be said."""
        self.problem = problem
        super().__init__(problem)
