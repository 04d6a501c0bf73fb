"""Asking the audit over GraphQL: who finds which events, and what a verification answers."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from domain import audit, history, pages
from domain.global_ids import decode, encode
from domain.hub import Hub
from domain.refusals import Invalid, NotAllowed
from domain.work import BRAND_ORG_ID, HUB, Viewer
from schema.audit import MAX_REASON, reason_of
from storage.tables import GrantRow, RoleRow
from tests import acting
from tests.asking import Client, statements
from tests.assets.acts import accepted, change, created, picture
from tests.audit.chains import change as tamper
from tests.audit.chains import link, rows, write
from tests.working import reads

BRAND = encode("Organisation", BRAND_ORG_ID)
EVENTS = """query ($where: AuditEventWhere, $first: Int, $after: String) {
  auditEvents(where: $where, first: $first, after: $after) {
    nodes { seq type subjectId subject { __typename id } actorId actor { __typename id } onBehalfOfId onBehalfOf { id }
      reason requestId origin occurredAt payload hash organisationId }
    pageInfo { hasNextPage endCursor } totalCount } }"""
VERIFY = """query ($organisation: ID, $from: BigInt, $to: BigInt) {
  auditVerify(organisation: $organisation, from: $from, to: $to) {
    organisationId from to end checked waiting isWhole firstBreak { seq fault message } } }"""


def events(client: Client, **where: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.ask(EVENTS, where=where, first=100)["auditEvents"]["nodes"]
    return found


def types(client: Client, **where: Any) -> list[str]:
    return [each["type"] for each in events(client, **where)]


def auditor(hub: Hub, org_id: int, *permissions: str) -> Viewer:
    """Somebody who holds AUDIT_VIEW there, and nothing but what else is named."""
    with hub.writing(HUB) as work:
        name = f"auditor of {org_id} {' '.join(permissions)}"
        work.session.add(RoleRow(name=name, permissions=["audit.view", *permissions], created_at=work.now))
    return acting.member(hub, name, org_id=org_id)


def refused(answer: dict[str, Any]) -> tuple[str, str | None]:
    (error,) = answer["errors"]
    return error["extensions"]["code"], error["extensions"].get("argument")


def test_an_event_says_what_happened_to_what_by_whom(hub: Hub, admin: Viewer, client: Client) -> None:
    asset = created(client, picture(1))
    accepted(change(client, "assetArchive", asset))
    link(hub)
    found = events(client, subject=asset["id"])
    assert [each["type"] for each in found] == ["asset.archived", "asset.created"]
    archived = found[0]
    assert archived["subject"] == {"__typename": "Asset", "id": asset["id"]}
    assert archived["subjectId"] == asset["id"]
    assert archived["actor"] == {"__typename": "Person", "id": encode("Person", admin.principal_id or 0)}
    assert archived["actorId"] == archived["actor"]["id"]
    assert (archived["onBehalfOf"], archived["onBehalfOfId"], archived["origin"]) == (None, None, None)
    assert (archived["requestId"], archived["organisationId"]) == ("test", BRAND)
    row = rows(hub, BRAND_ORG_ID)[int(archived["seq"]) - 1]
    assert (archived["payload"], archived["hash"]) == (row["payload"], row["hash"])


def test_an_event_without_a_place_in_the_chain_has_none_yet(client: Client) -> None:
    created(client, picture(1))
    assert {(each["seq"], each["hash"]) for each in events(client, typeStartsWith="asset.")} == {(None, None)}


def test_events_are_found_by_what_whom_which_and_when(hub: Hub, admin: Viewer, client: Client) -> None:
    one, two = created(client, picture(1)), created(client, picture(2))
    accepted(change(client, "assetArchive", one))
    somebody = acting.member(hub, "admin")
    accepted(change(Client(hub, somebody), "assetArchive", two))
    assert types(client, subject=two["id"]) == ["asset.archived", "asset.created"]
    theirs = encode("Person", somebody.principal_id or 0)
    assert types(client, actor=theirs) == ["asset.archived"]
    assert types(client, typeStartsWith="asset.arch") == ["asset.archived"] * 2
    assert types(client, typeStartsWith="asset_") == []
    assert types(client, actor=theirs, subject=one["id"]) == []
    times = [each["occurredAt"] for each in events(client, typeStartsWith="asset.archived")]
    assert types(client, occurredAt={"from": times[0]})[-1] == "asset.archived"
    assert "asset.archived" in types(client, occurredAt={"from": times[1], "to": times[0]})
    assert types(client, occurredAt={"to": "2000-01-01T00:00:00Z"}) == []
    assert types(client, organisation=BRAND) == types(client)


def test_what_happened_to_somebody_is_found_by_their_id(hub: Hub, admin: Viewer, client: Client) -> None:
    person = acting.member(hub, "viewer")
    service = acting.guest(hub, admin, asset_id=int(decode(created(client, picture(1))["id"])[1]))
    for viewer, type_ in ((person, "Person"), (service, "ServiceAccount")):
        with hub.writing(admin) as work:
            history.record(work, "asset.updated", ("Principal", viewer.principal_id or 0))
        subject = encode(type_, viewer.principal_id or 0)
        (found,) = events(client, subject=subject)
        assert found["subjectId"] == subject


def test_what_a_guest_does_is_done_for_whoever_made_their_link(hub: Hub, admin: Viewer, client: Client) -> None:
    asset = created(client, picture(1))
    guest = acting.guest(hub, admin, asset_id=decode(asset["id"])[1])
    assert guest.on_behalf_of in {None, admin.principal_id}
    told = Viewer(guest.principal_id, 1, "Guest", is_administrator=False, on_behalf_of=admin.principal_id, origin="abc")
    with hub.writing(told) as work:
        history.record(work, "asset.updated", ("Asset", decode(asset["id"])[1]))
    (found, _) = events(client, subject=asset["id"])
    assert found["onBehalfOfId"] == found["onBehalfOf"]["id"] == encode("Person", admin.principal_id or 0)
    assert found["actorId"] == encode("ServiceAccount", guest.principal_id or 0)
    assert found["origin"] == "abc"


def test_pages_run_from_the_newest_and_count_all(hub: Hub, admin: Viewer, client: Client) -> None:
    write(hub, admin, BRAND_ORG_ID, 7)
    seen: list[str] = []
    after, where = None, {"typeStartsWith": "asset.updated"}
    while True:
        page = client.ask(EVENTS, where=where, first=3, after=after)["auditEvents"]
        seen += [each["subjectId"] for each in page["nodes"]]
        assert page["totalCount"] == 7
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert seen == [encode("Asset", number) for number in range(7, 0, -1)]
    other = client.answer(EVENTS, where={"typeStartsWith": "asset."}, first=3, after=after)
    assert refused(other) == ("BAD_CURSOR", "after")


def test_a_page_takes_the_same_statements_however_long_it_is(hub: Hub, admin: Viewer, client: Client) -> None:
    def sent(first: int) -> int:
        with statements(hub) as seen:
            client.ask(EVENTS, first=first, where={"typeStartsWith": "asset.updated"})
        return len(reads(seen))

    write(hub, admin, BRAND_ORG_ID, 30, reason="why")
    assert sent(2) == sent(30)


def test_only_those_who_hold_the_permission_there_find_events(hub: Hub, admin: Viewer) -> None:
    above, below = acting.organisation(hub, "Above"), None
    below = acting.organisation(hub, "Below", parent=above)
    for org_id in (BRAND_ORG_ID, above, below):
        write(hub, admin, org_id)
    link(hub)
    for viewer, seen in (
        (auditor(hub, above), {above, below}),
        (auditor(hub, below), {below}),
        (auditor(hub, BRAND_ORG_ID), {BRAND_ORG_ID, above, below}),
    ):
        client = Client(hub, viewer)
        found = {decode(each["organisationId"])[1] for each in events(client, typeStartsWith="asset.")}
        assert found == seen
        for org_id in (BRAND_ORG_ID, above, below):
            answer = client.answer(VERIFY, organisation=encode("Organisation", org_id))
            if org_id in seen:
                assert answer["data"]["auditVerify"]["isWhole"]
                assert types(client, organisation=encode("Organisation", org_id), typeStartsWith="asset.")
            else:
                assert refused(answer) == ("NOT_FOUND", "organisation")
                assert types(client, organisation=encode("Organisation", org_id)) == []
    for role in ("designer", "librarian", "partner", "viewer"):
        client = Client(hub, acting.member(hub, role))
        assert refused(client.answer(EVENTS)) == ("NOT_ALLOWED", None)
        assert refused(client.answer(VERIFY)) == ("NOT_ALLOWED", None)


def test_a_denial_wins_here_too(hub: Hub, admin: Viewer) -> None:
    below = acting.organisation(hub, "Below")
    write(hub, admin, below)
    viewer = auditor(hub, BRAND_ORG_ID)
    with hub.writing(HUB) as work:
        role = work.session.scalars(sa.select(GrantRow.role_id).where(GrantRow.principal_id == viewer.principal_id))
        told = {"principal_id": viewer.principal_id, "role_id": role.one(), "scope": "ORGANISATION", "is_denial": True}
        work.session.add(GrantRow(org_id=below, created_at=work.now, **told))
    client = Client(hub, acting.again(hub, viewer))
    assert below not in {decode(each["organisationId"])[1] for each in events(client)}
    assert refused(client.answer(VERIFY, organisation=encode("Organisation", below))) == ("NOT_FOUND", "organisation")


@pytest.mark.parametrize("denied", ["audit.view", "asset.view"])
@pytest.mark.parametrize("scope", ["ASSET", "ASSET_KIND", "LIGHTBOX"])
def test_what_happened_to_a_denied_asset_is_told_by_neither_door(
    hub: Hub, client: Client, scope: str, denied: str
) -> None:
    """Nor what happened to its versions and renditions; what happened to others goes on being told."""
    asset, other = created(client, picture(1)), created(client, b"a slogan " * 50, "slogans.txt")
    accepted(client.mutate("assetVersionApprove", "asset { id }", ownWork=True, **approval(asset)))
    box = accepted(client.mutate("lightboxCreate", "lightbox { id revision }", title="A selection"))["lightbox"]
    placed = {"lightbox": box["id"], "assets": [asset["id"]], "expectedRevision": box["revision"]}
    accepted(client.mutate("lightboxAssetsAdd", "lightbox { id }", **placed))
    with hub.writing(HUB) as work:
        history.record(work, "rendition.failed", ("Rendition", 1))
    version = asset["current"]["id"]
    looking = auditor(hub, BRAND_ORG_ID, "asset.view")
    hidden = [asset["id"], version, encode("Rendition", 1)]
    assert all(types(Client(hub, looking), subject=each) for each in [*hidden, other["id"]])
    assert told(Client(hub, looking), asset["id"]) == len(types(client, subject=asset["id"]))
    places: dict[str, dict[str, Any]] = {
        "ASSET": {"asset_id": 1},
        "ASSET_KIND": {"asset_kind": "IMAGE"},
        "LIGHTBOX": {"lightbox_id": 1},
    }
    with hub.writing(HUB) as work:
        work.session.add(RoleRow(name="denied", permissions=[denied], created_at=work.now))
        work.session.flush()
        acting.give(
            hub, looking.principal_id or 0, "denied", session=work.session, scope=scope, is_denial=True, **places[scope]
        )
    theirs = Client(hub, acting.again(hub, looking))
    assert [types(theirs, subject=each) for each in hidden] == [[], [], []]
    assert types(theirs, subject=other["id"]) == types(client, subject=other["id"])
    assert {each["subjectId"] for each in events(theirs)}.isdisjoint(hidden)
    assert told(theirs, asset["id"]) is None


def approval(asset: dict[str, Any]) -> dict[str, Any]:
    return {"version": asset["current"]["id"], "sha256": asset["current"]["sha256"]}


def told(client: Client, asset_id: str) -> int | None:
    """How many events the asset's own history tells; None where it is refused, or there is no such asset."""
    query = "query ($id: ID!) { asset(id: $id) { history(first: 50) { totalCount nodes { type } } } }"
    found = client.ask(query, id=asset_id)["asset"]
    if found is None or found["history"] is None:
        return None
    assert found["history"]["totalCount"] == len(found["history"]["nodes"])
    return len(found["history"]["nodes"])


