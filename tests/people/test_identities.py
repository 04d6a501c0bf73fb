"""Accounts are linked to whom an issuer knows them as by whoever holds as much as they do, and it is taken back."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from domain import founding
from domain.global_ids import encode
from domain.hub import Hub, open_hub
from domain.identity import oidc_entering, sessions
from domain.identity.oidc_entering import External
from domain.people import identities
from domain.permissions import P
from domain.refusals import NotSignedIn
from domain.work import HUB
from storage.settings import Settings
from storage.tables import CredentialRow, EventRow, ExternalIdentityRow, GuestLinkRow
from tests.asking import ISSUER, Client, rows_everywhere, statements, trusting
from tests.assets.acts import queries
from tests.people.folk import ACTOR, TOP, House, accepted, change, not_done, number
from tests.signing_in import issuer as issuers
from tests.signing_in.house import House as Door
from tests.signing_in.issuer import AUDIENCE, Issuer
from tests.working import mutate

FORBIDDEN = ("NOT_ALLOWED", None)
LINKED = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Actor { identities { issuer subject createdAt } } } }"


@pytest.fixture
def hub(hub: Hub) -> Hub:
    return trusting(hub)


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuers.running() as running:
        yield running


def pair(principal: str, subject: str = "robot", issuer: str = ISSUER) -> dict[str, Any]:
    return {"principal": principal, "issuer": issuer, "subject": subject}


def link(client: Client, principal: str, subject: str = "robot", issuer: str = ISSUER) -> None:
    accepted(mutate(client, "identityLink", ACTOR, **pair(principal, subject, issuer)))


def unlink(client: Client, principal: str, subject: str = "robot", issuer: str = ISSUER) -> None:
    accepted(mutate(client, "identityUnlink", ACTOR, **pair(principal, subject, issuer)))


def linked(client: Client, *principals: str) -> list[list[str]]:
    """Per principal the subjects that it is shown to be linked to."""
    found = client.ask(LINKED, ids=list(principals))["nodes"]
    return [[each["subject"] for each in node["identities"]] for node in found]


def enter(house: House, subject: str, **more: Any) -> sessions.NewSession:
    who = External(ISSUER, subject, **{"name": None, "email": None, **more})
    return oidc_entering.enter(house.hub, who, "refuse", None)


def test_a_signed_token_of_the_linked_subject_is_the_account_until_it_is_taken_back(
    stores: Settings, issuer: Issuer
) -> None:
    told = {"jwt_issuer": issuer.url, "jwt_audience": AUDIENCE, "stranger_rate": 0}
    hub = open_hub(Settings.model_validate({**stores.model_dump(), **told}))
    try:
        founding.found(hub)
        door = Door(hub, hub.clock)  # type: ignore[arg-type]  # nobody moves this clock
        house = House(hub, Client(hub, door.administrator()))
        robot = house.service(role="viewer")
        query = {"query": "{ me { name permissions } }"}

        def asked() -> tuple[int, Any]:
            with door.browser() as client:
                bearer = {"Authorization": f"Bearer {issuer.token(sub='shop-robot')}"}
                answer = client.post("/graphql", json=query, headers=bearer)
            return answer.status_code, answer.json().get("data")

        assert asked()[0] == 401
        link(house.admin, robot, "shop-robot", issuer.url)
        status, data = asked()
        assert (status, data["me"]["name"]) == (200, house.look(robot)["name"])
        assert "ASSET_VIEW" in data["me"]["permissions"]
        assert "PEOPLE_MANAGE" not in data["me"]["permissions"]
        unlink(house.admin, robot, "shop-robot", issuer.url)
        assert asked()[0] == 401
    finally:
        hub.close()


def test_a_person_signs_in_as_whom_they_were_linked_to_and_unlinking_ends_their_sessions(house: House) -> None:
    person = house.person()
    with pytest.raises(NotSignedIn):
        enter(house, "ada")
    link(house.admin, person, "ada")
    session = enter(house, "ada")
    assert sessions.viewer_of_session(house.hub, session.secret, None).principal_id == number(person)
    unlink(house.admin, person, "ada")
    with pytest.raises(NotSignedIn):
        sessions.viewer_of_session(house.hub, session.secret, None)
    with pytest.raises(NotSignedIn):
        enter(house, "ada")


def test_a_person_is_found_anew_by_an_address_that_the_provider_verified(house: House) -> None:
    person = house.person()
    address = house.admin.ask("query ($id: ID!) { node(id: $id) { ... on Person { email } } }", id=person)
    link(house.admin, person, "ada")
    unlink(house.admin, person, "ada")
    assert enter(house, "ada", email=address["node"]["email"]).principal_id == number(person)
    assert linked(house.admin, person) == [["ada"]]


def test_an_identity_is_somebody_elses_once_it_was_taken_back(house: House) -> None:
    one, other = house.service(), house.service()
    link(house.admin, one)
    told = not_done(house.admin, "identityLink", **pair(other))
    assert told == ("CONFLICT", ["subject"])
    unlink(house.admin, one)
    link(house.admin, other)
    assert linked(house.admin, one, other) == [[], ["robot"]]


def test_linking_again_changes_nothing(house: House) -> None:
    robot = house.service()
    link(house.admin, robot)
    before = rows_everywhere(house.hub)
    payload = accepted(mutate(house.admin, "identityLink", ACTOR, **pair(robot)))
    assert payload["principal"]["id"] == robot
    assert rows_everywhere(house.hub) == before


def test_whose_identity_it_is_is_not_said(house: House) -> None:
    """A stranger's and a neighbour's read the same, and what was never linked the same as what is another's."""
    north = house.org("North")
    manager, mine = house.manager(north), house.service(north)
    link(house.admin, house.person(role="admin"), "hidden")
    link(house.admin, house.service(north), "seen")
    client = house.as_(manager)
    selection = "principal { id }"
    answers = [mutate(client, "identityLink", selection, **pair(mine, each)) for each in ("hidden", "seen")]
    assert [error["code"] for error in answers[0]["errors"]] == ["CONFLICT"]
    assert answers[0] == answers[1]
    answers = [mutate(client, "identityUnlink", selection, **pair(mine, each)) for each in ("hidden", "nobody", "a\0")]
    assert [error["code"] for error in answers[0]["errors"]] == ["NOT_FOUND"]
    assert answers[0] == answers[1] == answers[2]


