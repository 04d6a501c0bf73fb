"""A session: its cookie, its end, and that only our own pages can use it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
import sqlalchemy as sa
from starlette.requests import Request

from domain.identity import sessions
from domain.work import HUB
from server import cookies
from storage.settings import Settings
from storage.tables import GrantRow, TokenRow
from tests.asking import rows_everywhere
from tests.signing_in.conftest import BuildHouse
from tests.signing_in.house import ME, PASSWORD, House

LOGIN = {"email": "ada@example.org", "password": PASSWORD}
ADD = {"query": 'mutation { tagCreate(input: {name: "x"}) { errors { code } } }'}


@pytest.fixture
def stores(embedded: Settings) -> Settings:
    return embedded


@pytest.fixture
def browser(house: House) -> Iterator[httpx.Client]:
    """Ada's, signed in."""
    house.person("Ada", password=PASSWORD, role="librarian")
    with house.browser() as opened:
        assert opened.post("/auth/password", json=LOGIN).status_code == 204
        yield opened


def secret_of(browser: httpx.Client) -> str:
    return browser.cookies["imprimatur"]


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(house: House) -> None:
    house.person("Ada", password=PASSWORD)
    with house.browser() as browser:
        (given,) = browser.post("/auth/password", json=LOGIN).headers.get_list("set-cookie")
    parts = given.split("; ")
    assert parts[0].startswith("imprimatur=ims_")
    assert {part.lower() for part in parts[1:]} == {"httponly", "samesite=lax", "path=/", "max-age=604800"}


def test_over_https_the_cookie_is_for_this_host_and_encrypted_ways_alone(build: BuildHouse) -> None:
    house = build(public_url="https://hub.test")
    house.person("Ada", password=PASSWORD)
    with house.browser() as browser:
        (given,) = browser.post("/auth/password", json=LOGIN).headers.get_list("set-cookie")
        assert given.startswith("__Host-imprimatur=ims_")
        assert "secure" in given.lower().split("; ")
        assert house.ask(browser).status_code == 200
        plain = {"Cookie": f"imprimatur={browser.cookies['__Host-imprimatur']}"}
        browser.cookies.clear()
        assert house.ask(browser, plain).status_code == 401


@pytest.mark.parametrize(
    "header",
    [
        "\xa0__Host-imprimatur={}",
        "__host-imprimatur={}",
        "__Host-imprimatur ={}",
        "imprimatur={}",
        "__Host-imprimatur={}; __Host-imprimatur={}",
    ],
)
def test_a_cookie_that_only_looks_like_ours_counts_for_nothing(settings: Settings, header: str) -> None:
    scope = {"type": "http", "headers": [(b"cookie", header.replace("{}", "ims_x").encode("latin-1"))]}
    told = settings.model_copy(update={"public_url": "https://hub.test"})
    assert cookies.session_of(Request(scope), told) is None
    honest = {"type": "http", "headers": [(b"cookie", b"a=b; __Host-imprimatur=ims_x; c=d")]}
    assert cookies.session_of(Request(honest), told) == "ims_x"


@pytest.fixture
def settings(tmp_path: object) -> Settings:
    return Settings.model_validate({"data_dir": tmp_path})


def test_the_secret_is_kept_as_a_digest_only(house: House, browser: httpx.Client) -> None:
    assert len(secret_of(browser)) >= 43 + len(sessions.MARK)
    assert secret_of(browser) not in str(rows_everywhere(house.hub))


def test_a_session_opens_nothing_as_a_bearer_token_and_a_token_nothing_as_a_cookie(
    house: House, browser: httpx.Client
) -> None:
    assert house.bearer(secret_of(browser)).status_code == 401
    with house.browser() as other:
        assert house.bearer("imp_test").status_code == 200
        assert house.ask(other, {"Cookie": "imprimatur=imp_test"}).status_code == 401


def test_an_authorization_header_decides_whatever_cookie_comes_with_it(house: House, browser: httpx.Client) -> None:
    for header in ("Bearer imp_wrong", "Basic YTpi", "Bearer ", ""):
        assert house.ask(browser, {"Authorization": header}).status_code == 401
    assert house.ask(browser, {"Authorization": "Bearer imp_test"}).status_code == 200


OTHERS = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://hub.test.evil.example"},
    {"Origin": "http://hub.test:8080"},
    {"Origin": "https://hub.test"},
    {"Origin": "http://neighbour.hub.test"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://hub.test"},
    {"Referer": "http://hub.test/graphql"},
    {},
]


