"""An httpx transport that answers from recorded responses, below the client of the live API."""

from collections.abc import Mapping

import httpx

from reportgen.core.model import RecordedResponse
from reportgen.core.problem import Problem, Rejected
from reportgen.sources.api.plan import AGAIN, OK, REFUSALS


class NotRecorded(Rejected):
    """A request that the recording holds no answer to."""


class ReplayTransport(httpx.AsyncBaseTransport):
    """Answers a request as it was recorded.

    One that was not recorded is a problem that names it, and so is a failure that was: asking again
    would not help.
    """

    def __init__(self, responses: Mapping[str, RecordedResponse], source: str) -> None:
        """Take the recorded responses by request, and where they come from."""
        self._responses, self._source = responses, source

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Give the recorded response, which travels along as an extension."""
        target = request.url.raw_path.decode("ascii")
        recorded = self._responses.get(target)
        if recorded is None:
            hint = "record it as well, or remove `replay` from the configuration to ask the API"
            raise NotRecorded(
                [
                    Problem(
                        source=self._source, message=f"holds no answer to GET {target}", hint=hint
                    )
                ]
            )
        if recorded.status != OK and recorded.status not in REFUSALS:
            message = f"the answer to GET {target} has the status {recorded.status}"
            raise Rejected([Problem(source=recorded.source, message=message, hint=AGAIN)])
        body = recorded.body.encode("utf-8", "surrogatepass")
        return httpx.Response(recorded.status, content=body, extensions={"recorded": recorded})