def test_nobody_links_somebody_who_holds_more(house: House) -> None:
    chief = house.manager(house.top)
    house.grant(chief, house.role("designer"))
    client = house.as_(chief)
    by_team = house.person()
    house.grant(house.team(house.top, by_team), house.role("brand manager"))
    above = [house.person(role="admin"), house.service(role="admin"), house.person(role="librarian"), by_team]
    for at, each in enumerate(above):
        assert not_done(client, "identityLink", **pair(each)) == FORBIDDEN
        link(house.admin, each, f"theirs{at}")
        assert not_done(client, "identityLink", **pair(each, f"theirs{at}")) == FORBIDDEN
        assert not_done(client, "identityUnlink", **pair(each, f"theirs{at}")) == FORBIDDEN
    for at, each in enumerate((house.service(role="designer"), house.person(role="viewer"), chief)):
        link(client, each, f"mine{at}")
        unlink(client, each, f"mine{at}")


def test_nobody_lets_in_for_good_by_what_they_hold_for_an_hour(house: House) -> None:
    soon = (house.hub.clock() + timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    brief, half = house.person(), house.manager(house.top)
    house.grant(brief, house.role("admin"), expiresAt=soon)
    house.grant(half, house.role("designer"), expiresAt=soon)
    robot, passing = house.service(role="designer"), house.service()
    house.grant(passing, house.role("designer"), expiresAt=soon)
    link(house.admin, robot, "other")
    for client in map(house.as_, (brief, half)):
        assert not_done(client, "identityLink", **pair(robot)) == FORBIDDEN
        assert not_done(client, "identityUnlink", **pair(robot, "other")) == FORBIDDEN
        link(client, passing)
        unlink(client, passing)


def test_a_token_that_is_limited_links_nobody_who_holds_more_than_it(house: House) -> None:
    boss = house.person(role="admin")
    client = house.as_(boss)
    held = client.viewer.holdings.limited_to(frozenset({P.PEOPLE_VIEW, P.PEOPLE_MANAGE, P.ASSET_VIEW}))
    client.viewer = dataclasses.replace(client.viewer, holdings=held, is_administrator=False)
    for above in (boss, house.service(role="designer")):
        assert not_done(client, "identityLink", **pair(above)) == FORBIDDEN
    link(client, house.service(role="viewer"))


def test_it_is_for_whoever_looks_after_people_there(house: House) -> None:
    north = house.org("North")
    inside, outside = house.service(north), house.service()
    watcher = house.person(north, "designer")
    for mutation in ("identityLink", "identityUnlink"):
        assert not_done(house.as_(watcher), mutation, **pair(inside)) == FORBIDDEN
        assert not_done(house.as_(house.manager(north)), mutation, **pair(outside)) == ("NOT_FOUND", ["principal"])
        for nobody in (encode("ServiceAccount", 999), encode("Team", 1), encode("Person", number(inside)), "", "\0"):
            assert not_done(house.admin, mutation, **pair(nobody)) == ("NOT_FOUND", ["principal"])
    link(house.as_(house.manager(north)), inside)


def test_whoever_lost_their_rights_meanwhile_links_nobody(house: House) -> None:
    manager, robot = house.manager(), house.service()
    client = house.as_(manager)
    accepted(change(house.admin, house, "principalDisable", "principal", manager))
    assert not_done(client, "identityLink", **pair(robot)) == ("NOT_FOUND", ["principal"])


def test_a_guest_is_nobody_to_link(house: House) -> None:
    expires = (house.hub.clock() + timedelta(days=2)).isoformat().replace("+00:00", "Z")
    wish = {"name": "Shoot", "organisation": house.top, "expiresAt": expires}
    accepted(mutate(house.admin, "uploadLinkCreate", "guestLink { id }", **wish))
    with house.hub.database.reading() as session:
        guest = encode("ServiceAccount", session.scalars(sa.select(GuestLinkRow.principal_id)).one())
    for mutation in ("identityLink", "identityUnlink"):
        assert not_done(house.admin, mutation, **pair(guest)) == ("NOT_FOUND", ["principal"])


def test_somebody_shut_out_is_linked_to_nobody_and_can_be_unlinked(house: House) -> None:
    robot = house.service()
    link(house.admin, robot)
    accepted(change(house.admin, house, "principalDisable", "principal", robot))
    for subject in ("robot", "other"):
        assert not_done(house.admin, "identityLink", **pair(robot, subject)) == ("CONFLICT", ["principal"])
    unlink(house.admin, robot)
    assert linked(house.admin, robot) == [[]]


def test_only_issuers_that_the_hub_trusts_are_taken(house: House) -> None:
    robot = house.service()
    for wrong in ("", "https://evil.example", ISSUER + "/", ISSUER.upper(), ISSUER + "\0", f" {ISSUER}"):
        assert not_done(house.admin, "identityLink", **pair(robot, issuer=wrong)) == ("INVALID", ["issuer"])
    told = {"jwt_issuer": "", "oidc_issuer": "https://people.example", "oidc_client_id": "x"}
    settings = house.hub.settings.model_copy(update=told)
    other = Client(dataclasses.replace(house.hub, settings=settings), house.admin.viewer)
    assert not_done(other, "identityLink", **pair(robot)) == ("INVALID", ["issuer"])
    link(other, robot, issuer="https://people.example")
    unlink(house.admin, robot, issuer="https://people.example")  # though it is trusted no longer


def test_a_subject_is_kept_letter_by_letter(house: House) -> None:
    robot = house.service()
    for wrong in ("", "x" * 256, "a\nb", "a\0", "a\u202eb", "\ud800"):
        assert not_done(house.admin, "identityLink", **pair(robot, wrong)) == ("INVALID", ["subject"])
    subjects = ["x" * 255, "Robot", "robot", " robot", "\u00e4", "a\u0308", "repo:x/y:ref:refs/heads/main"]
    for subject in subjects:
        link(house.admin, robot, subject)
    assert linked(house.admin, robot) == [subjects]


def test_nobody_has_more_than_twenty(house: House) -> None:
    robot = house.service()
    for at in range(identities.MAX_LINKED):
        link(house.admin, robot, f"robot{at}")
    assert not_done(house.admin, "identityLink", **pair(robot, "more")) == ("CONFLICT", ["principal"])
    link(house.admin, robot, "robot0")
    unlink(house.admin, robot, "robot0")
    link(house.admin, robot, "more")
    assert [len(each) for each in linked(house.admin, robot)] == [20]


def test_the_last_administrator_keeps_their_way_in(house: House) -> None:
    """One who was invited and has only ever come in by the identity."""
    boss = house.person(role="admin")
    link(house.admin, boss, "boss")
    me = house.admin.ask("{ me { person { id } } }")["me"]["person"]["id"]
    accepted(change(house.as_(boss), house, "principalDisable", "principal", me))
    client = house.as_(boss)
    assert not_done(client, "identityUnlink", **pair(boss, "boss")) == ("CONFLICT", ["principal"])
    with house.hub.writing(HUB) as work:
        work.session.add(CredentialRow(principal_id=number(boss), hash="x", changed_at=work.now))
    unlink(client, boss, "boss")


def test_what_happened_is_told_without_who_they_are_elsewhere(house: House) -> None:
    north = house.org("North")
    robot = house.service(north)
    link(house.admin, robot, "annabel@example.org")
    unlink(house.admin, robot, "annabel@example.org")
    types = ("identity.linked", "identity.unlinked")
    assert house.events(*types) == [(each, "Principal", number(robot), number(north), {}) for each in types]
    with house.hub.database.reading() as session:
        rows = list(session.scalars(sa.select(EventRow).where(EventRow.type.startswith("identity."))))
        assert {row.actor_id for row in rows} == {house.admin.viewer.principal_id}
        assert list(session.scalars(sa.select(ExternalIdentityRow))) == []
    assert TOP not in {row.org_id for row in rows}


def test_a_persons_identities_are_personal_and_an_accounts_are_not(house: House) -> None:
    north = house.org("North")
    one, two, robot = house.person(north), house.person(), house.service()
    for each, subject in ((one, "one"), (two, "two"), (robot, "robot")):
        link(house.admin, each, subject)
    watcher = house.person()
    house.grant(watcher, house.new_role(P.PEOPLE_VIEW))
    house.grant(watcher, house.new_role(P.FIELD_PERSONAL), north)
    link(house.admin, watcher, "watcher")
    answer = house.as_(watcher).answer(LINKED, ids=[one, two, robot, watcher])
    assert "errors" not in answer
    subjects = [[each["subject"] for each in node["identities"]] for node in answer["data"]["nodes"]]
    assert subjects == [["one"], [], ["robot"], ["watcher"]]
    assert answer["extensions"]["denied"] == [{"path": ["nodes", 1, "identities"], "permission": "field.personal"}]
    (mine,) = house.admin.ask(LINKED, ids=[robot])["nodes"][0]["identities"]
    assert (mine["issuer"], mine["subject"]) == (ISSUER, "robot")
    assert mine["createdAt"] is not None


def test_identities_take_as_many_statements_for_ten_as_for_two(house: House) -> None:
    everybody = [house.person() if at % 2 else house.service() for at in range(10)]
    for at, each in enumerate(everybody):
        link(house.admin, each, f"subject{at}")
    watcher = house.person()
    house.grant(watcher, house.new_role(P.PEOPLE_VIEW))
    house.grant(watcher, house.new_role(P.FIELD_PERSONAL), house.org())
    client = house.as_(watcher)
    counts = {}
    for many in (2, 10):
        with statements(house.hub) as sent:
            linked(client, *everybody[:many])
        counts[many] = len(queries(sent))
    assert len(set(counts.values())) == 1, counts
