"""Hostile documents are refused with one sentence and a code, before anything runs and at a small price."""

from __future__ import annotations

import json
import re
import string
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLError, parse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.hub import Hub
from schema import bounds, cost, execution
from schema.bounds import BOUNDS
from schema.execution import Answered, Asked
from schema.prepared import MAX_MESSAGE, OVERLAPS
from tests.asking import Client, statements
from tests.bounds.attacks import ATTACKS

one_store = pytest.mark.parametrize("stores", ["sqlite+disk"], indirect=True)

CODE = re.compile(r"[A-Z][A-Z_]+")
INNARDS = re.compile(r"Traceback|\.py\b|sqlalchemy|RecursionError|/tmp/")


def answered(client: Client, query: str, variables: Any = None, **more: Any) -> tuple[Answered, dict[str, Any]]:
    found = execution.answer(client.hub, client.viewer, Asked(query, variables=variables, **more), "test")
    return found, json.loads(found.body)


@one_store
def test_every_attack_is_refused_with_one_sentence_and_a_code(client: Client, hub: Hub) -> None:
    assert len(ATTACKS) >= 60
    for attack in ATTACKS:
        with statements(hub) as sent:
            found, whole = answered(client, attack.query, attack.variables)
        (error,) = whole["errors"]
        assert error["extensions"]["code"] == attack.code, (attack.name, error["message"])
        assert 10 < len(error["message"]) <= MAX_MESSAGE, attack.name
        assert not INNARDS.search(error["message"]), attack.name
        assert (found.executed, "data" in whole, sent) == (False, False, []), attack.name
        assert len(found.body) < 2_000, attack.name


@one_store
def test_a_refusal_is_remembered_without_the_document_that_earned_it(client: Client) -> None:
    for attack in ATTACKS:
        first, again = (answered(client, attack.query, attack.variables)[0] for _ in range(2))
        assert first == again, attack.name


def test_every_limit_has_a_code_and_a_sentence_of_its_own() -> None:
    every = (*BOUNDS, OVERLAPS)
    assert len({bound.sentence for bound in every}) == len(every)
    assert len({bound.code for bound in every}) == len(every)
    for bound in every:
        assert CODE.fullmatch(bound.code)
        assert f"{bound.most:,}" in bound.refusal.message
        assert bound.refusal.message.endswith(".")


def test_every_limit_is_met_by_an_attack() -> None:
    met = {attack.code for attack in ATTACKS}
    assert {bound.code for bound in (*BOUNDS, OVERLAPS)} <= met


#: At the limit and one beyond it; the ordinary is never refused.
EDGES: tuple[tuple[str, Any], ...] = (
    ("TOO_MANY_ROOT_FIELDS", lambda n: "{ " + " ".join(f"a{i}: __typename" for i in range(n)) + " }"),
    ("TOO_MANY_ALIASES", lambda n: "{ me { " + " ".join(f"a{i}: name" for i in range(n)) + " } }"),
    ("TOO_MANY_OPERATIONS", lambda n: " ".join(f"query Q{i} {{ __typename }}" for i in range(n))),
    (
        "TOO_MANY_DIRECTIVES",
        lambda n: "{ me { " + "name @skip(if: false) " * n + " } }",
    ),
    ("TOO_MANY_TOKENS", lambda n: "{ " + "a " * (n - 2) + "}"),
    ("TOO_DEEP", lambda n: "{ " + "... { " * (n - 1) + "__typename" + " }" * (n - 1) + " }"),
    ("LIST_TOO_LONG", lambda n: "{ nodes(ids: [" + '"x" ' * n + "]) { id } }"),
    ("NAME_TOO_LONG", lambda n: "{ " + "x" * n + ": __typename }"),
    ("DOCUMENT_TOO_LONG", lambda n: "{ __typename " + " " * (n - 14) + "}"),
    ("TOO_MANY_FIELDS", lambda n: "{ me { " + "name " * (n - 1) + "} }"),
    ("TOO_MANY_FRAGMENTS", lambda n: "{ me { " + "...F " * n + "} } fragment F on Actor { name }"),
    ("TOO_MANY_VARIABLES", lambda n: f"query ({' '.join(f'$v{i}: Int' for i in range(n))}) {{ __typename }}"),
    (
        "OBJECT_TOO_LARGE",
        lambda n: "{ assets(where: {" + " ".join(f"a{i}: 1" for i in range(n)) + "}) { totalCount } }",
    ),
)


@one_store
@pytest.mark.parametrize(("code", "document"), EDGES, ids=[code for code, _ in EDGES])
def test_a_limit_holds_exactly(client: Client, code: str, document: Any) -> None:
    most = next(bound.most for bound in BOUNDS if bound.code == code)
    for count, refused in ((most, False), (most + 1, True)):
        _, whole = answered(client, document(count), operation_name="Q0" if "Q0" in document(count) else None)
        codes = {error["extensions"]["code"] for error in whole.get("errors", ())}
        assert (code in codes) is refused, (count, codes)


@one_store
def test_a_text_in_the_variables_may_be_as_long_as_is_said_and_no_longer(client: Client) -> None:
    (bound,) = (bound for bound in BOUNDS if bound.code == "TEXT_TOO_LONG")
    asked = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    for count, refused in ((bound.most, False), (bound.most + 1, True)):
        _, whole = answered(client, asked, {"ids": ["x" * count]})
        codes = {error["extensions"]["code"] for error in whole.get("errors", ())}
        assert (bound.code in codes) is refused, (count, codes)


