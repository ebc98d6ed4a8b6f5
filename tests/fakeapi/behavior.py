"""What a test may switch: how the API behaves, who is who, and what is refused to whom."""

from dataclasses import dataclass, field
from typing import Literal

from tests.fakeapi.sample import World

ENTERPRISE = "cog_enterprise"
PERSONAL = "cog_personal_access_token"
ADMIN = "apk_user_admin"


def organization_token(org_id: str) -> str:
    """Give the token of an organization's service user, in characters that a header can carry."""
    return f"cog_organization_{org_id.encode().hex()}"


@dataclass(kw_only=True)
class Behavior:
    """How the API behaves where the documentation is silent or an operator can choose."""

    latency: float = 0.0
    """Seconds before every answer."""
    page_cap: int = 200
    """The items of a page, however many were asked for."""
    totals: Literal["null", "given", "absent"] = "null"
    errors: Literal["problem", "legacy"] = "problem"
    """The shape of errors of v3; those of v2 are always the older one."""
    wrong_org: Literal[403, 404] = 403
    cycles: Literal["all", "none"] = "all"
    closed_cycles: bool = False
    """v2: a cycle ends at 23:59:59Z of its last day."""
    user_map: bool = True
    """v2: `consumption_by_user` is there."""
    service_users_in_user_map: bool = False
    beta: Literal["off", "also", "only"] = "off"
    """Whether v3 is found below /v3beta1 as well; `only` takes all lists away from /v3."""
    gone_users: Literal["answered", "not found"] = "answered"
    compressed: bool = False
    allow_listed: bool = True
    """Without it every request is 401, as from an address that is not on the allow list."""
    ahead: float | None = None
    """Seconds that the Date of answers is ahead of this machine's clock; no Date if not set."""
    now: int | None = None
    """v2: the default end of a window, Unix seconds; the end of the last cycle if not set."""


@dataclass(frozen=True, kw_only=True)
class Credential:
    """Whom a token stands for; without `org_id` the enterprise."""

    version: Literal["v2", "v3"] = "v3"
    org_id: str | None = None
    principal: Literal["service_user", "pat_user"] = "service_user"


@dataclass
class Access:
    """Tokens, and what is refused."""

    tokens: dict[str, Credential] = field(default_factory=dict)
    refused: list[tuple[str, dict[str, str], int]] = field(default_factory=list)

    def refusal(self, template: str, ids: dict[str, str]) -> int | None:
        """Give the status with which a request is refused by order."""
        for refused, values, status in self.refused:
            if refused == template and values.items() <= ids.items():
                return status
        return None


def usual_tokens(world: World) -> dict[str, Credential]:
    """Give the tokens of the enterprise, of a person, of an administrator, of each organization."""
    tokens = {
        ENTERPRISE: Credential(),
        PERSONAL: Credential(principal="pat_user"),
        ADMIN: Credential(version="v2"),
    }
    for organization in world.organizations:
        tokens[organization_token(organization.org_id)] = Credential(org_id=organization.org_id)
    return tokens
