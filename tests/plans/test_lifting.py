"""Texts that differ in their literals alone share one document and one plan, and are answered as if they did not."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from graphql import Lexer, Source, TokenKind, get_operation_ast, validate

from domain.global_ids import encode
from domain.hub import Hub
from domain.work import HUB, Viewer
from schema import bounds, execution, lifting, plans, prepared
from schema.built import built
from schema.cost import REQUEST, Allowance, of_reading
from schema.execution import Answered, Asked
from tests.identity import policy_world
from tests.plans import differential
from tests.plans.random_documents import Chooser

LITERALS = frozenset({TokenKind.INT, TokenKind.FLOAT, TokenKind.STRING, TokenKind.BLOCK_STRING})
WHOLE = """query { assets(first: %s, where: {byteSize: {from: %s}, createdAt: {from: %s}}) { nodes { id title } } }"""


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> None:
    for each in (lifting._met, lifting._forms):
        each._things.clear()
    for kept in (lifting._moulds, prepared._kept):
        kept._entries.clear()
        kept._characters = 0


@pytest.fixture
def brand(hub: Hub) -> policy_world.World:
    return differential.world(hub, 3)


@pytest.fixture
def asking(brand: policy_world.World) -> Asking:
    return Asking(brand.hub)


class Asking:
    """One who asks, and a twin whose hub has no plans and so lifts nothing."""

    def __init__(self, hub: Hub, viewer: Viewer = HUB) -> None:
        self.hub, self.viewer = hub, viewer
        self.plain = replace(hub, settings=hub.settings.model_copy(update={"plans": False}))
        self.spent: list[int] = []

    def __call__(self, text: str, **variables: Any) -> Answered:
        """The answer, which is the twin's as well."""
        asked = Asked(text, variables=variables)
        paid: list[int] = []
        reading = 0 if prepared.is_prepared(text) else of_reading(text)
        found = execution.answer(self.hub, self.viewer, asked, "test", _paying(self.spent))
        expected = execution.answer(self.plain, self.viewer, asked, "test", _paying(paid))
        assert differential._comparable(found.body) == differential._comparable(expected.body), text
        assert found.executed == expected.executed
        if paid:  # the twin finds a text read that was new to the one before it
            assert self.spent[-1] - paid[-1] in {0, reading}
        return found

    def is_lifted(self, text: str, **variables: Any) -> bool:
        """Asks for a new text, and whether it was answered without being prepared."""
        assert not prepared.is_prepared(text), text
        answered = plans.counted.answered
        found = execution.answer(self.hub, self.viewer, Asked(text, variables=variables), "test")
        lifted = plans.counted.answered > answered and not prepared.is_prepared(text)
        assert self(text, **variables).body == found.body
        return lifted


def _paying(spent: list[int]) -> Callable[[int], Allowance]:
    def spend(price: int) -> Allowance:
        spent.append(price)
        return Allowance(10**9, 10**9, datetime(2026, 1, 1, tzinfo=UTC))

    return spend


def test_random_operations_with_other_literals_are_answered_alike(brand: policy_world.World) -> None:
    chance, lifted = random.Random(4), 0
    chooser = Chooser(built._schema, chance, differential._ids(brand.hub), differential._cursors(brand.hub, HUB))
    viewers = brand.viewers()
    for _ in range(120):
        document, asking = chooser.document(), Asking(brand.hub, chance.choice((HUB, HUB, *viewers)))
        answered = plans.counted.answered
        asking(document.text, **document.variables)
        # What plans do not answer is not lifted, however often it is asked.
        for _ in range(7 if plans.counted.answered > answered else 1):
            text = _changed(document.text, chooser)
            if not prepared.is_prepared(text):
                lifted += asking.is_lifted(text, **document.variables)
    assert lifted > 20


def _changed(text: str, chooser: Chooser) -> str:
    """The text with each literal exchanged for another, mostly of its own kind."""
    chance, parts, last = chooser.chance, [], 0
    for token in _tokens(text):
        parts.append(text[last : token.start])
        last = token.end
        spelt = text[token.start : token.end]
        parts.append(_another(spelt, chooser) if chance.random() < 0.7 else spelt)
    return "".join((*parts, text[last:]))


def _tokens(text: str) -> Iterator[Any]:
    lexer = Lexer(Source(text))
    while (token := lexer.advance()).kind is not TokenKind.EOF:
        if token.kind in LITERALS:
            yield token


def _another(token: str, chooser: Chooser) -> str:
    chance = chooser.chance
    if chance.random() < 0.03:
        return chance.choice(
            ('"text"', "1", "1.5", "-1", "99999999999999999999", '"\\u00e9"', '"""\n  é\n"""', '"\\n"')
        )
    if not token.startswith('"'):
        return str(chance.choice((0, 1, 2, 3, 10, 15, 100, -0)))
    if re.match(r'"\d{4}-', token):
        return chance.choice(('"2026-01-01T00:00:00Z"', '"2026-01-02T12:00:00+02:00"', '"2026-13-01T00:00:00Z"'))
    ids = [each for some in chooser.ids.values() for each in some]
    return json.dumps(chance.choice((json.loads(token), chance.choice(ids), "image/png", "web")))