@one_store
def test_the_variables_may_hold_as_many_values_as_is_said_and_no_more(client: Client) -> None:
    (bound,) = (bound for bound in BOUNDS if bound.code == "TOO_MANY_VALUES")
    asked = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    for count, refused in ((bound.most, False), (bound.most + 1, True)):
        # Twenty lists are values too, and one more.
        inner = [[0] * 999 for _ in range(bound.most // 1_000)] + [[]] * (count - bound.most)
        _, whole = answered(client, asked, {"ids": inner})
        codes = {error["extensions"]["code"] for error in whole.get("errors", ())}
        assert (bound.code in codes) is refused, (count, codes)


def test_fragments_within_fragments_cost_no_more_to_measure_than_to_write() -> None:
    """Ten times as many nodes are looked at for ten times the document, though it stands for 2^n times as many."""
    looked = []
    for length in (30, 300):
        count = 0

        class Counting(bounds._Measure):
            def count(self, *told: Any) -> None:
                nonlocal count
                count += 1
                super().count(*told)

        links = " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(length))
        document = f"{{ ...F0 }} {links} fragment F{length} on Query {{ me {{ name }} }}"
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(bounds, "_Measure", Counting)
            with pytest.raises(GraphQLError):
                bounds.check_document(parse(document))
        looked.append(count)
    assert looked[1] < 10.5 * looked[0]


#: Pieces that documents are made of, put together without sense.
PIECES = st.sampled_from(
    [
        *"{}()[]:=!|&@$,",
        "...",
        "query",
        "mutation",
        "subscription",
        "fragment",
        "on",
        "me",
        "name",
        "assets",
        "nodes",
        "nothing",
        "Query",
        "Asset",
        "first",
        "1",
        "1.5",
        "true",
        "null",
        '"x"',
        '"""x"""',
        '"',
        "$a",
        "@include(if: $a)",
        "@skip",
        "# x\n",
        "\u0000",
        "é",
        "\\u{110000}",
        "{ me { name } }",
        "query Q($a: Int) { assets(first: $a) { totalCount } }",
        "query ($a: ID! = 5) { asset(id: $a) { id } }",
        "{ assets(first: 101) { totalCount } }",
        '{ node(id: "x") { id } }',
        'mutation { assetCreate(input: {upload: "x"}) { errors { code } } }',
    ]
)
VARIABLES = st.one_of(
    st.none(),
    st.dictionaries(
        st.sampled_from(["a", "b"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(string.printable, max_size=9),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
            max_leaves=6,
        ),
        max_size=2,
    ),
)


@one_store
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
@given(pieces=st.lists(PIECES, max_size=12), variables=VARIABLES, name=st.sampled_from([None, "Q", "R"]))
def test_whatever_is_asked_every_error_has_a_sentence_and_a_code(
    client: Client, pieces: list[str], variables: Any, name: str | None
) -> None:
    found, whole = answered(client, " ".join(pieces), variables, operation_name=name)
    assert whole.get("errors") or found.executed
    for error in whole.get("errors", ()):
        assert CODE.fullmatch(error["extensions"]["code"]), error
        assert error["message"]
        assert error["extensions"]["code"] != "INTERNAL", (pieces, error)
        assert not INNARDS.search(error["message"])


@one_store
def test_a_document_full_of_mistakes_hears_of_twenty_and_no_more(client: Client) -> None:
    few = "{ me { " + " ".join(f"unknown{n}" for n in range(20)) + " } }"
    assert len(answered(client, few)[1]["errors"]) == 20
    (error,) = answered(client, few.replace("unknown0", "unknown0 unknown"))[1]["errors"]
    assert error["message"].startswith("This document has more than 20 mistakes. The first: ")
    assert error["locations"]


@one_store
def test_what_may_cost_too_much_is_refused_before_anything_is_read(client: Client, hub: Hub) -> None:
    query = "query ($n: Int) { assets(first: $n) { nodes { versions(first: $n) { nodes { renditions { id } } } } } }"
    for many in (100, 100.0):  # Int takes either
        with statements(hub) as sent:
            _, whole = answered(client, query, {"n": many})
        (error,) = whole["errors"]
        assert error["extensions"]["code"] == "COST_TOO_HIGH"
        assert error["extensions"]["cost"] > error["extensions"]["maximum"] == hub.settings.cost_limit
        assert sent == []
    assert answered(client, query, {"n": 10})[0].executed


def test_no_operation_may_cost_more_than_a_token_may_spend_at_once() -> None:
    assert cost.most(100_000, 600_000) == 100_000
    assert cost.most(100_000, 5_000) == 5_000
    assert cost.most(100_000, 0) == 100_000


def test_every_limit_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "operating.md").read_text()
    for bound in (*BOUNDS, OVERLAPS):
        assert f"| `{bound.code}` | {bound.most:,} " in page
    for word in (bounds.CYCLE, "COST_TOO_HIGH", "INTROSPECTION_OFF", f"costs {cost.REQUEST} "):
        assert word in page
