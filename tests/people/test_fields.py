"""Fields that need a permission of their own: null without it, said so, and never a reason to fail."""

from __future__ import annotations

import asyncio
from typing import Any

import graphql
import pytest
import strawberry
from strawberry.schema.config import StrawberryConfig

from domain import metadata
from domain.assets import personal
from domain.hub import Hub
from domain.metadata import Findings
from domain.permissions import P
from domain.refusals import NotAllowed
from domain.work import HUB, Work
from schema import built, fields
from schema.context import Context
from schema.fields import MAX_DENIED, Subject, field, restricted_filter
from schema.scalars import SCALARS
from storage.tables import AssetVersionRow, MetadataRow
from tests.asking import Client, statements
from tests.assets.acts import add_version, created, picture, queries
from tests.people.folk import House, accepted, number
from tests.working import mutate

LOOKING = (P.ASSET_VIEW, P.ASSET_VIEW_UNAPPROVED)
ASSET = """query ($id: ID!) { asset(id: $id) { title current {
  number changeNote download { url } metadata { namespace name value } } } }"""

PERSONAL: list[tuple[str, str, Any]] = [
    ("gps", "latitude", 48.1),
    ("gps", "GPSAltitudeRef", 0),
    ("exif", "GPSLatitude", "48,8N"),
    ("exif", "BodySerialNumber", "123"),
    ("exif", "LensSerialNumber", "456"),
    ("aux", "SerialNumber", "789"),
    ("exif", "CameraOwnerName", "Ann"),
    ("iptc", "Contact", ["+49 1234"]),
    ("Iptc4xmpCore", "CreatorContactInfo", {"Iptc4xmpCore:CiTelWork": "+49 1234"}),
    ("Iptc4xmpExt", "LocationCreated", [{"exif:GPSLatitude": "48,8N", "Iptc4xmpExt:City": "Ulm"}]),
    ("Iptc4xmpExt", "PersonInImage", ["Ann"]),
    ("plus", "Licensor", [{"plus:LicensorEmail": "ann", "plus:LicensorName": "Ann"}]),
    ("iptc", "Byline", ["Ann Lee <ann@example.com>"]),
    ("dc", "rights", {"x-default": "Ask ann@example.com first"}),
    ("other", "gPsTrack", "1"),
]
PLAIN: list[tuple[str, str, Any]] = [
    ("exif", "Model", "X100"),
    ("exif", "LensModel", "23 mm"),
    ("iptc", "Credit", "Ann Lee"),
    ("dc", "creator", ["Ann Lee"]),
    ("iptc", "City", "Ulm"),
    ("Iptc4xmpExt", "LocationShown", [{"Iptc4xmpExt:City": "Ulm"}]),
    ("file", "Width", 10),
    ("dc", "rights2", "© 2026 @annlee"),
]


def described(house: House, asset: dict[str, Any]) -> None:
    with house.hub.writing(HUB) as work:
        version = work.session.get_one(AssetVersionRow, number(asset["current"]["id"]))
        metadata.record(work, version, Findings(entries=(*PERSONAL, *PLAIN)))


def denied(answer: dict[str, Any]) -> list[tuple[str, str]]:
    """Paths, joined, with the permissions that were lacking."""
    assert "errors" not in answer, answer
    told = answer.get("extensions", {}).get("denied", [])
    return sorted((".".join(map(str, each["path"])), each["permission"]) for each in told)


@pytest.mark.parametrize(("namespace", "name", "value"), PERSONAL)
def test_what_is_about_a_person_is_known_as_such(namespace: str, name: str, value: Any) -> None:
    assert personal.is_personal(MetadataRow(version_id=1, namespace=namespace, name=name, value=value))


@pytest.mark.parametrize(("namespace", "name", "value"), PLAIN)
def test_what_is_about_the_picture_is_not(namespace: str, name: str, value: Any) -> None:
    assert not personal.is_personal(MetadataRow(version_id=1, namespace=namespace, name=name, value=value))


