"""Whether the token would be sent in clear text: only on this machine, or where it is allowed."""

from ipaddress import ip_address

import httpx

from reportgen.core.problem import Problem
from reportgen.sources.config.schema import SourceSection
from reportgen.sources.config.yamldoc import YamlDocument


def refuse_plain(source: SourceSection, document: YamlDocument) -> list[Problem]:
    """Report an address that everybody on the way could read the token of."""
    if source.allow_plain or not is_plain(source.base_url):
        return []
    return [
        Problem(
            source=document.line("source", "base_url"),
            message='"base_url": the token would be sent in clear text',
            hint="write https://, or `allow_plain: true` below it if nobody else can listen",
        )
    ]


def is_plain(address: str) -> bool:
    """Tell whether what is sent to an address can be read on the way."""
    return httpx.URL(address).scheme == "http" and not is_loopback(address)


def is_loopback(address: str) -> bool:
    """Tell whether an address is one of this machine."""
    return is_this_machine(httpx.URL(address).host)


def is_this_machine(host: str) -> bool:
    """Tell whether the name of a host is this machine's own, whatever network it is in."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
