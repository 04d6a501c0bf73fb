"""`viewerCan` says what would be answered: everything is tried, by everybody, in units of work that are undone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from domain import brands, identity, lightboxes, organisations, people, teams
from domain.permissions import P
from domain.refusals import Refusal
from domain.work import HUB, Work
from storage.tables import AssetRow, LightboxAssetRow, LightboxRow, OrganisationRow, PrincipalRow
from tests.asking import Client, rows_everywhere
from tests.assets.acts import created, picture
from tests.people.folk import House, accepted, change, number
from tests.working import mutate

CAN = """query ($id: ID!) { node(id: $id) { ... on Organisation { organisation: viewerCan }
  ... on Actor { actor: viewerCan } ... on Lightbox { lightbox: viewerCan } } }"""


class Undone(Exception):
    """The unit of work came to its end, and is not to stay."""


@pytest.fixture
def viewers(house: House) -> dict[str, Client]:
    """All sorts of them; North is where most of it happens."""
    north = house.org("North")
    chief = house.manager(house.top, P.ORGANISATION_MANAGE)
    house.grant(chief, house.role("designer"))
    denied = house.person(role="admin")
    house.grant(denied, house.new_role(P.PEOPLE_MANAGE, P.LIGHTBOX_EDIT), north, denial=True)
    ids = {
        "chief": chief,
        "denied": denied,
        "designer": house.person(role="designer"),
        "local administrator": house.person(north, "admin"),
        "local manager": house.manager(north, P.BRAND_MANAGE),
        "nobody": house.person(north),
        "partner": house.person(house.org("South"), "partner"),
    }
    return {"administrator": house.admin} | {name: house.as_(id_) for name, id_ in ids.items()}


def organisation_acts(id_: int, revision: int) -> dict[str, Callable[[Work], Any]]:
    return {
        "UPDATE": lambda work: organisations.rename(work, id_, "Another name", revision),
        "ARCHIVE": lambda work: organisations.archive(work, id_, revision),
        "ADD_ORGANISATION": lambda work: organisations.create(work, "New below", "AGENCY", id_),
        "ADD_BRAND": lambda work: brands.create(work, id_, "New brand"),
        "ADD_TEAM": lambda work: teams.create(work, id_, "New team"),
        "INVITE": lambda work: people.invite(work, "new@example.com", "New", id_),
        "ADD_SERVICE_ACCOUNT": lambda work: people.create_service_account(work, "New", id_),
    }


def actor_acts(id_: int, revision: int) -> dict[str, Callable[[Work], Any]]:
    return {
        "UPDATE": lambda work: people.rename(work, id_, "New", revision),
        "DISABLE": lambda work: people.disable(work, id_, revision),
        "ENABLE": lambda work: people.enable(work, id_, revision),
    }


def lightbox_acts(id_: int, revision: int) -> dict[str, Callable[[Work], Any]]:
    return {
        "UPDATE": lambda work: lightboxes.update(work, id_, revision, title="New"),
        "ARCHIVE": lambda work: lightboxes.archive(work, id_, revision),
        "ADD_ASSETS": lambda work: lightboxes.add(work, id_, [_some_asset(work)], revision),
        "REMOVE_ASSETS": lambda work: lightboxes.remove(work, id_, [1], revision),
    }


def _some_asset(work: Work) -> int:
    """One that the viewer sees and that lies in a lightbox already, if there is such: nobody may be refused it."""
    mine = sa.select(AssetRow.id).where(identity.sees_asset(work))
    placed = AssetRow.id.in_(sa.select(LightboxAssetRow.asset_id))
    return work.session.scalars(mine.order_by(sa.case((placed, 0), else_=1)).limit(1)).first() or 1


def compare(house: House, viewers: dict[str, Client], kind: str, subjects: dict[str, str]) -> dict[str, set[str]]:
    """What each viewer is told about each subject, which is what they then can do; by viewer and subject."""
    table, acts = {
        "organisation": (OrganisationRow, organisation_acts),
        "actor": (PrincipalRow, actor_acts),
        "lightbox": (LightboxRow, lightbox_acts),
    }[kind]
    before, found = rows_everywhere(house.hub), {}
    for name, came in viewers.items():
        with house.hub.reading(HUB) as work:
            client = Client(house.hub, identity.viewer_of_principal(work, came.viewer.principal_id or 0))
        for subject, id_ in subjects.items():
            with house.hub.database.reading() as session:
                row: Any = session.get_one(table, number(id_))
            node = client.ask(CAN, id=id_)["node"]
            told = set() if node is None else set(node[kind])
            tried = {action for action, act in acts(row.id, row.revision).items() if is_done(house, client, act)}
            assert told == tried, (name, subject)
            found[f"{name}: {subject}"] = told
    assert rows_everywhere(house.hub) == before
    return found


def is_done(house: House, client: Client, act: Callable[[Work], Any]) -> bool:
    """Whether it is accepted, commit included; nothing of it stays."""
    try:
        with house.hub.writing(client.viewer) as work:
            act(work)
            work.session.flush()
            raise Undone  # noqa: TRY301  # from inside, so that the unit of work is undone
    except Undone:
        return True
    except Refusal:
        return False


def test_of_organisations(house: House, viewers: dict[str, Client]) -> None:
    north = next(iter(house.admin.ask("{ organisations { nodes { id name } } }")["organisations"]["nodes"][1:]))["id"]
    empty, closed, deep = house.org("Empty"), house.org("Closed"), north
    accepted(change(house.admin, house, "organisationArchive", "organisation", closed))
    for _ in range(6):
        deep = house.org(parent=deep)
    subjects = {"brand": house.top, "north": north, "empty": empty, "closed": closed, "deep": deep}
    found = compare(house, viewers, "organisation", subjects)
    every = set(organisation_acts(1, 1))
    assert found["administrator: empty"] == every
    assert found["administrator: brand"] == found["administrator: north"] == every - {"ARCHIVE"}
    assert found["administrator: deep"] == every - {"ADD_ORGANISATION"}
    assert found["administrator: closed"] == found["nobody: north"] == set()
    assert found["local administrator: north"] == every - {"UPDATE", "ARCHIVE"}
    assert found["local manager: north"] == {"ADD_BRAND", "ADD_TEAM", "INVITE", "ADD_SERVICE_ACCOUNT"}
    assert found["denied: north"] == {"UPDATE", "ADD_ORGANISATION", "ADD_BRAND"}
    assert found["local administrator: empty"] == set()


def test_of_people(house: House, viewers: dict[str, Client]) -> None:
    north = house.admin.ask("{ organisations { nodes { id } } }")["organisations"]["nodes"][1]["id"]
    out, away, closed = house.person(north), house.person(house.top, "viewer"), house.org()
    gone = house.person(closed)
    for each in (out, gone):
        accepted(change(house.admin, house, "principalDisable", "principal", each))
    accepted(change(house.admin, house, "organisationArchive", "organisation", closed))
    last = house.admin.ask("{ me { person { id } } }")["me"]["person"]["id"]
    subjects = {
        "last administrator": last,
        "librarian": house.person(role="librarian"),
        "designer": house.person(role="designer"),
        "local designer": house.person(north, "designer"),
        "local": house.person(north),
        "service": house.service(north, "viewer"),
        "out": out,
        "away": away,
        "gone": gone,
    }
    found = compare(house, viewers, "actor", subjects)
    assert found["administrator: last administrator"] == {"UPDATE"}
    assert found["administrator: librarian"] == {"UPDATE", "DISABLE"}
    assert found["administrator: out"] == {"UPDATE", "ENABLE"}
    assert found["administrator: gone"] == {"UPDATE"}
    assert found["chief: librarian"] == found["local manager: local designer"] == set()
    assert found["chief: designer"] == found["local manager: local"] == {"UPDATE", "DISABLE"}
    assert found["denied: local"] == found["nobody: local"] == found["local manager: away"] == set()


def test_of_lightboxes(house: House, viewers: dict[str, Client]) -> None:
    asset = created(house.admin, picture(1))
    north = house.admin.ask("{ organisations { nodes { id } } }")["organisations"]["nodes"][1]["id"]
    box, shut, opened = (house.done("lightboxCreate", "lightbox { id }", title="Box") for _ in range(3))
    accepted(change_box(house, shut))
    created(house.admin, picture(2), organisation=north)
    put = {"lightbox": opened, "expectedRevision": 1, "assets": [asset["id"]]}
    accepted(mutate(house.admin, "lightboxAssetsAdd", "lightbox { id }", **put))
    nobody = viewers["nobody"]
    me = nobody.ask("{ me { person { id } } }")["me"]["person"]["id"]
    house.grant(me, house.role("designer"), scope={"lightbox": opened})
    viewers["nobody"] = house.as_(me)
    local = house.as_(house.person(north, "designer"))
    made = local.ask('mutation { lightboxCreate(input: {title: "Local"}) { lightbox { id } } }')
    subjects = {"box": box, "shut": shut, "opened": opened, "local": made["lightboxCreate"]["lightbox"]["id"]}
    found = compare(house, {**viewers, "local": local}, "lightbox", subjects)
    every = {"UPDATE", "ARCHIVE", "ADD_ASSETS", "REMOVE_ASSETS"}
    assert found["administrator: box"] == found["designer: opened"] == every
    assert found["nobody: opened"] == every - {"ARCHIVE"}
    assert found["administrator: shut"] == found["nobody: box"] == set()
    assert found["denied: box"] == every
    assert found["denied: local"] == set()


def change_box(house: House, id_: str) -> dict[str, Any]:
    mutation = "mutation ($input: LightboxArchiveInput!) { lightboxArchive(input: $input) { errors { message } } }"
    done: dict[str, Any] = house.admin.ask(mutation, input={"lightbox": id_, "expectedRevision": 1})["lightboxArchive"]
    return done


def test_the_viewer_is_told_who_they_are_and_what_they_hold(house: House, viewers: dict[str, Client]) -> None:
    query = "{ me { name isAdministrator permissions organisation { name } person { id name } } }"
    found = {name: client.ask(query)["me"] for name, client in viewers.items()}
    assert [name for name, me in found.items() if me["isAdministrator"]] == ["administrator"]
    assert found["administrator"]["permissions"] == [each.name for each in P]
    assert found["nobody"]["permissions"] == []
    assert found["partner"]["permissions"] == ["ASSET_VIEW", "ASSET_DOWNLOAD", "USAGE_VIEW", "USAGE_RECORD"]
    assert found["local manager"]["permissions"] == ["BRAND_MANAGE", "PEOPLE_VIEW", "PEOPLE_MANAGE"]
    assert found["local manager"]["organisation"] == {"name": "North"}
    assert all(me["person"]["name"] == me["name"] for me in found.values())