def test_each_restricted_field_of_an_asset_is_there_with_its_permission_and_null_without(house: House) -> None:
    asset = created(house.admin, picture(1))
    asset = add_version(house.admin, asset, picture(2), changeNote="Because of the lawyers")["asset"]
    described(house, asset)
    rights = [P.FIELD_NOTES, P.FIELD_PERSONAL, P.ASSET_DOWNLOAD]
    for kept in ([], [P.FIELD_NOTES], [P.FIELD_PERSONAL], [P.ASSET_DOWNLOAD], rights):
        person = house.person()
        house.grant(person, house.new_role(*LOOKING, *kept))
        answer = house.as_(person).answer(ASSET, id=asset["id"])
        current = answer["data"]["asset"]["current"]
        expected = [
            ("asset.current.changeNote", "field.notes"),
            ("asset.current.download", "asset.download"),
            ("asset.current.metadata", "field.personal"),
        ]
        lacking = {each.value for each in rights if each not in kept}
        assert denied(answer) == [each for each in expected if each[1] in lacking]
        assert current["changeNote"] == ("Because of the lawyers" if P.FIELD_NOTES in kept else None)
        assert (current["download"] is not None) is (P.ASSET_DOWNLOAD in kept)
        entries = {(each["namespace"], each["name"]) for each in current["metadata"]}
        shown = [*PLAIN, *PERSONAL] if P.FIELD_PERSONAL in kept else PLAIN
        assert entries == {(namespace, name) for namespace, name, _ in shown}


def test_nothing_is_said_where_nothing_was_left_out(house: House) -> None:
    asset = created(house.admin, picture(1))
    person = house.person()
    house.grant(person, house.new_role(*LOOKING, P.FIELD_NOTES, P.ASSET_DOWNLOAD))
    answer = house.as_(person).answer(ASSET, id=asset["id"])
    assert answer["data"]["asset"]["current"]["metadata"] == []
    assert "denied" not in answer["extensions"]
    assert "denied" not in house.admin.answer(ASSET, id=asset["id"])["extensions"]


def test_the_permission_counts_where_the_asset_is_and_a_denial_wins(house: House) -> None:
    north = house.org("North")
    here = created(house.admin, picture(1))["id"]
    there, shut = (created(house.admin, picture(at), organisation=north)["id"] for at in (2, 3))
    person, notes = house.person(), house.new_role(P.FIELD_NOTES)
    house.grant(person, house.new_role(*LOOKING, P.ASSET_DOWNLOAD))
    house.grant(person, notes, north)
    house.grant(person, notes, scope={"asset": shut}, denial=True)
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Asset { current { changeNote download { url } } } } }"
    answer = house.as_(person).answer(query, ids=[here, there, shut])
    assert denied(answer) == [
        ("nodes.0.current.changeNote", "field.notes"),
        ("nodes.2.current.changeNote", "field.notes"),
    ]
    assert all(each["current"]["download"] for each in answer["data"]["nodes"])


def test_why_an_asset_lies_in_a_lightbox_is_a_note_too(house: House) -> None:
    asset = created(house.admin, picture(1))
    box = house.done("lightboxCreate", "lightbox { id }", title="Box")
    put = {"lightbox": box, "expectedRevision": 1, "assets": [asset["id"]], "note": "The client hates it"}
    accepted(mutate(house.admin, "lightboxAssetsAdd", "lightbox { id }", **put))
    query = "query ($id: ID!) { node(id: $id) { ... on Lightbox { assets { edges { note node { id } } } } } }"
    for rights, note in ((LOOKING, None), ((*LOOKING, P.FIELD_NOTES), "The client hates it")):
        person = house.person()
        house.grant(person, house.new_role(*rights))
        answer = house.as_(person).answer(query, id=box)
        (edge,) = answer["data"]["node"]["assets"]["edges"]
        assert edge == {"note": note, "node": {"id": asset["id"]}}
        lacking = [] if note else [("node.assets.edges.0.note", "field.notes")]
        assert denied(answer) == lacking


