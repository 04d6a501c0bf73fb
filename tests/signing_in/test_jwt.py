"""Signed tokens of a trusted issuer: which are believed, and the many that are not, all in the same words."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from time import time
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from domain.identity import jwt, oidc_entering
from domain.identity.jwt import LEEWAY, LONGEST, Disbelieved, Expected
from domain.identity.jwt_keys import Keys
from domain.work import HUB
from storage.tables import PrincipalRow
from tests.asking import rows_everywhere
from tests.servers.oidc_provider import ROBOT, Provider
from tests.signing_in import issuer as issuers
from tests.signing_in.conftest import RESOURCE, BuildHouse
from tests.signing_in.house import House
from tests.signing_in.issuer import AUDIENCE, EC, ED, RSA, STRANGE, Issuer, raw


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuers.running() as running:
        yield running


@pytest.fixture
def trusting(build: BuildHouse, issuer: Issuer) -> House:
    """A hub that believes the issuer, and knows its robot."""
    house = build(jwt_issuer=issuer.url, jwt_audience=AUDIENCE, stranger_rate=0)
    link(house, issuer.url, "robot")
    return house


def link(house: House, issuer: str, subject: str) -> int:
    id_ = house.person(subject.title(), kind="SERVICE", email=None)
    with house.hub.writing(HUB) as work:
        oidc_entering.link(work, work.session.get_one(PrincipalRow, id_), issuer, subject)
    return id_


def test_a_token_signed_by_any_key_of_the_issuer_opens_the_door(trusting: House, issuer: Issuer) -> None:
    for key, alg in ((RSA, "RS256"), (RSA, "RS512"), (RSA, "PS256"), (EC, "ES256"), (ED, "Ed25519")):
        assert trusting.bearer(issuer.token(key, alg)).status_code == 200, alg


def test_what_is_harmless_is_believed(trusting: House, issuer: Issuer) -> None:
    harmless: list[dict[str, Any]] = [
        {"aud": ["https://other.example", AUDIENCE]},
        {"header": {"typ": "at+jwt"}},
        {"header": {"x5t": "thumbprint", "unheard-of": 1}},
        {"exp": 9_999_999_999.5},
        {"iat": None},
        {"nbf": 0},
    ]
    for more in harmless:
        assert trusting.bearer(issuer.token(**more)).status_code == 200, more


@pytest.mark.parametrize(
    ("claim", "last", "beyond"),
    [("exp", 1 - LEEWAY, -LEEWAY), ("nbf", LEEWAY, LEEWAY + 1), ("iat", LEEWAY, LEEWAY + 1)],
)
def test_clocks_may_differ_by_half_a_minute(issuer: Issuer, claim: str, last: int, beyond: int) -> None:
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    told: dict[str, Any] = {"exp": int(now.timestamp()) + 60, "iat": None}
    keys, expected = Keys(lambda: f"{issuer.url}/jwks", lambda: now), Expected(issuer.url, AUDIENCE)
    keys.refresh()

    def claims(offset: int) -> dict[str, Any]:
        token = issuer.token(**{**told, claim: int(now.timestamp()) + offset})
        return jwt.read(token, keys, expected, lambda: now)

    assert claims(last)["sub"] == "robot"
    with pytest.raises(Disbelieved):
        claims(beyond)


def _hmac_signed(key: bytes, alg: str, issuer: Issuer) -> str:
    """The algorithm confusion: signed symmetrically, with what everybody may know as the secret."""
    claims = {"iss": issuer.url, "sub": "robot", "aud": AUDIENCE, "exp": int(time()) + 300}
    unsigned = raw({"alg": alg, "kid": "rsa", "typ": "JWT"}, claims).rpartition(".")[0]
    return raw(b"", b"", hmac.new(key, unsigned.encode(), sha256).digest()).replace("..", f"{unsigned}.", 1)


def _embedded(parameter: str, value: Any) -> Callable[[Issuer], str]:
    return lambda issuer: issuer.token(STRANGE, header={parameter: value})


_CLAIMS = {"sub": "robot", "aud": AUDIENCE, "exp": 9_999_999_999}
_PEM = RSA.as_pem(private=False)
_SMALL = {"alg": "RS256", "kid": "rsa"}

ATTACKS: dict[str, Callable[[Issuer], str]] = {
    "alg none": lambda i: raw({"alg": "none"}, {**_CLAIMS, "iss": i.url}, b""),
    "alg None": lambda i: raw({"alg": "None", "kid": "rsa"}, {**_CLAIMS, "iss": i.url}, b""),
    "alg missing": lambda i: raw({"kid": "rsa"}, {**_CLAIMS, "iss": i.url}),
    "alg a list": lambda i: raw({"alg": ["RS256"], "kid": "rsa"}, {**_CLAIMS, "iss": i.url}),
    "HS256 with the public key as PEM": lambda i: _hmac_signed(_PEM, "HS256", i),
    "HS256 with the public key as PEM, trimmed": lambda i: _hmac_signed(_PEM.strip(), "HS256", i),
    "HS256 with the public key as JWK": lambda i: _hmac_signed(
        json.dumps(RSA.as_dict(private=False)).encode(), "HS256", i
    ),
    "HS256 with an empty secret": lambda i: _hmac_signed(b"", "HS256", i),
    "signature of HS256 said to be RS256": lambda i: _hmac_signed(_PEM, "RS256", i),
    "HS256 by any secret": lambda i: i.token(OctKey.import_key("secret-secret-secret", {"kid": "rsa"}), "HS256"),
    "RS256 by a key of another kind": lambda i: i.token(RSA, header={"kid": "ec"}),
    "ES256 said to be by the RSA key": lambda i: i.token(EC, "ES256", header={"kid": "rsa"}),
    "by a stranger's key of the same name": lambda i: i.token(STRANGE),
    "signature cut off": lambda i: i.token().rpartition(".")[0] + ".",
    "signature of zeroes": lambda i: i.token(EC, "ES256").rpartition(".")[0] + "." + "A" * 86,
    "claims of another token": lambda i: ".".join(
        (i.token().split(".")[0], i.token(sub="admin").split(".")[1], i.token().split(".")[2])
    ),
    "unknown kid": lambda i: i.token(header={"kid": "other"}),
    "no kid where there are several keys": lambda i: raw({"alg": "RS256"}, {**_CLAIMS, "iss": i.url}),
    "kid no text": lambda i: raw({"alg": "RS256", "kid": 7}, {**_CLAIMS, "iss": i.url}),
    "kid a path": lambda i: i.token(header={"kid": "../../../../dev/null"}),
    "wrong issuer": lambda i: i.token(iss="https://evil.example"),
    "issuer with a slash more": lambda i: i.token(iss=i.url + "/"),
    "no issuer": lambda i: i.token(iss=None),
    "issuers as a list": lambda i: i.token(iss=[i.url]),
    "wrong audience": lambda i: i.token(aud="https://other.example"),
    "part of the audience": lambda i: i.token(aud=AUDIENCE + "/more"),
    "no audience": lambda i: i.token(aud=None),
    "audience an object": lambda i: i.token(aud={AUDIENCE: 1}),
    "expired": lambda i: i.token(exp=int(time()) - 60),
    "no exp": lambda i: i.token(exp=None),
    "exp as text": lambda i: i.token(exp="9999999999"),
    "exp true": lambda i: i.token(exp=True),
    "exp NaN": lambda i: i.token(exp=float("nan")),
    "exp Infinity": lambda i: i.token(exp=float("inf")),
    "exp beyond any number": lambda i: i.token(exp=10**400),
    "not valid yet": lambda i: i.token(nbf=int(time()) + 60),
    "nbf as text": lambda i: i.token(nbf="0"),
    "made in the future": lambda i: i.token(iat=int(time()) + 60),
    "no subject": lambda i: i.token(sub=None),
    "an empty subject": lambda i: i.token(sub=""),
    "a number as subject": lambda i: i.token(sub=7),
    "somebody unknown": lambda i: i.token(sub="stranger"),
    "another case of the subject": lambda i: i.token(sub="Robot"),
    "an endless subject": lambda i: i.token(sub="r" * 300),
    "crit": lambda i: i.token(header={"crit": ["exp"], "exp": 1}),
    "crit, empty": lambda i: raw({**_SMALL, "crit": []}, {**_CLAIMS, "iss": i.url}),
    "b64 false": lambda i: raw({**_SMALL, "b64": False}, {**_CLAIMS, "iss": i.url}),
    "its own jwk": _embedded("jwk", STRANGE.as_dict(private=False)),
    "its own jku": _embedded("jku", "https://evil.example/jwks"),
    "its own x5u": _embedded("x5u", "https://evil.example/x509"),
    "its own x5c": _embedded("x5c", ["MIIB"]),
    "encrypted": lambda _: raw({"alg": "dir", "enc": "A128GCM"}, {}),
    "another typ": lambda i: i.token(header={"typ": "logout+jwt"}),
    "an ID token": lambda i: i.token(nonce="n"),
    "an ID token with at_hash": lambda i: i.token(at_hash="h"),
    "header no object": lambda i: raw([1], {**_CLAIMS, "iss": i.url}),
    "header no JSON": lambda _: "eyJub3QganNvbg.e30.x",
    "header deep": lambda _: raw(b'{"a":' + b"[" * 4000, {}),
    "claims no object": lambda i: i.token().split(".")[0] + ".W10." + i.token().split(".")[2],
    "oversized": lambda i: i.token(more="x" * LONGEST),
    "four parts": lambda i: i.token() + ".x",
    "five parts": lambda i: i.token() + ".x.y",
    "letters outside": lambda i: i.token()[:-3] + "+/=",
}


def test_a_token_that_proves_nothing_is_refused_like_any_unknown_one(trusting: House, issuer: Issuer) -> None:
    assert trusting.bearer(issuer.token()).status_code == 200
    before = rows_everywhere(trusting.hub)
    unknown = trusting.bearer("imp_unknown")
    assert unknown.status_code == 401
    answers = {name: trusting.bearer(attack(issuer)) for name, attack in ATTACKS.items()}
    told_apart = [name for name, answer in answers.items() if _without_id(answer) != _without_id(unknown)]
    assert told_apart == []
    assert rows_everywhere(trusting.hub) == before
    assert trusting.bearer(issuer.token()).status_code == 200


def _without_id(answer: httpx.Response) -> tuple[Any, dict[str, str]]:
    return answer.json(), {name: value for name, value in answer.headers.items() if name != "x-request-id"}


def test_the_log_says_why_and_holds_nothing_of_the_token(
    trusting: House, issuer: Issuer, capsys: pytest.CaptureFixture[str]
) -> None:
    token = issuer.token(aud="https://other.example")
    trusting.bearer(token)
    said = capsys.readouterr().out
    assert "for another audience" in said
    assert token.split(".")[1][:20] not in said


def test_somebody_shut_out_is_refused_with_a_good_token(trusting: House, issuer: Issuer) -> None:
    id_ = link(trusting, issuer.url, "second")
    assert trusting.bearer(issuer.token(sub="second")).status_code == 200
    trusting.change(id_, disabled_at=trusting.clock())
    assert trusting.bearer(issuer.token(sub="second")).status_code == 401


def test_a_subject_of_one_issuer_is_nobody_at_another(trusting: House, issuer: Issuer) -> None:
    link(trusting, "https://other.example", "theirs")
    assert trusting.bearer(issuer.token(sub="theirs")).status_code == 401


def test_a_hub_without_a_trusted_issuer_believes_nobody(house: House, issuer: Issuer) -> None:
    link(house, issuer.url, "robot")
    assert house.bearer(issuer.token()).status_code == 401
    assert issuer.asked == {}


def test_a_new_key_is_found_by_asking_once_and_an_invented_one_makes_nobody_ask_again(
    trusting: House, issuer: Issuer
) -> None:
    assert trusting.bearer(issuer.token()).status_code == 200
    for _ in range(5):
        assert trusting.bearer(issuer.token(header={"kid": "invented"})).status_code == 401
    assert issuer.asked["/jwks"] == 1  # it was asked a moment ago
    fresh = RSAKey.generate_key(2048, {"kid": "fresh"})
    issuer.keys = [fresh]
    trusting.clock.move(seconds=31)
    assert trusting.bearer(issuer.token(fresh)).status_code == 200
    assert trusting.bearer(issuer.token(RSA)).status_code == 401
    assert issuer.asked["/jwks"] == 2


def test_a_key_that_the_issuer_took_back_is_trusted_no_longer_than_ten_minutes(trusting: House, issuer: Issuer) -> None:
    assert trusting.bearer(issuer.token(RSA)).status_code == 200
    issuer.keys = [EC]
    trusting.clock.move(minutes=9)
    assert trusting.bearer(issuer.token(RSA, exp=int(time()) + 9000)).status_code == 200
    trusting.clock.move(minutes=2)
    assert trusting.bearer(issuer.token(RSA, exp=int(time()) + 9000)).status_code == 401


def test_while_the_issuer_is_away_its_last_keys_count_for_an_hour(trusting: House, issuer: Issuer) -> None:
    token = issuer.token(exp=int(time()) + 90_000)
    assert trusting.bearer(token).status_code == 200
    issuer.instead["/jwks"] = (500, {}, b"")
    trusting.clock.move(minutes=30)
    assert trusting.bearer(token).status_code == 200
    trusting.clock.move(minutes=40)
    assert trusting.bearer(token).status_code == 401


def test_keys_that_are_no_public_signing_keys_are_left_out(trusting: House, issuer: Issuer) -> None:
    weak = {"kty": "RSA", "kid": "weak", "n": "x" * 100, "e": "AQAB"}
    secret = OctKey.import_key("secret-secret-secret", {"kid": "oct"})
    encrypting = RSAKey.generate_key(2048, {"kid": "enc", "use": "enc"})
    twice = [RSAKey.generate_key(2048, {"kid": "twice"}) for _ in range(2)]
    issuer.others = [weak, secret.as_dict(), {"kty": "AKP", "kid": "new"}, {"kty": "EC", "crv": "P-256"}, 7, "x", None]
    issuer.keys = [encrypting, *twice, RSA]
    assert trusting.bearer(issuer.token()).status_code == 200
    for key in (encrypting, *twice):
        assert trusting.bearer(issuer.token(key)).status_code == 401
    assert trusting.bearer(issuer.token(secret, "HS256")).status_code == 401


def test_a_token_without_kid_counts_where_the_issuer_has_one_key_only(trusting: House, issuer: Issuer) -> None:
    issuer.keys = [ECKey.generate_key("P-384", {"kid": "only"})]
    (only,) = issuer.keys
    assert trusting.bearer(issuer.token(only, "ES384", header={"kid": None})).status_code == 200


_CONFIGURATION = "/.well-known/openid-configuration"
STRANGE_ANSWERS: list[tuple[str, tuple[int, dict[str, str], bytes]]] = [
    ("/jwks", (302, {"Location": "/elsewhere"}, b"")),
    ("/jwks", (200, {}, b"x" * (600 * 1024))),
    ("/jwks", (200, {}, b"no JSON")),
    ("/jwks", (200, {}, b'{"keys": 7}')),
    ("/jwks", (200, {}, b"[]")),
    ("/jwks", (503, {}, b"{}")),
    (_CONFIGURATION, (200, {}, b'{"issuer": "https://evil.example", "jwks_uri": "/jwks"}')),
    (_CONFIGURATION, (200, {}, b"[]")),
    (_CONFIGURATION, (404, {}, b"")),
]


def test_an_issuer_that_answers_strangely_is_as_good_as_away(trusting: House, issuer: Issuer) -> None:
    keys = json.dumps({"keys": [RSA.as_dict(private=False)]}).encode()
    for path, instead in STRANGE_ANSWERS:
        issuer.instead = {path: instead, "/elsewhere": (200, {}, keys)}
        assert trusting.bearer(issuer.token(exp=int(time()) + 9000)).status_code == 401, instead
        trusting.clock.move(seconds=31)
    assert issuer.asked["/elsewhere"] == 0
    issuer.instead = {}
    assert trusting.bearer(issuer.token(exp=int(time()) + 9000)).status_code == 200


def test_keys_are_fetched_privately_or_not_at_all(trusting: House, issuer: Issuer) -> None:
    told = {"issuer": issuer.url, "jwks_uri": "http://hub.test/jwks"}
    issuer.instead["/.well-known/openid-configuration"] = (200, {}, json.dumps(told).encode())
    assert trusting.bearer(issuer.token()).status_code == 401


def test_signed_access_tokens_of_a_real_provider_open_the_door(build: BuildHouse, provider: Provider) -> None:
    house = build(jwt_issuer=provider.issuer, jwt_audience=RESOURCE)
    link(house, provider.issuer, ROBOT)
    form = {"grant_type": "client_credentials", "client_id": ROBOT, "client_secret": ROBOT, "resource": RESOURCE}
    given = httpx.post(f"{provider.issuer}/token", data=form, trust_env=False).json()
    assert house.bearer(given["access_token"]).status_code == 200
