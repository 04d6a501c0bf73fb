"""What an OpenID Connect provider says about itself (OpenID Connect Discovery 1.0)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from domain.identity import outside
from domain.identity.jwt import ALGORITHMS
from domain.identity.outside import Unreachable
from storage.settings import is_safe_address

PATH = "/.well-known/openid-configuration"


@dataclass(frozen=True)
class Endpoints:
    issuer: str
    authorization: str
    token: str
    #: Where more is told about a person who has signed in; None when nowhere.
    userinfo: str | None
    jwks: str
    #: What its ID tokens may be signed with; asymmetric ones only.
    algorithms: frozenset[str]
    #: Whether the hub's secret goes in a header (as most want it) rather than in the form.
    takes_basic: bool
    #: Whether it names itself when people come back (RFC 9207).
    names_itself: bool


def discover(issuer: str) -> Endpoints:
    """Raises `Unreachable`, also for a provider that says it is another or that names an unsafe address."""
    told = _told(issuer)
    signing = told.get("id_token_signing_alg_values_supported")
    methods = told.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    return Endpoints(
        issuer=issuer,
        authorization=_address(told, "authorization_endpoint"),
        token=_address(told, "token_endpoint"),
        userinfo=_address(told, "userinfo_endpoint") if "userinfo_endpoint" in told else None,
        jwks=_address(told, "jwks_uri"),
        algorithms=_algorithms(signing),
        takes_basic="client_secret_basic" in methods if isinstance(methods, list) else True,
        names_itself=told.get("authorization_response_iss_parameter_supported") is True,
    )


def jwks_of(issuer: str) -> str:
    """Where this issuer publishes its keys. Raises `Unreachable`."""
    return _address(_told(issuer), "jwks_uri")


def _told(issuer: str) -> dict[str, Any]:
    told = outside.fetch_json(issuer.rstrip("/") + PATH)
    if not isinstance(told, dict) or told.get("issuer") != issuer:
        raise Unreachable(f"{issuer} does not say of itself that it is this issuer.")
    return told


def _address(told: dict[str, Any], name: str) -> str:
    address = told.get(name)
    if not isinstance(address, str) or not is_safe_address(address):
        raise Unreachable(f"The provider's {name} is missing or no https: address.")
    return address


def _algorithms(told: Any) -> frozenset[str]:
    if not isinstance(told, list):
        return ALGORITHMS
    return ALGORITHMS & {each for each in told if isinstance(each, str)}