def test_everybody_sees_their_own_address_and_others_by_permission(house: House) -> None:
    north = house.org("North")
    one, two = house.person(north), house.person()
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Person { name email } } }"

    def emails(client: Client) -> tuple[list[bool], list[tuple[str, str]]]:
        answer = client.answer(query, ids=[one, two])
        return [bool(each and each["email"]) for each in answer["data"]["nodes"]], denied(answer)

    assert emails(house.admin) == ([True, True], [])
    assert emails(house.as_(one)) == ([True, False], [])
    house.grant(one, house.new_role(P.PEOPLE_VIEW))
    assert emails(house.as_(one)) == ([True, False], [("nodes.1.email", "field.personal")])
    watcher = house.person()
    house.grant(watcher, house.new_role(P.PEOPLE_VIEW))
    house.grant(watcher, house.new_role(P.FIELD_PERSONAL), north)
    assert emails(house.as_(watcher)) == ([True, False], [("nodes.1.email", "field.personal")])
    invited = """mutation ($input: PersonInviteInput!) { personInvite(input: $input) {
      person { email } inviteUrl errors { code } } }"""
    wish = {"email": "new@example.com", "name": "New", "organisation": north}
    answer = house.as_(house.manager(north)).answer(invited, input=wish)
    assert answer["data"]["personInvite"]["person"] == {"email": None}
    assert denied(answer) == [("personInvite.person.email", "field.personal")]


def test_what_is_left_out_is_told_a_hundred_times_at_most(house: House) -> None:
    assets = [created(house.admin, picture(at))["id"] for at in range(3)]
    person = house.person()
    house.grant(person, house.new_role(*LOOKING))
    note = "current { one: changeNote other: changeNote }"
    many = " ".join(f'a{at}: asset(id: "{assets[at % 3]}") {{ {note} }}' for at in range(60))
    answer = house.as_(person).answer("{" + many + "}")
    assert "errors" not in answer
    assert len(answer["data"]) == 60
    assert len(answer["extensions"]["denied"]) == MAX_DENIED == 100


def test_restricted_fields_take_as_many_statements_for_ten_as_for_one(house: House) -> None:
    north = house.org("North")
    for at in range(10):
        created(house.admin, picture(at), organisation=north if at % 2 else None)
    person = house.person()
    house.grant(person, house.new_role(*LOOKING))
    house.grant(person, house.new_role(P.FIELD_NOTES, P.ASSET_DOWNLOAD, P.FIELD_PERSONAL), north)
    query = """query ($first: Int) { assets(first: $first) { nodes {
      current { changeNote download { url } metadata { name } } } } }"""
    counts = {}
    for first in (2, 10):
        with statements(house.hub) as sent:
            answer = house.as_(person).answer(query, first=first)
        assert len(denied(answer)) == first  # the notes and the bytes of every other one; no metadata to leave out
        counts[first] = len(queries(sent))
    assert len(set(counts.values())) == 1, counts


def test_every_restricted_field_can_be_null_and_says_what_it_needs() -> None:
    schema = graphql.build_schema(built.sdl())
    found = {}
    for name, kind in schema.type_map.items():
        if isinstance(kind, graphql.GraphQLObjectType):
            for told, each in kind.fields.items():
                if "Null without the permission" in (each.description or ""):
                    found[f"{name}.{told}"] = each.type
    assert set(found) >= {
        "AssetVersion.changeNote",
        "AssetVersion.download",
        "LightboxAssetEdge.note",
        "Person.email",
    }
    assert all(graphql.is_nullable_type(each) for each in found.values())


# A schema of one toy, for fields that the hub has no use for yet.


