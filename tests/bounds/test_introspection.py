"""Where the operator turns introspection off, neither the schema nor a name in it is told or hinted at."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from graphql import get_introspection_query

from domain.hub import Hub
from domain.work import Viewer
from schema import execution
from schema.execution import Asked

one_store = pytest.mark.parametrize("stores", ["sqlite+disk"], indirect=True)

#: Each a name's breadth from one that there is.
NEARLY: tuple[tuple[str, dict[str, Any]], ...] = (
    ("{ mee { name } }", {}),
    ("{ me { nam } }", {}),
    ("{ assets(frist: 1) { totalCount } }", {}),
    ("{ assets(where: {knd: {eq: IMAGE}}) { totalCount } }", {}),
    ("{ assets(where: {kind: {eq: IMAG}}) { totalCount } }", {}),
    ("query ($w: AssetWher) { assets(where: $w) { totalCount } }", {}),
    ("{ node(id: 1) { ... on Asse { id } } }", {}),
    ("{ node(id: 1) { title } }", {}),
    ("{ me { name @skip(of: true) } }", {}),
    ("{ me { name @skp(if: true) } }", {}),
    ("query ($w: AssetWhere) { assets(where: $w) { totalCount } }", {"w": {"knd": {"eq": "IMAGE"}}}),
    ("query ($w: AssetWhere) { assets(where: $w) { totalCount } }", {"w": {"kind": {"eq": "IMAG"}}}),
    ("query ($k: AssetKind) { assets(where: {kind: {eq: $k}}) { totalCount } }", {"k": "IMAG"}),
)


def told(hub: Hub, admin: Viewer, query: str, variables: dict[str, Any], introspection: str) -> dict[str, Any]:
    changed = dataclasses.replace(hub, settings=hub.settings.model_copy(update={"introspection": introspection}))
    whole: dict[str, Any] = json.loads(execution.answer(changed, admin, Asked(query, variables=variables), "test").body)
    return whole


@one_store
def test_off_it_hints_at_nothing_and_on_it_helps(hub: Hub, admin: Viewer) -> None:
    helped = 0
    for query, variables in NEARLY:
        on, off = (told(hub, admin, query, variables, each)["errors"] for each in ("on", "off"))
        assert {error["extensions"]["code"] for error in on} == {error["extensions"]["code"] for error in off}
        assert "Did you mean" not in json.dumps(off), query
        helped += "Did you mean" in json.dumps(on)
    assert helped >= len(NEARLY) - 2


@one_store
def test_off_the_schema_is_not_told_however_it_is_asked_for(hub: Hub, admin: Viewer) -> None:
    for query in (
        get_introspection_query(),
        "{ __schema { queryType { name } } }",
        '{ me { name } x: __type(name: "Asset") { name } }',
        "{ ...F } fragment F on Query { ... { __schema { description } } }",
    ):
        assert told(hub, admin, query, {}, "on").get("errors") is None
        whole = told(hub, admin, query, {}, "off")
        (error,) = whole["errors"]
        assert error["extensions"]["code"] == "INTROSPECTION_OFF"
        assert "data" not in whole
    assert told(hub, admin, "{ __typename me { __typename } }", {}, "off")["data"]["__typename"] == "Query"
