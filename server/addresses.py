"""Where a request comes from, behind whatever proxies the operator trusts.

`X-Forwarded-For` is a claim. It is believed from the right, entry by entry, only as far as trusted proxies wrote it: so
nobody chooses their own address by sending the header themselves.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

from starlette.requests import HTTPConnection

from storage.settings import Network

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

#: Entries looked at: more proxies than anybody has in a row.
MOST_HOPS = 20
#: What one household or machine is given at least; it may use any address therein.
ONE_PARTY_V6 = 64
#: Addresses that need not be read again; of a hostile many, none is kept for long.
REMEMBERED = 256


def of(request: HTTPConnection, trusted: Sequence[Network]) -> str | None:
    """The client's IP address; None where the connection has none (a Unix socket)."""
    at = None if request.client is None else _parsed(request.client.host)
    if at is None or not _is_trusted(at, trusted):
        return None if at is None else str(at)
    hops = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
    for hop in reversed(hops[-MOST_HOPS:]):
        if at is None or not _is_trusted(at, trusted):
            break
        before = _parsed(hop.strip())
        if before is None:
            break
        at = before
    return None if at is None else str(at)


def party(address: str | None) -> str:
    """What counts as one party: an IPv4 address, or the network that IPv6 hands out as a whole."""
    return "local" if address is None else _party(address)


@lru_cache(REMEMBERED)
def _party(address: str) -> str:
    at = ipaddress.ip_address(address)
    if at.version == 4:  # noqa: PLR2004  # the name of the protocol
        return address
    return str(ipaddress.ip_network(f"{address}/{ONE_PARTY_V6}", strict=False))


@lru_cache(REMEMBERED)
def _parsed(text: str) -> Address | None:
    """Without a zone; an IPv4 address that came through an IPv6 socket is one. Some proxies add the port."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        at = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return at.ipv4_mapped or at if isinstance(at, ipaddress.IPv6Address) else at


def _is_trusted(at: Address, trusted: Sequence[Network]) -> bool:
    return any(at in network for network in trusted)