def _may_toys(work: Work, keys: Any, permission: P) -> dict[int, bool]:
    asked.append((sorted(keys), permission))
    return {key: work.viewer.holdings.in_org(permission, key) for key in keys}


asked: list[tuple[list[int], P]] = []


@strawberry.type(description="Something with a price, of an organisation.")
class Toy:
    org_id: strawberry.Private[int]
    name: str = "toy"

    def subject(self) -> Subject:
        return Subject(_may_toys, self.org_id)

    @field("What it cost.", needs=P.FIELD_MONEY)
    def cost(self, currency: str = "EUR") -> str | None:
        return f"12 {currency}"

    @field("What it is sold for.", needs=P.FIELD_PRICES)
    async def price(self, info: strawberry.Info[Context]) -> str | None:
        return f"15 for {info.context.viewer.org_id}"


@strawberry.input(description="What a toy must be like.")
class ToyWhere:
    and_: list[ToyWhere] | None = strawberry.field(name="AND", default=None)
    name: str | None = None
    cost: str | None = restricted_filter("What it cost.", needs=P.FIELD_MONEY)


@strawberry.type
class ToyQuery:
    @strawberry.field
    def toys(self, info: strawberry.Info[Context], where: ToyWhere | None = None) -> list[Toy]:
        fields.check_filter(info.context.work, where)
        return [Toy(org_id=at) for at in (1, 2, 3)]


TOYS = strawberry.Schema(query=ToyQuery, config=StrawberryConfig(scalar_map=SCALARS))


async def _execute(context: Context, query: str) -> Any:
    return await TOYS.execute(query, context_value=context)


def play(hub: Hub, client: Client, query: str) -> tuple[Any, list[dict[str, Any]], list[Any]]:
    """The data, what was left out, and what was refused."""
    context = Context(hub, client.viewer, "test")
    try:
        result = asyncio.run(_execute(context, query))
    finally:
        context.close()
    return result.data, context.denied, [error.original_error for error in result.errors or []]


def test_money_and_prices_can_be_restricted_in_the_same_way(house: House) -> None:
    north = house.org("North")
    person = house.person()
    house.grant(person, house.new_role(P.FIELD_MONEY))
    house.grant(person, house.new_role(P.FIELD_PRICES), north)
    asked.clear()
    data, told, errors = play(house.hub, house.as_(person), '{ toys { name cost(currency: "CHF") price } }')
    price = [None, "15 for 1", None]
    assert data == {"toys": [{"name": "toy", "cost": "12 CHF", "price": each} for each in price]}
    assert errors == []
    assert told == [{"path": ["toys", at, "price"], "permission": "field.prices"} for at in (0, 2)]
    assert asked == [([1, 2, 3], P.FIELD_PRICES)]  # money is held everywhere: nothing to ask
    assert "Null without the permission `field.money`." in TOYS.as_str()


def test_a_restricted_field_is_no_filter_for_whoever_holds_it_nowhere(house: House) -> None:
    poor, rich = house.person(), house.person()
    house.grant(rich, house.new_role(P.FIELD_MONEY), house.org())
    for query in ('{ toys(where: {cost: "1"}) { name } }', '{ toys(where: {AND: [{cost: "1"}]}) { name } }'):
        data, _, (refusal,) = play(house.hub, house.as_(poor), query)
        assert data is None
        assert isinstance(refusal, NotAllowed)
        assert (refusal.permission, refusal.path) == ("field.money", ("where",))
        assert play(house.hub, house.as_(rich), query)[2] == []
    assert play(house.hub, house.as_(poor), '{ toys(where: {name: "x"}) { name } }')[2] == []


def test_an_unknown_asset_is_nobodys_to_read(house: House) -> None:
    person = house.person()
    house.grant(person, house.new_role(P.FIELD_NOTES), house.org())
    with house.hub.reading(house.viewer(person)) as work:
        assert personal.may(work, [999], P.FIELD_NOTES) == {999: False}
