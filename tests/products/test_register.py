"""The register of products: whose they are, who sees them, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from domain import products
from domain.global_ids import decode, encode
from domain.hub import Hub
from domain.work import HUB, Viewer
from storage.tables import EventRow, ProductRow
from tests.acting import guest, member, organisation
from tests.asking import Client
from tests.assets.acts import accepted, unchanged
from tests.working import at_once

LISTED = "query ($codes: [String!], $archived: Boolean! = false) { products(codes: $codes, archived: $archived) "
LISTED += "{ totalCount nodes { code } } }"
SHOWN = "product { id code name archivedAt revision organisation { id } }"


def mutate(client: Client, field: str, selection: str, /, **given: Any) -> dict[str, Any]:
    head = f"mutation ($input: {field[0].upper()}{field[1:]}Input!) {{ {field}(input: $input)"
    found: dict[str, Any] = client.ask(f"{head} {{ {selection} errors {{ code message path }} }} }}", input=given)[
        field
    ]
    return found


def made(client: Client, code: str = "MUG-1", **more: Any) -> dict[str, Any]:
    told = {"code": code, "name": "A mug", **more}
    found: dict[str, Any] = accepted(mutate(client, "productCreate", SHOWN, **told))["product"]
    return found


def codes(client: Client, **asked: Any) -> list[str]:
    found = client.ask(LISTED, **asked)["products"]
    assert found["totalCount"] == len(found["nodes"])
    return [each["code"] for each in found["nodes"]]


def test_a_product_is_made_renamed_put_away_and_brought_back(hub: Hub, client: Client) -> None:
    mug = made(client)
    assert (mug["code"], mug["archivedAt"], mug["revision"]) == ("MUG-1", None, 1)

    def changed(revision: int, **more: Any) -> dict[str, Any]:
        told = {"product": mug["id"], "expectedRevision": revision, **more}
        found: dict[str, Any] = accepted(mutate(client, "productUpdate", SHOWN, **told))["product"]
        return found

    away = changed(1, name=" A  cup ", archived=True)
    assert (away["name"], away["code"], away["archivedAt"] is None) == ("A cup", "MUG-1", False)
    assert (codes(client), codes(client, archived=True)) == ([], ["MUG-1"])
    assert changed(2, archived=True)["archivedAt"] == away["archivedAt"]
    assert changed(2, archived=False)["archivedAt"] is None
    assert codes(client) == ["MUG-1"]
    with hub.reading(HUB) as work:
        told = work.session.scalars(sa.select(EventRow.type).where(EventRow.subject_type == "Product"))
        assert list(told)[:2] == ["product.created", "product.updated"]


def test_products_are_listed_by_code_and_found_by_codes_in_any_letters(client: Client) -> None:
    for code in ("pen-2", "4006381333931", "PEN-1", "A.b/c_d"):
        made(client, code)
    assert codes(client) == ["4006381333931", "A.b/c_d", "PEN-1", "pen-2"]
    assert codes(client, codes=["PEN-2", "a.B/c_D", "none"]) == ["A.b/c_d", "pen-2"]


@pytest.mark.parametrize("code", ["\x00", "PEN\x00", "ß", "", "-"])
def test_a_code_that_can_be_none_is_not_found_beside_those_that_are(client: Client, code: str) -> None:
    made(client, "SS")
    assert codes(client, codes=[code]) == []
    assert codes(client, codes=[code, "ss"]) == ["SS"]


@pytest.mark.parametrize("code", ["", " ", "-1", "1-", "a b", "é", "a" * 61, "a\n", "a--b-"])
def test_a_code_that_is_none_is_refused(hub: Hub, client: Client, code: str) -> None:
    with unchanged(hub):
        (error,) = mutate(client, "productCreate", SHOWN, code=code, name="A mug")["errors"]
    assert (error["code"], error["path"]) == ("INVALID", ["code"])


def test_a_code_is_one_organisations_own_once_in_whichever_letters(hub: Hub, client: Client) -> None:
    south = encode("Organisation", organisation(hub, "South"))
    made(client, "Mug")
    with unchanged(hub):
        (error,) = mutate(client, "productCreate", SHOWN, code="mUG", name="Another")["errors"]
    assert (error["code"], error["path"]) == ("CONFLICT", ["code"])
    assert made(client, "MUG", organisation=south)["organisation"] == {"id": south}


def test_those_who_make_products_in_one_organisation_at_once_keep_each_other_waiting_and_no_more(
    hub: Hub, client: Client
) -> None:
    """None holds the organisation together with others before wanting it alone: all would be refused but one."""
    south = organisation(hub, "South")
    for turn in range(5):
        at_once([partial(_made_in, hub, client.viewer, south, f"C-{turn}-{each}") for each in range(4)])
    assert len(codes(client)) == 20


def _made_in(hub: Hub, viewer: Viewer, org_id: int, code: str) -> None:
    with hub.writing(viewer) as work:
        products.create(work, code, "A mug", org_id)


def test_a_revision_that_is_past_and_a_name_without_letters_change_nothing(hub: Hub, client: Client) -> None:
    mug = made(client)
    for told, code in (({"expectedRevision": 2}, "STALE_REVISION"), ({"expectedRevision": 1, "name": " "}, "INVALID")):
        with unchanged(hub):
            (error,) = mutate(client, "productUpdate", SHOWN, product=mug["id"], **told)["errors"]
        assert error["code"] == code


def test_the_brands_products_are_seen_by_all_who_use_pictures_and_others_at_home(hub: Hub, client: Client) -> None:
    south, north = organisation(hub, "South"), organisation(hub, "North")
    made(client, "OURS")
    theirs = made(client, "THEIRS", organisation=encode("Organisation", south))
    assert codes(client) == ["OURS", "THEIRS"]
    for name, org_id, wanted in (
        ("designer", None, ["OURS", "THEIRS"]),
        ("partner", south, ["OURS", "THEIRS"]),
        ("partner", north, ["OURS"]),
        ("viewer", None, []),
    ):
        viewer = member(hub, name, org_id=org_id) if org_id else member(hub, name)
        assert codes(Client(hub, viewer)) == wanted, (name, org_id)
    stranger = Client(hub, member(hub, "partner", org_id=north, name="Northern"))
    assert stranger.ask("query ($id: ID!) { node(id: $id) { id } }", id=theirs["id"]) == {"node": None}
    with unchanged(hub):
        (error,) = mutate(stranger, "productUpdate", SHOWN, product=theirs["id"], expectedRevision=1, name="Mine")[
            "errors"
        ]
    assert error["code"] == "NOT_FOUND"


def test_a_guest_sees_no_product(hub: Hub, client: Client) -> None:
    made(client)
    query = "mutation ($input: LightboxCreateInput!) { lightboxCreate(input: $input) { lightbox { id } } }"
    box = client.ask(query, input={"title": "A selection"})["lightboxCreate"]["lightbox"]["id"]
    viewer = guest(hub, client.viewer, lightbox_id=decode(box)[1])
    assert codes(Client(hub, viewer)) == []


def test_the_database_keeps_codes_and_deletes_no_product(hub: Hub, client: Client) -> None:
    made(client)
    for statement in (
        sa.update(ProductRow).values(code="OTHER", code_folded="OTHER"),
        sa.update(ProductRow).values(org_id=2),
        sa.delete(ProductRow),
    ):
        with pytest.raises(sa.exc.DBAPIError), hub.writing(HUB) as work:
            work.session.execute(statement.execution_options(synchronize_session=False))
    assert codes(client) == ["MUG-1"]


def test_plans_list_products_as_resolvers_do(hub: Hub, client: Client) -> None:
    for code in ("B", "A", "C"):
        made(client, code)
    plain = Client(replace(hub, settings=hub.settings.model_copy(update={"plans": False})), client.viewer)
    query = "{ products(first: 2) { totalCount nodes { id code name archivedAt organisation { id name } } } }"
    assert client.ask(query) == plain.ask(query)
