"""Who may see the page: rules about the headers of a request.

A page that another web site shows in the same browser may send requests to this machine, too. So may a name
that its owner lets point here (DNS rebinding). Both are known by their headers, which scripts can't forge:
``Host`` is the name that the browser was told, ``Origin`` the site that the script came from.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
import secrets
import socket
from dataclasses import dataclass, field
from urllib.parse import urlsplit

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that is bound to ``host``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_host(name: str) -> bool:
    """Whether browsers can call a machine so: a name in ASCII or an address, without scheme and port."""
    return _is_address(name) or re.fullmatch(r"[\w-]+(\.[\w-]+)*", name, re.ASCII) is not None


def names_of_this_machine() -> frozenset[str]:
    """The names that others use for this machine: its host name, plain, in full, and in mDNS."""
    name = socket.gethostname().lower()
    plain = name.partition(".")[0]
    return frozenset({name, plain, f"{plain}.local", socket.getfqdn().lower()})


@dataclass(frozen=True)
class Access:
    """The rules of one server."""

    host: str
    """What the server is bound to."""
    names: frozenset[str] = frozenset()
    """Names besides those of the loopback by which people may open the page."""
    token: str = field(default="", repr=False)
    """What a browser must show; empty: nothing, because only this machine can reach the server."""

    @classmethod
    def of(cls, host: str, names: tuple[str, ...] = ()) -> Access:
        """The rules of a server bound to ``host``: a token if others can reach it."""
        if is_loopback(host):
            return cls(host, frozenset(name.lower() for name in names))
        known = names_of_this_machine() | {name.lower() for name in (*names, host)}
        return cls(host, frozenset(known), secrets.token_urlsafe(24))

    def refuse_host(self, header: str) -> str:
        """Why a request with this ``Host`` header is refused; empty: it is not."""
        name = _name_of(header)
        if name in LOOPBACK_NAMES or name in self.names or (self.token and _is_address(name)):
            return ""
        return (
            f"this server is not called {name[:80]!r}: open the address that `dasha watch` printed, or start "
            "it with --allow-host NAME"
        )

    def refuse_origin(self, origin: str, host: str) -> str:
        """Why a script from ``origin`` may not connect to ``host``; empty: it may.

        Args:
            origin: The header ``Origin``, which browsers send with every WebSocket; empty: there is none.
            host: The header ``Host``.
        """
        own = {f"http://{host}".lower(), f"https://{host}".lower()}
        return "" if host and origin.lower() in own else "only the page of this server may connect to it"

    def has_token(self, given: str) -> bool:
        """Whether a browser's token is the right one; any is where none is needed."""
        return not self.token or hmac.compare_digest(given.encode(), self.token.encode())


def _name_of(header: str) -> str:
    """The name in a ``Host`` header, without the port and without the brackets of IPv6."""
    try:
        return (urlsplit(f"//{header}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    """Whether a name is an IP address, which nobody can let point elsewhere."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
