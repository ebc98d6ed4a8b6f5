"""The way to the API: its host or a proxy, and the authorities that may vouch for it."""

import socket
import ssl
from collections.abc import Mapping
from pathlib import Path

import httpx

from reportgen.commands.doctor.finding import Finding, fine, wrong
from reportgen.sources.api.client import Connection, without_password
from reportgen.sources.api.trouble import reason_of

API, PROXY, AUTHORITIES = "API", "proxy", "authorities"
PATIENCE = 3.0
PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
UNREAD = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Variables that other programs read."""


def way(connection: Connection) -> Finding:
    """Connect to the proxy that is in force, else to the host, and leave again."""
    if connection.proxy:
        return _through(connection.proxy, connection.base_url)
    reason = _unreached(connection.base_url)
    if not reason:
        return fine(PROXY, "none is used")
    message = f"{connection.base_url} cannot be reached: {reason}"
    hint = "check `base_url` and the network; HTTPS_PROXY names a proxy where one is needed"
    return wrong(API, message, hint)


def authorities(environment: Mapping[str, str]) -> Finding:
    """Say who may vouch for a server; SSL_CERT_FILE and SSL_CERT_DIR are read by TLS itself."""
    places = ssl.get_default_verify_paths()
    file = environment.get(places.openssl_cafile_env, "")
    folder = environment.get(places.openssl_capath_env, "")
    for name, value in ((places.openssl_cafile_env, file), (places.openssl_capath_env, folder)):
        if value and not Path(value).exists():
            return wrong(AUTHORITIES, f"{name} names {value}, which is not there", "correct it")
    held = ssl.create_default_context().cert_store_stats()["x509_ca"]
    if file and not held:
        message = f"SSL_CERT_FILE names {file}, which holds no certificate of an authority"
        return wrong(AUTHORITIES, message, "name a file of certificates in PEM")
    used = file or places.cafile or ""
    named = [f"{used} ({held})"] if used and held else []
    named += filter(None, [folder or places.capath or ""])
    if not named:
        hint = "install the package ca-certificates, or name a file in SSL_CERT_FILE"
        return wrong(AUTHORITIES, "this machine trusts no authority", hint)
    unread = [name for name in UNREAD if environment.get(name) and not file]
    beside = f"; {', '.join(unread)} is not read, SSL_CERT_FILE is" if unread else ""
    return fine(AUTHORITIES, f"{' and '.join(named)}{beside}")


def _through(proxy: str, base_url: str) -> Finding:
    hint = "correct HTTPS_PROXY, HTTP_PROXY or ALL_PROXY, or name the host in NO_PROXY"
    try:
        name, reason = without_password(proxy), _unreached(proxy)
    except (httpx.InvalidURL, ValueError):
        return wrong(PROXY, "the proxy that the environment names is no address", hint)
    if reason:
        return wrong(PROXY, f"{name}, which {base_url} is asked through: {reason}", hint)
    return fine(PROXY, f"{name} is used for {base_url}")


def _unreached(address: str) -> str:
    """Say why nobody is there, nothing where a connection can be made."""
    url = httpx.URL(address)
    place = url.raw_host.decode("ascii"), url.port or PORTS.get(url.scheme, 443)
    try:
        socket.create_connection(place, timeout=PATIENCE).close()
    except (OSError, UnicodeError) as error:
        return reason_of(error)
    return ""
