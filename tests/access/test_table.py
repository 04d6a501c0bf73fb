"""The table of who is answered what holds for every query field and mutation that the schema has."""

from __future__ import annotations

import json
import re
from typing import Any

import graphql
import pytest

from domain.hub import Hub
from domain.work import Viewer
from schema import built, execution
from schema.execution import Asked
from tests.access.table import ACTORS, MUTATIONS, QUERIES
from tests.access.world import World
from tests.asking import Client
from tests.assets.acts import unchanged
from tests.schema.samples import SAMPLES

SCHEMA = graphql.build_schema(built.sdl())
#: A conflict was let through: the sample was made a second time.
WORDS: dict[str, str] = {"NOT_ALLOWED": "no", "NOT_FOUND": "--", "CONFLICT": "ok"}


@pytest.fixture
def world(hub: Hub, admin: Viewer) -> World:
    return World(hub, admin)


def test_the_table_speaks_of_every_query_field_and_every_mutation() -> None:
    assert SCHEMA.mutation_type is not None
    assert SCHEMA.query_type is not None
    assert set(MUTATIONS) == set(SCHEMA.mutation_type.fields)
    assert set(QUERIES) == set(SCHEMA.query_type.fields)
    rows = [*MUTATIONS.values(), *(words for _, words in QUERIES.values())]
    assert all(len(words.split()) == len(ACTORS) for words in rows)
    assert {word for words in rows for word in words.split()} == {"ok", "no", "--"}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_is_answered_as_the_table_says_and_a_refused_one_changes_nothing(world: World, name: str) -> None:
    expected = dict(zip(ACTORS, MUTATIONS[name].split(), strict=True))
    refused = [actor for actor in ACTORS if expected[actor] != "ok"]
    clients, given = world.actors, SAMPLES[name](world.brand)
    with unchanged(world.hub):
        told = {actor: asked(clients[actor], name, given) for actor in refused}
    for actor in [actor for actor in ACTORS if actor not in told]:
        told[actor] = accepted_as(world, name, actor)
    assert told == expected


def test_every_query_is_answered_as_the_table_says(world: World) -> None:
    """In one world, for none of them changes it."""
    told = {}
    for name, (asked, _) in QUERIES.items():
        document = re.sub(r"\$(\w+)", lambda found: json.dumps(world.things[found[1]]), f"{{ {asked} }}")
        found = {actor: answered(world, client, name, document) for actor, client in world.actors.items()}
        told[name] = " ".join(found[actor] for actor in ACTORS)
    assert told == {name: " ".join(words.split()) for name, (_, words) in QUERIES.items()}


def test_a_stranger_is_told_to_sign_in_whatever_they_ask(hub: Hub) -> None:
    told = {}
    for name in [*QUERIES, *MUTATIONS]:
        query = f"{{ {name} }}" if name in QUERIES else f"mutation {{ {name} }}"
        answer = execution.answer(hub, None, Asked(query), "test")
        (error,) = json.loads(answer.body)["errors"]
        told[name] = error["message"], error["extensions"]["code"]
    assert set(told.values()) == {("Sign in first.", "UNAUTHENTICATED")}, told


#: Fields that tell nothing of the things, or nothing at all of one that is not seen.
ABOUT_THE_HUB = frozenset(
    {"me", "rateLimit", "roles", "auditEvents", "auditVerify", "documents", "knownTerritoryGroups", "licenseTemplates"}
    | {"rightsDecision", "rightsMatrix"}
)


def accepted_as(world: World, name: str, actor: str) -> str:
    """What is accepted changes things: each is asked about new ones."""
    given = SAMPLES[name](world.brand)
    if "upload" in given:
        given["upload"] = world.actors[actor].upload(world.brand.picture())
    return asked(world.actors[actor], name, given)


def asked(client: Client, name: str, given: dict[str, Any]) -> str:
    query = f"mutation ($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) {{ errors {{ code }} }} }}"
    errors = client.ask(query, input=given)[name]["errors"]
    if not errors:
        return "ok"
    (error,) = errors
    code: str = error["code"]
    return WORDS.get(code, code)


def answered(world: World, client: Client, name: str, document: str) -> str:
    answer = client.answer(document)
    if errors := answer.get("errors"):
        code: str = min(error["extensions"]["code"] for error in errors)
        return WORDS.get(code, code)
    found = json.dumps(answer["data"][name], ensure_ascii=False)
    if name.startswith("renditionPreset") or name in ABOUT_THE_HUB:
        return "ok"
    mine = any(id_ in found for id_ in world.things.values()) or "secret" in found
    counts_others = '"totalCount": 0' not in found and '"totalCount"' in found and '"nodes": []' in found
    return "ok" if mine else "counts what it hides" if counts_others else "--"
