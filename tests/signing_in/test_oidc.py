"""Signing in at a real OpenID Connect provider, there and back, and everything that is refused on the way."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
import sqlalchemy as sa

from domain.work import HUB
from server import cookies
from storage.tables import ExternalIdentityRow, PrincipalRow
from tests.asking import rows_everywhere
from tests.servers.oidc_provider import CONFIDENTIAL, PUBLIC, SECRET, Provider, running_provider
from tests.signing_in.conftest import PEOPLE, REDIRECTS, RESOURCE, BuildHouse
from tests.signing_in.house import House
from tests.signing_in.signing import came_back, set_out, signed_in_there


def at(provider: Provider, **more: Any) -> dict[str, Any]:
    return {"oidc_issuer": provider.issuer, "oidc_client_id": PUBLIC, **more}


@pytest.fixture
def joined(build: BuildHouse, provider: Provider) -> House:
    """A hub that people sign in to at the provider."""
    return build(**at(provider))


def links(house: House) -> list[tuple[int, str, str]]:
    with house.hub.reading(HUB) as work:
        rows = work.session.scalars(sa.select(ExternalIdentityRow).order_by(ExternalIdentityRow.id))
        return [(row.principal_id, row.issuer, row.subject) for row in rows]


def test_a_person_known_by_verified_email_comes_in_and_is_linked_for_good(joined: House, provider: Provider) -> None:
    ada = joined.person("Ada")
    with joined.browser() as browser:
        answer = came_back(browser, provider, "ada", "/auth/login?return=/graphql?query=x")
        assert (answer.status_code, answer.headers["location"]) == (303, "/graphql?query=x")
        assert joined.ask(browser).status_code == 200
    assert links(joined) == [(ada, provider.issuer, "ada")]
    joined.change(ada, email="moved@example.org")
    with joined.browser() as browser:
        came_back(browser, provider, "ada")
        assert joined.ask(browser).status_code == 200
    assert links(joined) == [(ada, provider.issuer, "ada")]
    assert [row.principal_id for row in joined.sessions()] == [ada, ada]


def test_a_client_with_a_secret_and_a_provider_that_tells_all_in_the_id_token_work_too(
    build: BuildHouse, provider: Provider, telling_provider: Provider
) -> None:
    confidential = build(**at(provider, oidc_client_id=CONFIDENTIAL, oidc_client_secret=SECRET))
    confidential.person("Ada")
    with confidential.browser() as browser:
        assert came_back(browser, provider, "ada").status_code == 303
    telling = build(**at(telling_provider))
    with telling.browser() as browser:
        assert came_back(browser, telling_provider, "ada").status_code == 303
        assert telling.ask(browser).status_code == 200


def test_a_wrong_client_secret_lets_nobody_in(build: BuildHouse, provider: Provider) -> None:
    house = build(**at(provider, oidc_client_id=CONFIDENTIAL, oidc_client_secret="guessed"))
    house.person("Ada")
    with house.browser() as browser:
        assert came_back(browser, provider, "ada").status_code == 401
    assert house.sessions() == []


def test_strangers_are_refused_and_nothing_is_kept_of_them(joined: House, provider: Provider) -> None:
    joined.person("Ada")
    joined.person("Bob")  # whose address the provider has not verified
    before = rows_everywhere(joined.hub)
    for login in ("eve", "bob", "fool", "mute"):
        with joined.browser() as browser:
            answer = came_back(browser, provider, login)
            assert answer.status_code == 403, login
            assert "not known here" in answer.text
            assert joined.ask(browser).status_code == 401
    assert rows_everywhere(joined.hub) == before


def test_newcomers_come_in_as_viewers_where_they_are_welcome(build: BuildHouse, provider: Provider) -> None:
    house = build(**at(provider, oidc_newcomers="viewer"))
    bob = house.person("Bob", role="designer")
    for login in ("eve", "bob", "mute", "eve"):
        with house.browser() as browser:
            assert came_back(browser, provider, login).status_code == 303
            assert house.ask(browser).status_code == 200
    with house.hub.reading(HUB) as work:
        made = [work.session.get_one(PrincipalRow, id_) for id_, _, _ in links(house)]
    assert [(row.name, row.email) for row in made] == [
        ("Eve", "eve@example.org"),
        ("Bob", None),  # nobody vouches for the address, so the Bob who was here is somebody else
        ("Newcomer", None),
    ]
    assert bob not in {row.id for row in made}
    held = house.viewer(made[0].id).holdings
    assert {each.value for each in held.reaches} == {"asset.view"}


def test_an_address_that_passed_to_somebody_else_does_not_bring_them_in(joined: House, provider: Provider) -> None:
    ada = joined.person("Ada")
    with joined.browser() as browser:
        came_back(browser, provider, "ada")
    with joined.browser() as browser:
        assert came_back(browser, provider, "ada-again").status_code == 403
    assert links(joined) == [(ada, provider.issuer, "ada")]


def test_somebody_who_was_shut_out_stays_out_linked_or_not(joined: House, provider: Provider) -> None:
    ada = joined.person("Ada")
    joined.change(ada, disabled_at=joined.clock())
    with joined.browser() as browser:
        assert came_back(browser, provider, "ada").status_code == 403
    joined.change(ada, disabled_at=None)
    with joined.browser() as browser:
        came_back(browser, provider, "ada")
        assert joined.ask(browser).status_code == 200
        joined.change(ada, disabled_at=joined.clock())
        assert joined.ask(browser).status_code == 401
        assert came_back(browser, provider, "ada").status_code == 403


def test_new_keys_at_the_provider_are_found_without_a_restart(build: BuildHouse) -> None:
    with running_provider(PEOPLE, REDIRECTS, RESOURCE) as own:
        house = build(**at(own))
        house.person("Ada")
        for _ in range(3):
            with house.browser() as browser:
                assert came_back(browser, own, "ada").status_code == 303
            own.rotate()
            house.clock.move(minutes=1)


def test_a_provider_that_is_down_is_a_page_that_says_so(build: BuildHouse) -> None:
    house = build(oidc_issuer="http://127.0.0.1:9", oidc_client_id="x")
    with house.browser() as browser:
        answer = browser.get("/auth/login")
        assert answer.status_code == 502
        assert "try again later" in answer.text
        assert "127.0.0.1:9" not in answer.text


def test_the_request_to_the_provider_holds_pkce_state_and_nonce_and_no_secret(
    build: BuildHouse, provider: Provider
) -> None:
    house = build(**at(provider, oidc_client_id=CONFIDENTIAL, oidc_client_secret=SECRET))
    with house.browser() as browser:
        asked = [parse_qs(set_out(browser).query.decode()) for _ in range(2)]
    told = {name: values[0] for name, values in asked[0].items()}
    assert set(told) == {
        "response_type", "client_id", "redirect_uri", "scope", "state", "nonce",
        "code_challenge", "code_challenge_method",
    }  # fmt: skip
    assert (told["response_type"], told["code_challenge_method"]) == ("code", "S256")
    for name in ("state", "nonce", "code_challenge"):
        assert asked[0][name] != asked[1][name]
        assert len(told[name]) >= 32


def test_coming_back_works_once(joined: House, provider: Provider) -> None:
    joined.person("Ada")
    with joined.browser() as browser:
        back = signed_in_there(provider, set_out(browser), "ada")
        kept = dict(browser.cookies)
        assert browser.get(back).status_code == 303
        assert browser.get(back).status_code == 400  # the browser's ticket is gone
    with joined.browser() as thief:  # who has both the address and the ticket
        thief.cookies.update(kept)
        assert thief.get(back).status_code == 400
        assert joined.ask(thief).status_code == 401
    other = House(joined.hub, joined.clock)  # another process, which does not remember: the provider does
    with other.browser() as thief:
        thief.cookies.update(kept)
        assert thief.get(back).status_code == 401
    assert len(joined.sessions()) == 1


def test_what_was_begun_in_one_browser_is_not_finished_in_another(joined: House, provider: Provider) -> None:
    """Else somebody could have others sign in as them, and see what they then bring."""
    joined.person("Ada")
    with joined.browser() as one, joined.browser() as other:
        back = signed_in_there(provider, set_out(one), "ada")
        assert other.get(back).status_code == 400
        set_out(other)
        assert other.get(back).status_code == 400
    assert joined.sessions() == []


def test_a_ticket_is_good_for_ten_minutes_and_only_as_it_was_written(joined: House, provider: Provider) -> None:
    joined.person("Ada")
    with joined.browser() as browser:
        back = signed_in_there(provider, set_out(browser), "ada")
        ((name, kept),) = browser.cookies.items()
        for forged in (
            kept[:-1] + ("0" if kept[-1] != "0" else "1"),
            "x" + kept,
            kept.partition(".")[0],
            "",
            ".",
            "é.",
        ):
            browser.cookies.clear()
            headers = [(b"Cookie", f"{name}={forged}".encode("latin-1"))]
            assert browser.get(back, headers=headers).status_code == 400
        joined.clock.move(minutes=10, seconds=1)
        browser.cookies.clear()
        assert browser.get(back, headers={"Cookie": f"{name}={kept}"}).status_code == 400
    assert joined.sessions() == []


@pytest.mark.parametrize("name", ["nonce", "code_challenge"])
def test_an_answer_to_another_request_than_ours_is_refused(joined: House, provider: Provider, name: str) -> None:
    """Somebody on the way put a nonce, or a challenge, of their own into the request."""
    joined.person("Ada")
    theirs = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    with joined.browser() as browser:
        where = set_out(browser).copy_set_param(name, theirs)
        assert browser.get(signed_in_there(provider, where, "ada")).status_code == 401
    assert joined.sessions() == []


CHANGES: list[tuple[dict[str, str | None], int]] = [
    ({"state": "x"}, 400),
    ({"state": ""}, 400),
    ({"state": None}, 400),
    ({"code": "x"}, 401),
    ({"code": "x" * 5000}, 401),
    ({"iss": "https://other.example"}, 401),
    ({"iss": None}, 401),  # this provider says that it names itself
    ({"code": None}, 401),
    ({"code": None, "error": "<script>alert(1)</script>"}, 401),
]


def test_a_changed_answer_is_refused(joined: House, provider: Provider) -> None:
    joined.person("Ada")
    for change, status in CHANGES:
        with joined.browser() as browser:
            back = signed_in_there(provider, set_out(browser), "ada")
            for name, value in change.items():
                back = back.copy_remove_param(name) if value is None else back.copy_set_param(name, value)
            answer = browser.get(back)
        assert answer.status_code == status, change
        assert "<script" not in answer.text
    assert joined.sessions() == []


def test_a_parameter_that_stands_there_twice_counts_as_missing(joined: House, provider: Provider) -> None:
    joined.person("Ada")
    with joined.browser() as browser:
        back = signed_in_there(provider, set_out(browser), "ada")
        twice = httpx.URL(f"{back}&state={back.params['state']}")
        assert browser.get(twice).status_code == 400


ELSEWHERE = [
    "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example", "evil.example",
    "javascript:alert(1)", "/\t/evil.example", "/\n/evil.example", " /graphql", "/graphql\r\nSet-Cookie: a=b",
    "http:evil.example", "/%09\u2028", "@evil.example", "/" + "a" * 2000, "/a\\..\\b",
]  # fmt: skip


def test_signing_in_never_leads_to_another_host(joined: House) -> None:
    with joined.browser() as browser:
        for where in ELSEWHERE:
            answer = browser.get("/auth/login", params={"return": where})
            assert answer.status_code == 400, where
            assert "location" not in answer.headers
        assert browser.cookies == httpx.Cookies()


def test_while_there_is_a_provider_nobody_signs_in_with_a_password(joined: House) -> None:
    joined.person("Ada", password="correct horse battery")
    with joined.browser() as browser:
        told = {"email": "ada@example.org", "password": "correct horse battery"}
        answer = browser.post("/auth/password", json=told)
        assert (answer.status_code, answer.json()["code"]) == (403, "PASSWORDS_OFF")
    assert joined.sessions() == []


def test_without_a_provider_nobody_comes_back_from_one(house: House) -> None:
    with house.browser() as browser:
        assert browser.get("/auth/callback?code=x&state=y").status_code == 404


def test_over_https_both_cookies_are_bound_to_this_host(build: BuildHouse, provider: Provider) -> None:
    house = build(**at(provider, public_url="https://hub.test"))
    house.person("Ada")
    with house.browser() as browser:
        begun = browser.get("/auth/login")
        back = browser.get(signed_in_there(provider, httpx.URL(begun.headers["location"]), "ada"))
        assert house.ask(browser).status_code == 200
    given = begun.headers.get_list("set-cookie") + back.headers.get_list("set-cookie")
    assert len(given) == 3  # the ticket, the session, the ticket's end
    for cookie in given:
        parts = cookie.lower().split("; ")
        assert parts[0].startswith("__host-imprimatur")
        assert {"httponly", "secure", "samesite=lax", "path=/"} <= set(parts)
        assert not any(part.startswith("domain") for part in parts)
    assert cookies._SESSION in given[1]