def test_ever_new_literals_share_one_plan(asking: Asking) -> None:
    texts = [WHOLE % (n, n * 7, f'"2026-01-{n:02}T00:00:00Z"') for n in range(1, 21)]
    assert [asking.is_lifted(text) for text in texts] == [False, False] + [True] * 18
    ((mould, _),) = lifting._moulds._entries.values()
    assert mould.prepared is not None
    (known,) = mould.prepared._plans.values()
    assert len(known.plans) == 1


def test_values_of_every_spelling_are_the_values_that_the_text_says(asking: Asking, brand: policy_world.World) -> None:
    text = "{ assets(first: 3) { totalCount } node(id: %s) { id } nodes(ids: [%s, %s]) { id } }"
    real, *others = (f'"{encode("Asset", number)}"' for number in brand.assets[:5])
    for other in others:
        asking(text % (real, other, real))
    real, lifted = real.strip('"'), 0
    escaped = "".join(f"\\u{ord(each):04x}" for each in real)
    for spelt in (
        *('"a"', '"b"', f'"{real}"', f'"{escaped}"', f'"""{real}"""', f'"""\n    {real}\n  """', '""', '""""""', "7"),
        *("-0", "0", "99999999999999999999999", '"\\u{1F600}"', '"\\ud83d\\ude00"', '"é\\n\\"\\\\"', '"""a \\""" b"""'),
        *('"\\ud800"', '"\\x"', "1.0", "1e3", "true", "null", "NAME", "007", '"#no comment"', "# 1\n 2", "1 # 2\n"),
    ):
        asking(text % (spelt, spelt, spelt))
        lifted += asking.is_lifted(text % (spelt, spelt, others[0]))
    assert lifted >= 4


@pytest.mark.parametrize(
    "values",
    [
        ("3", "99999999999999999999999999", '"2026-01-01T00:00:00Z"'),
        ("3", "9223372036854775808", '"2026-01-01T00:00:00Z"'),
        ("3", "-9223372036854775809", '"2026-01-01T00:00:00Z"'),
        ("2147483648", "3", '"2026-01-01T00:00:00Z"'),
        ("-0", "-0", '"2026-01-01T00:00:00Z"'),
        ("-1", "3", '"2026-01-01T00:00:00Z"'),
        ("101", "3", '"2026-01-01T00:00:00Z"'),
        ("3", "3", '"2026-02-30T00:00:00Z"'),
        ("3", "3", '"2026-01-01"'),
        ("3", "3", '"""2026-01-01T00:00:00Z"""'),
        ("3", "1" * 201, '"2026-01-01T00:00:00Z"'),
        ("3", '"3"', '"2026-01-01T00:00:00Z"'),
        ("3", "1e2", '"2026-01-01T00:00:00Z"'),
        ("3", "1.5", '"2026-01-01T00:00:00Z"'),
    ],
)
def test_a_value_that_does_not_fit_is_refused_in_the_words_for_its_text(asking: Asking, values: Sequence[str]) -> None:
    for n in range(3):
        asking(WHOLE % (n, n, '"2026-01-01T00:00:00Z"'))
    for _ in range(3):
        asking(WHOLE % tuple(values))


def test_a_variable_named_like_a_lifted_one_changes_nothing(asking: Asking) -> None:
    for n in range(2, 6):
        asking(WHOLE % (n, n, '"2026-01-01T00:00:00Z"'), lifted_0=1, lifted_1="no number", lifted_2=[[]])
    taken = (
        "query ($lifted_0: Int) { assets(first: $lifted_0) { totalCount } node(id: %s) { id } a: node(id: %s) { id } }"
    )
    for n in range(4):
        asking(taken % (n, n + 1), lifted_0=n)


@pytest.mark.parametrize(
    "text",
    [
        "query ($n: Int = %s) {{ assets(first: $n) {{ totalCount nodes {{ id }} }} nodes(ids: [%s]) {{ id }} }}",
        "{{ assets(first: %s, last: $n) {{ nodes {{ id }} }} asset(id: %s) {{ id }} }}",
        "query ($n: Int) {{ assets(first: %s, last: $n) {{ nodes {{ id }} }} asset(id: %s) {{ id }} }}",
        "{{ assets(first: %s) {{ nodes {{ id }} }} assets(first: %s) {{ nodes {{ title }} }} }}",
        "{{ assets(first: %s) {{ nodes {{ id }} }} }} query Other {{ assets(first: %s) {{ totalCount }} }}",
        "query A {{ assets(first: %s) {{ nodes {{ id }} }} }} query B {{ assets(first: %s) {{ totalCount }} }}",
        "mutation {{ tagCreate(input: {{name: %s, note: %s}}) {{ tag {{ id }} }} }}",
        "subscription {{ changes(after: %s, first: %s) {{ id }} }}",
        "{{ assets(first: %s) @skip(if: %s) {{ totalCount }} }}",
        "# {0}\n{{ assets(first: %s) {{ totalCount }} more: assets(first: %s) {{ totalCount }} }} # {0}",
        '"""Described %s""" query {{ assets(first: %s) {{ totalCount }} }}',
    ],
)
def test_whatever_may_not_be_lifted_is_answered_as_before(asking: Asking, text: str) -> None:
    spelt = text.replace("{{", "{").replace("}}", "}").replace("{0}", '1 "')
    for first, second in ((1, 1), (2, 2), (3, 3), (3, 3), (4, 5), (6, 5), (7, 7), (1, 2)):
        asking(spelt % (first, second), n=2)


