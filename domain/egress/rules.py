"""Which addresses somebody may have the hub reach.

The lists are IANA's registries of special-purpose addresses (IPv4, IPv6; RFC 6890 and what updated it), written out:
Python's own tables differ from version to version and call some of these global.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import urljoin

from storage.settings import Network

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

MAX_URL: Final = 2_000
PORTS: Final = {"http": 80, "https": 443}
#: Ports below this belong to mail, shells and the like; whoever listens there did not ask for HTTP.
FIRST_FREE_PORT: Final = 1024

_URL = re.compile(
    r"(?P<scheme>[a-zA-Z]+)://"
    r"(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<name>[a-zA-Z0-9_.-]{1,253}))"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<target>(?:/[!$-;=@-\[\]_a-z~%]*)?(?:\?[!$-;=?@-\[\]_a-z~%/]*)?)"
)
_LABEL = re.compile(r"(?!-)[a-zA-Z0-9_-]{1,63}(?<!-)")
#: What a browser, or a C library, reads as an IPv4 address in another spelling.
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")

_SPECIAL: Final = tuple(
    ipaddress.ip_network(each)
    for each in (
        # "this" network, private, shared (CGNAT), loopback, link-local with its metadata services
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        # protocol assignments, documentation, AS112, 6to4 relays, private, AMT, benchmarking
        *("192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
        # multicast, reserved, broadcast; and what a large cloud keeps for its own hosts among public addresses
        *("224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32"),
    )
)
#: Of IPv6 only global unicast is ever public; of that, not these.
_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
_SPECIAL_SIX: Final = tuple(
    ipaddress.IPv6Network(each)
    for each in (
        # protocol assignments with Teredo and ORCHID, documentation, 6to4, AS112, documentation
        *("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"),
    )
)
#: How an IPv4 address is reached from a network that has only IPv6 (RFC 6052): judged by the address within.
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


class Forbidden(Exception):
    """The hub does not go there; `sentence` says why to whoever gave the address."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True)
class Rules:
    """What an operator allows beyond https: to public addresses."""

    networks: tuple[Network, ...] = ()
    http: bool = False


@dataclass(frozen=True)
class Target:
    scheme: str
    #: In small letters, an IPv6 address without brackets.
    host: str
    port: int
    #: Path and query.
    path: str

    @property
    def origin(self) -> tuple[str, str, int]:
        return (self.scheme, self.host, self.port)

    @property
    def authority(self) -> str:
        """As `Host` has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"


def target_of(url: str, rules: Rules) -> Target:
    """What the address says, strictly read: `Forbidden` for whatever another reader might understand otherwise."""
    found = _URL.fullmatch(url) if len(url) <= MAX_URL else None
    if found is None:
        raise Forbidden(
            "An address is https://HOST/PATH in plain ASCII: no user or password, no fragment, no spaces, "
            f"at most {MAX_URL:,} characters."
        )
    scheme = found["scheme"].lower()
    if scheme not in PORTS or (scheme == "http" and not rules.http):
        raise Forbidden("Only https: addresses are reached." if not rules.http else "Only https: and http: are spoken.")
    port = int(found["port"] or PORTS[scheme])
    if port not in PORTS.values() and not FIRST_FREE_PORT <= port <= 65_535:  # noqa: PLR2004  # the largest port
        raise Forbidden(f"A port is 443, 80, or one from {FIRST_FREE_PORT} on.")
    host = _six(found["six"], rules) if found["six"] else _name(found["name"], rules)
    path = found["target"]
    return Target(scheme, host, port, path if path.startswith("/") else f"/{path}")


def redirected(target: Target, location: str, rules: Rules) -> Target:
    """Where an answer sends us on to, read as strictly."""
    try:
        return target_of(urljoin(target.url, location).partition("#")[0], rules)
    except ValueError:
        raise Forbidden("The redirect leads to no address.") from None


def check_address(address: str, rules: Rules) -> None:
    """`Forbidden` unless this IP address is public, or of a network that the operator allows."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        raise Forbidden(f"{address[:60]} is no IP address.") from None
    if not is_reachable(found, rules):
        raise Forbidden(f"{found} is not a public address: the hub does not send there.")


def is_reachable(address: Address, rules: Rules) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            return False
        if _is_in(address, rules.networks):
            return True
        if (within := _embedded(address)) is not None:
            return is_reachable(within, rules)
        return address in _UNICAST and not _is_in(address, _SPECIAL_SIX)
    return _is_in(address, rules.networks) or not _is_in(address, _SPECIAL)


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF) if address in _NAT64 else None


def _is_in(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _six(text: str, rules: Rules) -> str:
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        raise Forbidden("What stands in brackets is no IPv6 address.") from None
    check_address(str(address), rules)
    return str(address)


def _name(text: str, rules: Rules) -> str:
    """A name, or an IPv4 address in its one plain spelling, as the URL standard tells the two apart."""
    labels = text.removesuffix(".").split(".")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            address = ipaddress.IPv4Address(text)
        except ValueError:
            raise Forbidden("An IPv4 address is written as four decimal numbers, such as 192.0.2.1.") from None
        check_address(str(address), rules)
        return str(address)
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise Forbidden("The host is no name that can be looked up.")
    return text.lower()