def test_an_unknown_organisation_reads_like_a_forbidden_one(hub: Hub, client: Client) -> None:
    unknown = client.answer(VERIFY, organisation=encode("Organisation", 999))
    forbidden = Client(hub, auditor(hub, acting.organisation(hub, "Other"))).answer(VERIFY, organisation=BRAND)
    assert unknown["errors"][0]["message"] == forbidden["errors"][0]["message"]
    assert refused(client.answer(VERIFY, organisation=encode("Asset", 1))) == ("NOT_FOUND", "organisation")


def test_a_reason_is_for_those_who_may_read_notes(hub: Hub, admin: Viewer) -> None:
    write(hub, admin, BRAND_ORG_ID, reason="Anna Example wanted it")
    where = {"typeStartsWith": "asset.updated"}
    for permissions, reason in (((), None), (("field.notes",), "Anna Example wanted it")):
        answer = Client(hub, auditor(hub, BRAND_ORG_ID, *permissions)).answer(EVENTS, where=where)
        (found,) = answer["data"]["auditEvents"]["nodes"]
        assert found["reason"] == reason
        denied = [each["permission"] for each in answer.get("extensions", {}).get("denied", [])]
        assert denied == ([] if permissions else ["field.notes"])


def test_a_verification_says_how_far_it_went_and_where_it_stopped(hub: Hub, admin: Viewer, client: Client) -> None:
    write(hub, admin, BRAND_ORG_ID, 6)
    link(hub)
    end = len(rows(hub, BRAND_ORG_ID))
    write(hub, admin, BRAND_ORG_ID, 2)
    good = {"organisationId": BRAND, "end": str(end), "waiting": "2", "isWhole": True, "firstBreak": None}
    for bounds, first, last in (({}, 1, end), ({"from": "3", "to": 5}, 3, 5), ({"from": 2, "to": end + 9}, 2, end)):
        found = client.ask(VERIFY, **bounds)["auditVerify"]
        assert found == {**good, "from": str(first), "to": str(last), "checked": str(last - first + 1)}
    spoilt = rows(hub, BRAND_ORG_ID)[end - 3]["id"]
    with hub.database.writing() as session:
        session.execute(sa.text(f"DROP TRIGGER event_frozen {'ON event' if hub.database.is_postgres else ''}"))
        tamper(session, spoilt, payload={"version": 99})
    found = client.ask(VERIFY)["auditVerify"]
    message = f"Event {end - 2} is not what was recorded."
    assert found["firstBreak"] == {"seq": str(end - 2), "fault": "ALTERED", "message": message}
    assert (found["isWhole"], found["checked"]) == (False, str(end - 3))