def test_literals_that_stay_are_part_of_what_is_shared(asking: Asking) -> None:
    text = "query ($n: Int = %s) { assets(first: $n) { nodes { id } } more: assets(first: %s) { totalCount } }"
    told = [asking.is_lifted(text % (default, n)) for default in (2, 3) for n in range(1, 7)]
    assert told == [False, False, False, True, True, True, False, False, True, True, True, True]


def test_a_lifted_text_costs_what_it_would_have_cost_and_is_paid_once(asking: Asking) -> None:
    text = "query ($n: Int) { assets(first: %s) { nodes { tags { id } } } more: assets(last: $n) { nodes { id } } }"
    for n in range(1, 12):
        asking.spent.clear()
        asking(text % n, n=n)
        made = prepared.prepared(text % n)
        assert made.document is not None
        operation = get_operation_ast(made.document)
        assert operation is not None
        assert asking.spent == [made.price(operation)({"n": n}) - REQUEST]
    assert len(lifting._moulds) == 1


def test_who_is_not_answered_by_the_plan_pays_once_and_is_answered_in_the_text_s_own_words(asking: Asking) -> None:
    text = "{ assets(first: %s) { nodes { id } } }"
    for n in (1, 2, 3):
        asking(text % n)
    asking.spent.clear()
    found = asking(text % 1001)
    assert b'"errors"' in found.body
    assert len(asking.spent) == 1


def test_whoever_may_not_spend_is_refused_before_anything_is_read(asking: Asking) -> None:
    class SpentError(Exception):
        pass

    def spend(_: int) -> None:
        raise SpentError

    for n in (1, 2, 3):
        asking(WHOLE % (n, n, '"2026-01-01T00:00:00Z"'))
    answered = plans.counted.answered
    text = WHOLE % (4, 4, '"2026-01-01T00:00:00Z"')
    with pytest.raises(SpentError):
        execution.answer(asking.hub, HUB, Asked(text), "test", spend)
    assert plans.counted.answered == answered
    assert not prepared.is_prepared(text)


def test_an_invalid_text_is_validated_once(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    validated = []

    def counting(*given: Any, **named: Any) -> Any:
        validated.append(given)
        return validate(*given, **named)

    monkeypatch.setattr("schema.reading.validate", counting)
    for _ in range(3):
        assert b"GRAPHQL_VALIDATION_FAILED" in asking("{ assets(first: 1) { nothing } }").body
    assert len(validated) == 1


def test_what_is_remembered_is_bounded(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifting, "_moulds", prepared.Latest(3, 400))
    for at in range(8):
        for n in (1, 2, 3):
            asking(f"{{ assets(first: {n}) {{ totalCount a{at}: nodes {{ id }} }} }}")
    assert 1 <= len(lifting._moulds) <= 3
    assert lifting._met._most == lifting._forms._most == lifting.MOST_SKELETONS
    assert bounds.CHARACTERS.most >= lifting.MOST_CHARACTERS


def test_latest_forgets_what_was_used_longest_ago_and_counts_characters() -> None:
    kept: prepared.Latest[str] = prepared.Latest(3, 100)
    for name in "abc":
        kept.keep(name, name, 10)
    assert kept.find("a") == "a"
    kept.keep("d", "d", 10)
    assert [kept.find(name) for name in "abcd"] == ["a", None, "c", "d"]
    kept.keep("d", "d", 95)
    assert [kept.find(name) for name in "acd"] == [None, None, "d"]
    kept.keep("e", "e", 500)
    assert [kept.find(name) for name in "de"] == [None, "e"]


@pytest.mark.parametrize(
    "hostile",
    [
        '"' + "a" * 99_000,
        '"' + '\\"' * 9_900,
        '"""' + '\\"' * 9_900,
        '"""' + 'a"' * 9_900,
        "1" * 19_900 + "a",
        "1e" * 9_900,
        "-" * 19_900,
        "a1" * 9_900,
        "{ a" * 6_000 + "(b: 1)",
        '""' * 9_900,
        "[1," * 6_000,
        "1" * 1_000_000,
    ],
    ids=lambda text: f"{text[:4]!r}…",
)
def test_a_hostile_text_is_refused_as_before(asking: Asking, hostile: str) -> None:
    for text in (hostile, f"{{ asset(id: {hostile}) {{ id }} }}"):
        assert b'"errors"' in asking(text).body
        assert b'"errors"' in asking(text).body
