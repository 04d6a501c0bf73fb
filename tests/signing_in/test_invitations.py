"""Invitations: one way in for one person, once, and never to more than whoever invited them holds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from domain.identity import invitations, passwords
from domain.refusals import Conflict, Invalid, NotAllowed, NotFound
from domain.work import HUB, Viewer
from storage.tables import InvitationRow, PrincipalRow, RoleRow
from tests.asking import rows_everywhere
from tests.conftest import STORES
from tests.servers.oidc_provider import PUBLIC, Provider
from tests.signing_in.conftest import BuildHouse
from tests.signing_in.house import PASSWORD, House
from tests.signing_in.signing import came_back

OURS = {"Origin": "http://hub.test"}
ON_EMBEDDED = pytest.mark.parametrize("stores", STORES[:1], indirect=True)
ON_A_SERVER = pytest.mark.parametrize("stores", STORES[1:], indirect=True)


def invited(house: House, principal_id: int, days: int = 7, by: Viewer | None = None) -> str:
    with house.hub.writing(by or house.administrator()) as work:
        return invitations.invite(work, work.session.get_one(PrincipalRow, principal_id), days)


def accepted(browser: httpx.Client, secret: str, password: str = PASSWORD, **more: Any) -> httpx.Response:
    form = {"password": password, "again": password, **more}
    return browser.post(f"/auth/invite/{secret}", data=form, headers=OURS)


def status_of(house: House, secret: str) -> int:
    with house.browser() as browser:
        return browser.get(f"/auth/invite/{secret}").status_code


@ON_EMBEDDED
def test_an_invited_person_chooses_a_password_and_is_in(house: House) -> None:
    ada = house.person("Ada <b>")
    secret = invited(house, ada)
    with house.browser() as browser:
        page = browser.get(f"/auth/invite/{secret}")
        assert page.status_code == 200
        assert "Ada &lt;b&gt;" in page.text
        answer = accepted(browser, secret)
        assert (answer.status_code, answer.headers["location"]) == (303, "/graphql")
        assert house.ask(browser).status_code == 200
    with house.browser() as browser:
        told = {"email": "ada <b>@example.org", "password": PASSWORD}
        assert browser.post("/auth/password", json=told).status_code == 204


def test_the_secret_is_long_and_kept_as_a_digest_only(house: House) -> None:
    secret = invited(house, house.person())
    assert len(secret) >= 43
    assert secret not in str(rows_everywhere(house.hub))


@ON_EMBEDDED
def test_looking_at_an_invitation_changes_nothing(house: House) -> None:
    secret = invited(house, house.person())
    before = rows_everywhere(house.hub)
    assert [status_of(house, secret) for _ in range(3)] == [200] * 3
    assert rows_everywhere(house.hub) == before


@ON_EMBEDDED
def test_an_invitation_works_once(house: House) -> None:
    secret = invited(house, house.person())
    with house.browser() as browser, house.browser() as other:
        assert accepted(browser, secret).status_code == 303
        before = rows_everywhere(house.hub)
        assert accepted(other, secret, "another password entirely").status_code == 404
        assert house.ask(other).status_code == 401
    assert status_of(house, secret) == 404
    assert rows_everywhere(house.hub) == before


def test_of_many_who_accept_at_once_one_comes_in(house: House) -> None:
    secret = invited(house, house.person())

    def accept(number: int) -> bool:
        try:
            invitations.accept(house.hub, secret, f"password number {number}", None)
        except NotFound:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(accept, range(6))) == 1
    assert len(house.sessions()) == 1


@ON_EMBEDDED
def test_used_expired_taken_back_replaced_void_and_unknown_read_the_same(house: House) -> None:
    boss = house.administrator()
    people = [house.person(name) for name in ("Ada", "Bob", "Eve", "Flo", "Gus")]
    used, taken, replaced, void, shut = (invited(house, id_) for id_ in people)
    with house.browser() as browser:
        accepted(browser, used)
    with house.hub.writing(boss) as work:
        invitations.revoke(work, work.session.get_one(PrincipalRow, people[1]))
    newer = invited(house, people[2])
    house.change(people[4], disabled_at=house.clock())
    expired = invited(house, house.person("Hal"), days=1)
    later = invited(house, house.person("Ida"), days=2)
    house.clock.move(days=1, seconds=1)
    said = set()
    for secret in (used, taken, replaced, shut, expired, "unknown", "x" * 5000):
        with house.browser() as browser:
            page, answer = browser.get(f"/auth/invite/{secret}"), accepted(browser, secret)
            said |= {(page.status_code, page.text), (answer.status_code, answer.text)}
    assert [status for status, _ in said] == [404]
    assert [status_of(house, secret) for secret in (newer, void, later)] == [200] * 3
    assert len(house.sessions()) == 1


@ON_EMBEDDED
def test_a_password_that_is_refused_leaves_the_invitation_standing(house: House) -> None:
    secret = invited(house, house.person())
    before = rows_everywhere(house.hub)
    with house.browser() as browser:
        for password, again in (
            ("too short", "too short"),
            (PASSWORD, "something else entirely"),
            ("a" * 30, "a" * 30),
        ):
            answer = accepted(browser, secret, password, again=again)
            assert answer.status_code == 400
            assert 'role="alert"></p>' not in answer.text
        assert rows_everywhere(house.hub) == before
        assert accepted(browser, secret).status_code == 303


@ON_EMBEDDED
def test_another_sites_page_accepts_nothing(house: House) -> None:
    secret = invited(house, house.person())
    form = {"password": PASSWORD, "again": PASSWORD}
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        with house.browser() as browser:
            assert browser.post(f"/auth/invite/{secret}", data=form, headers=headers).status_code == 403
    assert status_of(house, secret) == 200


@ON_EMBEDDED
def test_a_new_password_ends_the_sessions_of_the_old_one(house: House) -> None:
    ada = house.person("Ada", password="the old password")
    with house.browser() as old, house.browser() as new:
        old.post("/auth/password", json={"email": "ada@example.org", "password": "the old password"})
        assert house.ask(old).status_code == 200
        assert accepted(new, invited(house, ada)).status_code == 303
        assert house.ask(old).status_code == 401
        assert house.ask(new).status_code == 200


def test_only_who_looks_after_people_there_invites(house: House) -> None:
    ada, bob = house.person("Ada"), house.person("Bob", role="librarian")
    before = rows_everywhere(house.hub)
    with pytest.raises(NotAllowed):
        invited(house, ada, by=house.viewer(bob))
    assert rows_everywhere(house.hub) == before


@pytest.mark.parametrize("days", [0, -1, 31])
def test_an_invitation_stands_a_day_to_a_month(house: House, days: int) -> None:
    with pytest.raises(Invalid):
        invited(house, house.person(), days)


def test_programs_guests_and_who_is_shut_out_are_not_invited(house: House) -> None:
    robot = house.person("Robot", kind="SERVICE", email=None)
    gone = house.person("Gone")
    house.change(gone, disabled_at=house.clock())
    for id_ in (robot, gone):
        with pytest.raises(Conflict):
            invited(house, id_)


def keeper(house: House) -> Viewer:
    """Somebody who looks after people and may do nothing else."""
    with house.hub.writing(HUB) as work:
        work.session.add(RoleRow(name="keeper", permissions=["people.manage", "asset.view"], created_at=work.now))
    return house.viewer(house.person("Keeper", role="keeper"))


def test_nobody_becomes_more_than_they_are_by_inviting_somebody_mightier(house: House) -> None:
    chief = house.person("Chief", role="admin")
    with pytest.raises(Conflict):
        invited(house, chief, by=keeper(house))


@ON_EMBEDDED
def test_an_invitation_is_void_once_its_person_holds_more_than_whoever_made_it(house: House) -> None:
    ada = house.person("Ada")
    by_keeper = invited(house, ada, by=keeper(house))
    assert status_of(house, by_keeper) == 200
    house.grant(ada, "admin")
    assert status_of(house, by_keeper) == 404
    with house.browser() as browser:
        assert accepted(browser, by_keeper).status_code == 404
    assert status_of(house, invited(house, ada)) == 200


def test_an_invitation_falls_with_whoever_made_it(house: House) -> None:
    ada, boss = house.person("Ada"), keeper(house)
    secret = invited(house, ada, by=boss)
    assert boss.principal_id is not None
    house.change(boss.principal_id, disabled_at=house.clock())
    assert status_of(house, secret) == 404


def test_the_path_of_an_invitation_is_not_written_down(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    secret = invited(house, house.person())
    status_of(house, secret)
    said = capsys.readouterr().out
    assert "/auth/invite/" in said
    assert secret not in said


def test_trying_secrets_out_ends_soon(build: BuildHouse) -> None:
    house = build(stranger_rate=3)
    with house.browser() as browser:
        codes = [browser.get(f"/auth/invite/{number}").status_code for number in range(9)]
    assert codes[0] == 404
    assert codes[-1] == 429


def test_with_a_provider_an_invitation_leads_there_and_links_whoever_comes_back(
    build: BuildHouse, provider: Provider
) -> None:
    house = build(oidc_issuer=provider.issuer, oidc_client_id=PUBLIC)
    eve = house.person("Evelyn", email="evelyn@elsewhere.example")
    secret = invited(house, eve)
    with house.browser() as browser:
        page = browser.get(f"/auth/invite/{secret}")
        assert f'href="/auth/login?invite={secret}"' in page.text
        assert accepted(browser, secret).status_code == 403  # no passwords here
        cross = {"Sec-Fetch-Site": "cross-site"}
        assert browser.get(f"/auth/login?invite={secret}", headers=cross).status_code == 403
        assert came_back(browser, provider, "eve", f"/auth/login?invite={secret}").status_code == 303
        assert house.ask(browser).status_code == 200
    with house.browser() as browser:
        assert came_back(browser, provider, "eve").status_code == 303  # without an invitation from now on
        assert came_back(browser, provider, "ada", f"/auth/login?invite={secret}").status_code == 404
    assert {row.principal_id for row in house.sessions()} == {eve}


def test_whoever_is_somebody_here_already_does_not_become_another_by_invitation(
    build: BuildHouse, provider: Provider
) -> None:
    house = build(oidc_issuer=provider.issuer, oidc_client_id=PUBLIC)
    house.person("Ada")
    secret = invited(house, house.person("Other"))
    with house.browser() as browser:
        came_back(browser, provider, "ada")
        before = rows_everywhere(house.hub)["invitation"]
        assert came_back(browser, provider, "ada", f"/auth/login?invite={secret}").status_code == 403
        assert rows_everywhere(house.hub)["invitation"] == before
    assert status_of(house, secret) == 200


def test_entering_by_email_uses_the_invitation_up(build: BuildHouse, provider: Provider) -> None:
    house = build(oidc_issuer=provider.issuer, oidc_client_id=PUBLIC)
    secret = invited(house, house.person("Ada"))
    with house.browser() as browser:
        came_back(browser, provider, "ada")
    assert status_of(house, secret) == 404
    with house.hub.reading(HUB) as work:
        (row,) = work.session.scalars(sa.select(InvitationRow))
        assert row.revoked_at is not None


def test_a_password_is_never_in_an_event_or_an_invitation(house: House) -> None:
    secret = invited(house, house.person())
    with house.browser() as browser:
        accepted(browser, secret)
    assert PASSWORD not in str(rows_everywhere(house.hub))
    assert passwords.HASHING.is_right(None, PASSWORD) is False


@ON_A_SERVER
def test_with_a_database_server_there_are_no_passwords(house: House) -> None:
    secret = invited(house, house.person("Ada", password=PASSWORD))
    before = rows_everywhere(house.hub)
    with house.browser() as browser:
        told = {"email": "ada@example.org", "password": PASSWORD}
        refused = [
            browser.post("/auth/password", json=told),
            browser.get("/auth/login"),
            browser.get(f"/auth/invite/{secret}"),
            accepted(browser, secret),
        ]
    assert [answer.status_code for answer in refused] == [403] * 4
    assert rows_everywhere(house.hub) == before