def test_another_sites_page_changes_nothing_with_the_cookie(house: House, browser: httpx.Client) -> None:
    before = rows_everywhere(house.hub)
    begun = {"Tus-Resumable": "1.0.0", "Upload-Length": "5"}
    more = {**begun, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    for headers in OTHERS:
        refused = [
            browser.post("/graphql", json=ADD, headers=headers),
            browser.post("/uploads", headers={**begun, **headers}),
            browser.patch("/uploads/x", headers={**more, **headers}),
            browser.request("DELETE", "/uploads/x", headers={**begun, **headers}),
            browser.post("/uploads/x", headers={**begun, "X-HTTP-Method-Override": "DELETE", **headers}),
            browser.post("/auth/logout", headers=headers),
        ]
        assert [answer.status_code for answer in refused] == [403] * len(refused), headers
    assert rows_everywhere(house.hub) == before
    assert house.ask(browser).status_code == 200  # and the session stands


@pytest.mark.parametrize("headers", [{"Origin": "http://hub.test"}, {"Sec-Fetch-Site": "same-origin"}])
def test_our_own_pages_change_things_with_the_cookie(
    house: House, browser: httpx.Client, headers: dict[str, str]
) -> None:
    answer = browser.post("/graphql", json=ADD, headers=headers)
    assert answer.json()["data"]["tagCreate"]["errors"] == []
    begun = browser.post("/uploads", headers={"Tus-Resumable": "1.0.0", "Upload-Length": "5", **headers})
    assert begun.status_code == 201


def test_to_read_with_a_session_the_page_must_be_ours(house: House, browser: httpx.Client) -> None:
    told = {"Accept": "application/json"}
    assert browser.get("/graphql", params=ME, headers=told).status_code == 403
    for site, status in (("same-origin", 200), ("none", 403), ("same-site", 403), ("cross-site", 403)):
        assert browser.get("/graphql", params=ME, headers={**told, "Sec-Fetch-Site": site}).status_code == status
    scripted = {**told, "GraphQL-Require-Preflight": "1"}
    assert browser.get("/graphql", params=ME, headers=scripted).status_code == 200


def test_another_sites_page_signs_nobody_in(house: House) -> None:
    """Else it could sign somebody in as another, and see what they then bring."""
    house.person("Ada", password=PASSWORD)
    with house.browser() as browser:
        for headers in OTHERS:
            if {"Origin", "Sec-Fetch-Site"} & set(headers):
                assert browser.post("/auth/password", json=LOGIN, headers=headers).status_code == 403, headers
                assert browser.post("/auth/password", data=LOGIN, headers=headers).status_code == 403, headers
    assert house.sessions() == []


def test_signing_in_never_takes_over_a_session_that_was_there(house: House, browser: httpx.Client) -> None:
    """Session fixation: whoever planted or knew the old secret has nothing."""
    house.person("Bob", password=PASSWORD)
    planted = secret_of(browser)
    with house.browser() as victim:
        victim.cookies.set("imprimatur", planted, domain="hub.test")
        answer = victim.post("/auth/password", json={**LOGIN, "email": "bob@example.org"})
        assert "ims_" in answer.headers["set-cookie"]
        assert planted not in answer.headers["set-cookie"]
        victim.cookies.clear()
        assert house.ask(victim, {"Cookie": f"imprimatur={planted}"}).status_code == 401
    invented = "ims_" + "x" * 43
    with house.browser() as victim:
        victim.cookies.set("imprimatur", invented, domain="hub.test")
        assert victim.post("/auth/password", json=LOGIN).status_code == 204
        victim.cookies.clear()
        assert house.ask(victim, {"Cookie": f"imprimatur={invented}"}).status_code == 401


def test_signing_out_ends_the_session_wherever_its_cookie_went(house: House, browser: httpx.Client) -> None:
    copied = {"Cookie": f"imprimatur={secret_of(browser)}"}
    answer = browser.post("/auth/logout", headers={"Origin": "http://hub.test"})
    assert answer.status_code == 204
    assert "max-age=0" in answer.headers["set-cookie"].lower()
    assert dict(browser.cookies) == {}
    with house.browser() as other:
        assert house.ask(other, copied).status_code == 401
        assert other.post("/auth/logout").status_code == 204  # nobody was signed in
    assert [row.revoked_at is not None for row in house.sessions()] == [True]


def test_a_session_ends_when_nobody_uses_it(house: House, browser: httpx.Client) -> None:
    for _ in range(3):
        house.clock.move(hours=11)
        assert house.ask(browser).status_code == 200
    house.clock.move(hours=12, seconds=1)
    assert house.ask(browser).status_code == 401


def test_a_session_ends_after_a_week_however_much_it_is_used(house: House, browser: httpx.Client) -> None:
    for _ in range(15):
        house.clock.move(hours=11)
        assert house.ask(browser).status_code == 200
    house.clock.move(hours=4)
    assert house.ask(browser).status_code == 401


def test_a_session_ends_at_once_when_its_person_is_shut_out(house: House, browser: httpx.Client) -> None:
    (row,) = house.sessions()
    house.change(row.principal_id, disabled_at=house.clock())
    assert house.ask(browser).status_code == 401


def test_what_a_session_may_is_read_anew_for_every_request(house: House, browser: httpx.Client) -> None:
    (row,) = house.sessions()
    headers = {"Origin": "http://hub.test"}
    assert browser.post("/graphql", json=ADD, headers=headers).json()["data"]["tagCreate"]["errors"] == []
    with house.hub.writing(HUB) as work:
        work.session.execute(
            sa.update(GrantRow).where(GrantRow.principal_id == row.principal_id).values(revoked_at=work.now)
        )
    (error,) = browser.post("/graphql", json=ADD, headers=headers).json()["data"]["tagCreate"]["errors"]
    assert error["code"] == "NOT_ALLOWED"


def test_a_token_s_last_use_is_written_once_a_minute_and_by_nobody_refused(house: House) -> None:
    def last() -> object:
        with house.hub.reading(HUB) as work:
            return work.session.get_one(TokenRow, 1).last_used_at

    assert house.bearer("imp_test").status_code == 200
    first = last()
    assert first is not None
    house.clock.move(seconds=59)
    house.bearer("imp_test")
    assert last() == first
    house.clock.move(seconds=2)
    house.bearer("imp_test")
    second = last()
    assert second is not None
    assert second != first
    house.clock.move(minutes=5)
    house.bearer("imp_tesu")
    assert last() == second


def test_an_earlier_use_never_overwrites_a_later_one(house: House) -> None:
    house.bearer("imp_test")
    with house.hub.writing(HUB) as work:
        row = work.session.get_one(TokenRow, 1)
        later = row.last_used_at
        assert later is not None
        sessions.note_uses(work, {1: later.replace(year=2020), 999: later})
    with house.hub.reading(HUB) as work:
        assert work.session.get_one(TokenRow, 1).last_used_at == later
