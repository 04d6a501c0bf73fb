"""People and service accounts: invited, made, renamed, shut out, let in again, and nobody told of who may not know."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
import sqlalchemy as sa

from domain import identity
from domain.global_ids import encode
from domain.identity import invitations
from domain.people import addresses
from domain.permissions import P
from domain.refusals import Invalid, NotSignedIn
from domain.work import HUB
from storage.tables import EventRow, InvitationRow, PrincipalRow, TokenRow
from tests.asking import Client, rows_everywhere
from tests.people.folk import PERSON, TOP, House, accepted, change, not_done, number
from tests.working import at_once, mutate


def invite(client: Client, house: House, email: str, **more: object) -> dict[str, object]:
    wish = {"email": email, "name": "Ann", "organisation": house.top, **more}
    return mutate(client, "personInvite", PERSON, **wish)


def test_an_invited_person_comes_in_by_the_address_that_was_told_once(house: House) -> None:
    north = house.org("North")
    wish = {"organisation": north, "role": house.role("designer"), "idempotencyKey": "once"}
    payload = accepted(invite(house.admin, house, " Ann@Example.COM ", **wish))
    person = payload["person"]
    assert (person["name"], person["email"], person["state"]) == ("Ann", "ann@example.com", "INVITED")
    address = str(payload["inviteUrl"])
    assert address.startswith("http://hub.test/auth/invite/")
    again = accepted(invite(house.admin, house, " Ann@Example.COM ", **wish))
    assert (again["person"], again["inviteUrl"]) == (person, None)
    secret = address.rpartition("/")[2]
    assert secret not in str(rows_everywhere(house.hub))
    session = invitations.accept(house.hub, secret, "a long enough password", None)
    assert session.principal_id == number(person["id"])
    assert house.look(person["id"])["state"] == "ACTIVE"
    assert house.viewer(person["id"]).holdings.in_org(P.ASSET_CREATE, number(north))
    with house.hub.database.reading() as db:
        assert db.get_one(PrincipalRow, session.principal_id).org_id == number(north)


def test_a_person_who_lost_the_address_gets_another_and_the_first_is_void(house: House) -> None:
    first = accepted(invite(house.admin, house, "ann@example.com"))
    second = accepted(mutate(house.admin, "personInviteAgain", PERSON, person=first["person"]["id"], days=1))
    assert second["person"]["id"] == first["person"]["id"]
    with house.hub.database.reading() as session:
        rows = session.scalars(sa.select(InvitationRow).order_by(InvitationRow.id)).all()
    assert [row.revoked_at is None for row in rows] == [False, True]
    assert (rows[1].expires_at - rows[1].created_at) // timedelta(hours=1) == 24
    for wrong in (house.service(), encode("Person", 999), encode("Person", number(house.service())), "x"):
        assert not_done(house.admin, "personInviteAgain", person=wrong) == ("NOT_FOUND", ["person"])


ODD = [
    "",
    "ann",
    "ann@",
    "@example.com",
    "ann@example",
    "ann@@example.com",
    "ann@exa mple.com",
    "a nn@example.com",
    "ann@example.com\u0000",
    "an\u0000n@example.com",
    "ann@example.com, bob@example.com",
    "Ann <ann@example.com>",
    "ann@example..com",
    ".ann@example.com",
    "ann.@example.com",
    "ann@-example.com",
    "ann@example.com\nBcc: all@example.com",
    "a" * 65 + "@example.com",
    "ann@" + "x" * 250 + ".com",
    "\u202eann@example.com",
]


@pytest.mark.parametrize("email", ODD)
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(Invalid) as told:
        addresses.folded(email)
    assert told.value.path == ("email",)


@pytest.mark.parametrize(
    ("email", "kept"),
    [
        ("ann@example.com", "ann@example.com"),
        ("ANN+x@Sub.Example.COM", "ann+x@sub.example.com"),
        (" ann@example.com\n", "ann@example.com"),
        ("ａｎｎ@example.com", "ann@example.com"),
        ("ÅNN@EXAMPLE.COM", "ånn@example.com"),
        ("A\u030ann@example.com", "ånn@example.com"),
        ("STRASSE@straße.example", "strasse@strasse.example"),
        ("İ@example.com", "i\u0307@example.com"),
    ],
)
def test_an_address_is_kept_in_one_form(email: str, kept: str) -> None:
    assert addresses.folded(email) == kept
    assert addresses.folded(kept) == kept


def test_one_address_is_one_person_however_it_is_written(house: House) -> None:
    accepted(invite(house.admin, house, "ann@example.com"))
    elsewhere = house.org()
    for email in ("ann@example.com", "ANN@example.com", " ann@EXAMPLE.com ", "ａnn@example.com"):
        wish = {"email": email, "name": "Bob", "organisation": elsewhere}
        assert not_done(house.admin, "personInvite", **wish) == ("CONFLICT", ["email"])


def test_of_several_who_invite_one_address_at_once_one_does(house: House) -> None:
    house.org()
    for round_ in range(3):
        email = f"ann{round_}@example.com"
        answers = at_once([lambda email=email: invite(house.admin, house, email) for _ in range(4)])  # type: ignore[misc]
        assert sorted(len(answer["errors"]) for answer in answers) == [0, 1, 1, 1]  # type: ignore[arg-type]
        told = [(error["code"], error["path"]) for answer in answers for error in answer["errors"]]  # type: ignore[attr-defined]
        assert told == [("CONFLICT", ["email"])] * 3
    with house.hub.database.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).where(PrincipalRow.email.is_not(None))) == 3


@pytest.mark.parametrize("name", ["", "\u0000", " \u202e\t", "x" * 201])
def test_a_name_that_is_none_is_refused(house: House, name: str) -> None:
    wish = {"name": name, "organisation": house.top}
    assert not_done(house.admin, "personInvite", email="ann@example.com", **wish) == ("INVALID", ["name"])
    assert not_done(house.admin, "serviceAccountCreate", **wish) == ("INVALID", ["name"])
    person = house.person()
    told = not_done(house.admin, "principalUpdate", principal=person, expectedRevision=1, name=name)
    assert told == ("INVALID", ["name"])


@pytest.mark.parametrize("days", [0, -1, 31, 2**31 - 1])
def test_an_invitation_stands_up_to_thirty_days(house: House, days: int) -> None:
    wish = {"email": "ann@example.com", "name": "Ann", "organisation": house.top, "days": days}
    assert not_done(house.admin, "personInvite", **wish) == ("INVALID", ["days"])


def test_a_name_is_cleaned_and_changed(house: House) -> None:
    person = house.person(name="  Zoë\u0000 \u202e O’Neil ")
    assert house.look(person)["name"] == "Zoë O’Neil"
    done = accepted(change(house.admin, house, "principalUpdate", "principal", person, name="Zoe"))
    assert done["principal"] == {"id": person, "name": "Zoe", "revision": 2, "state": "INVITED"}
    told = not_done(house.admin, "principalUpdate", principal=person, expectedRevision=1, name="Other")
    assert told == ("STALE_REVISION", ["expectedRevision"])


def test_whoever_is_shut_out_is_out_at_once(house: House) -> None:
    account = house.service(role="viewer")
    with house.hub.writing(house.admin.viewer) as work:
        secret = identity.create_token(work, "api", principal_id=number(account)).secret
    assert identity.viewer_of_token(house.hub, secret).principal_id == number(account)
    done = accepted(change(house.admin, house, "principalDisable", "principal", account))
    assert done["principal"]["state"] == "DISABLED"
    with pytest.raises(NotSignedIn):
        identity.viewer_of_token(house.hub, secret)
    assert house.viewer(account).holdings.reaches == {}
    done = accepted(change(house.admin, house, "principalEnable", "principal", account))
    assert done["principal"]["state"] == "ACTIVE"
    with pytest.raises(NotSignedIn):  # a token that was ended stays ended
        identity.viewer_of_token(house.hub, secret)
    assert house.viewer(account).holdings.anywhere(P.ASSET_VIEW)
    events = house.events("principal.disabled", "principal.enabled", "token.revoked")
    assert [event[0] for event in events] == ["token.revoked", "principal.disabled", "principal.enabled"]


def test_sessions_and_invitations_end_with_their_person(house: House) -> None:
    payload = accepted(invite(house.admin, house, "ann@example.com"))
    secret, person = str(payload["inviteUrl"]).rpartition("/")[2], payload["person"]["id"]
    session = invitations.accept(house.hub, secret, "a long enough password", None)
    accepted(mutate(house.admin, "personInviteAgain", PERSON, person=person))
    accepted(change(house.admin, house, "principalDisable", "principal", person))
    with house.hub.database.reading() as db:
        assert db.get_one(TokenRow, session.id).revoked_at is not None
        open_ = sa.select(InvitationRow.id).where(
            InvitationRow.revoked_at.is_(None), InvitationRow.accepted_at.is_(None)
        )
        assert db.scalars(open_).all() == []
    told = not_done(house.admin, "personInviteAgain", person=person)
    assert told[0] == "CONFLICT"


def test_shutting_out_twice_and_letting_in_twice_are_conflicts(house: House) -> None:
    person = house.person()
    wish = {"principal": person, "expectedRevision": 1}
    assert not_done(house.admin, "principalEnable", **wish) == ("CONFLICT", ["principal"])
    accepted(change(house.admin, house, "principalDisable", "principal", person))
    wish["expectedRevision"] = house.revision(person)
    assert not_done(house.admin, "principalDisable", **wish) == ("CONFLICT", ["principal"])


def test_people_are_looked_after_where_they_are_and_unknown_elsewhere(house: House) -> None:
    north, south = house.org("North"), house.org("South")
    manager, viewer = house.manager(north), house.person(north, "designer")
    inside, outside, above = house.person(house.org("Below", north)), house.person(south), house.person()
    wish = {"expectedRevision": 1, "name": "Other"}
    accepted(mutate(house.as_(manager), "principalUpdate", "principal { id }", principal=inside, **wish))
    for hidden in (outside, above):
        for mutation in ("principalUpdate", "principalDisable", "principalEnable"):
            more = wish if mutation == "principalUpdate" else {"expectedRevision": 1}
            told = not_done(house.as_(manager), mutation, principal=hidden, **more)
            assert told == ("NOT_FOUND", ["principal"])
        assert house.as_(manager).ask("query ($id: ID!) { node(id: $id) { id } }", id=hidden)["node"] is None
    told = not_done(house.as_(viewer), "principalDisable", principal=inside, expectedRevision=2)
    assert told == ("NOT_ALLOWED", None)
    for org, expected in ((south, ("NOT_FOUND", ["organisation"])), (house.top, ("NOT_ALLOWED", None))):
        new = {"name": "x", "organisation": org}
        assert not_done(house.as_(manager), "personInvite", email="x@example.com", **new) == expected
        assert not_done(house.as_(manager), "serviceAccountCreate", **new) == expected


def test_an_id_says_truly_what_somebody_is(house: House) -> None:
    person, service = house.person(), house.service()
    query = "query ($id: ID!) { node(id: $id) { __typename } }"
    assert house.admin.ask(query, id=person)["node"] == {"__typename": "Person"}
    assert house.admin.ask(query, id=service)["node"] == {"__typename": "ServiceAccount"}
    crossed = [encode("Person", number(service)), encode("ServiceAccount", number(person)), encode("Actor", 1)]
    for wrong in [*crossed, encode("Person", 2**63 - 1), "", "\u0000", person + "A"]:
        assert house.admin.ask(query, id=wrong)["node"] is None
        told = not_done(house.admin, "principalDisable", principal=wrong, expectedRevision=1)
        assert told == ("NOT_FOUND", ["principal"])


def test_a_guest_is_nobody_that_one_can_look_up_or_change(house: House) -> None:
    expires = (house.hub.clock() + timedelta(days=2)).isoformat().replace("+00:00", "Z")
    wish = {"name": "Shoot", "organisation": house.top, "expiresAt": expires}
    accepted(mutate(house.admin, "uploadLinkCreate", "guestLink { id }", **wish))
    with house.hub.database.reading() as session:
        guest = session.scalars(sa.select(PrincipalRow).order_by(PrincipalRow.id.desc()).limit(1)).one()
    id_ = encode("ServiceAccount", guest.id)
    assert house.admin.ask("query ($id: ID!) { node(id: $id) { id } }", id=id_)["node"] is None
    told = not_done(house.admin, "principalUpdate", principal=id_, expectedRevision=1, name="x")
    assert told == ("NOT_FOUND", ["principal"])
    listed = house.admin.ask("{ people { totalCount nodes { id } } }")["people"]
    assert (listed["totalCount"], id_ in {each["id"] for each in listed["nodes"]}) == (1, False)
    as_guest = house.as_(id_)
    found = as_guest.ask("{ me { organisation { id } person { id } } organisations { totalCount } roles { id } }")
    assert found == {
        "me": {"organisation": None, "person": None},
        "organisations": {"totalCount": 0},
        "roles": [],
    }
    assert as_guest.ask("{ people { totalCount } }") == {"people": {"totalCount": 0}}


def test_no_event_holds_a_name_or_an_address(house: House) -> None:
    person = house.person(role="designer", name="Annabel Secret")
    team = house.team(house.top, person)
    accepted(change(house.admin, house, "principalUpdate", "principal", person, name="Annabella Secret"))
    accepted(change(house.admin, house, "teamArchive", "team", team))
    accepted(change(house.admin, house, "principalDisable", "principal", person))
    with house.hub.database.reading() as session:
        rows = session.scalars(sa.select(EventRow)).all()
    text = " ".join(str(row.payload) for row in rows)
    assert not any(word in text for word in ("Secret", "Annabel", "@", "example.com"))
    kinds = {row.type for row in rows if row.subject_type == "Principal" and row.subject_id == number(person)}
    done = {"principal.created", "principal.updated", "principal.disabled"}
    assert kinds == done | {"person.invited", "invitation.revoked"}


def test_every_change_stands_in_the_chain_of_where_it_was(house: House) -> None:
    north = house.org("North")
    person = house.person(north, "designer")
    house.team(north, person)
    accepted(change(house.admin, house, "principalDisable", "principal", person))
    types = ("principal.created", "grant.created", "team.created", "team.members_changed", "principal.disabled")
    assert {org for _, _, _, org, _ in house.events(*types)} == {number(north)}
    assert {org for _, _, _, org, _ in house.events("organisation.created")} == {TOP}


def test_an_expired_grant_gives_nothing(house: House) -> None:
    person = house.person()
    soon = house.hub.clock() + timedelta(hours=1)
    house.grant(person, house.role("designer"), expiresAt=soon.isoformat().replace("+00:00", "Z"))
    assert house.viewer(person).holdings.anywhere(P.ASSET_CREATE)
    later = dataclasses.replace(house.hub, clock=lambda: soon)
    with later.reading(HUB) as work:
        assert not identity.viewer_of_principal(work, number(person)).holdings.anywhere(P.ASSET_CREATE)