def test_a_verification_that_asks_for_nonsense_or_too_much_is_refused(
    hub: Hub, admin: Viewer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(hub, admin, BRAND_ORG_ID, 6)
    link(hub)
    assert refused(client.answer(VERIFY, **{"from": 0})) == ("INVALID", "from")
    assert refused(client.answer(VERIFY, **{"from": 3, "to": 2})) == ("INVALID", "to")
    monkeypatch.setattr("domain.audit.verifying.MOST_AT_ONCE", 5)
    assert refused(client.answer(VERIFY)) == ("INVALID", "to")
    assert client.ask(VERIFY, to=5)["auditVerify"]["checked"] == "5"
    assert refused(client.answer(EVENTS, where={"typeStartsWith": "Asset%"})) == ("INVALID", "where.typeStartsWith")
    assert refused(client.answer(EVENTS, where={"subject": "!"})) == ("NOT_FOUND", "where.subject")
    assert refused(client.answer(EVENTS, where={"actor": BRAND})) == ("NOT_FOUND", "where.actor")


def test_the_histories_of_many_things_are_read_at_once(hub: Hub, admin: Viewer) -> None:
    for _ in range(3):
        write(hub, admin, BRAND_ORG_ID, 4)
    with hub.reading(admin) as work:
        wanted = pages.paging(work, "x", first=2)
        with statements(hub) as seen:
            found = audit.histories(work, [1, 2, 9], wanted, "Asset")
        assert len(reads(seen)) == 1
        assert [len(found[each].rows) for each in (1, 2, 9)] == [2, 2, 0]
        assert (found[1].has_next, found[9].has_next) == (True, False)
        assert found[1].rows[0].id > found[1].rows[1].id
        older = pages.Paging(2, backwards=False, position=found[1].positions[-1], scope="x")
        assert [row.id < found[1].rows[-1].id for row in audit.histories(work, [1], older, "Asset")[1].rows] == [True]
        assert audit.counts(work, [1, 2, 9], "Asset") == {1: 3, 2: 3}
    designer = acting.member(hub, "designer")
    with hub.reading(designer) as work, pytest.raises(NotAllowed):
        audit.histories(work, [1], wanted, "Asset")


def test_a_request_may_say_why_and_what_a_mutation_says_itself_goes_first(hub: Hub, admin: Viewer) -> None:
    with hub.writing(admin) as work:
        work.reason = "The campaign begins on Monday"
        history.record(work, "asset.updated", ("Asset", 1))
        history.record(work, "asset.updated", ("Asset", 2), reason="Its own")
    link(hub)
    assert [row["reason"] for row in rows(hub, BRAND_ORG_ID)[-2:]] == ["The campaign begins on Monday", "Its own"]


def test_why_a_request_is_made_is_a_clean_text_of_bounded_length() -> None:
    assert (reason_of(None), reason_of({}), reason_of({"reason": " \n"}), reason_of({"other": 1})) == (None,) * 4
    assert reason_of({"reason": " why\u0000 not "}) == "why not"
    assert reason_of({"reason": "x" * MAX_REASON}) == "x" * MAX_REASON
    for wrong in ("x" * (MAX_REASON + 1), 5, ["why"], {"a": "b"}, True):
        with pytest.raises(Invalid):
            reason_of({"reason": wrong})
