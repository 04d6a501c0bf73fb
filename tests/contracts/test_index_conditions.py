"""The filter tree on its own: what is too deep, too large, or compares apples with pears."""

from datetime import UTC, datetime

import pytest

from storage.index import conditions, nearest
from storage.index.conditions import (
    All,
    AnyOf,
    Between,
    Condition,
    ConditionError,
    HasTag,
    Is,
    Not,
    OneOf,
    StartsWith,
    check,
)
from tests.contracts.index_oracle import distance

LEAF = Is("kind", "PHOTO")
NOON = datetime(2024, 6, 1, 12, tzinfo=UTC)


def nested(depth: int) -> Condition:
    tree: Condition = LEAF
    for _ in range(depth - 1):
        tree = Not(tree)
    return tree


def test_a_sensible_filter_is_let_through() -> None:
    check(All((AnyOf((LEAF, HasTag((1, 2)))), Not(Between("width", 1, None)), Between("created_at", NOON, None))))
    check(All((OneOf("lifecycle", ("A", "B")), StartsWith("media_type", "image/"), Is("created_at", NOON), HasTag(()))))


def test_depth_and_size_are_limited_without_recursion() -> None:
    check(nested(conditions.MAX_DEPTH))
    check(All((LEAF,) * (conditions.MAX_NODES - 1)))
    for refused in (
        nested(conditions.MAX_DEPTH + 1),
        nested(100_000),
        All((LEAF,) * conditions.MAX_NODES),
        HasTag(tuple(range(conditions.MAX_VALUES + 1))),
    ):
        with pytest.raises(ConditionError):
            check(refused)


@pytest.mark.parametrize(
    "refused",
    [
        Is("width", "wide"),
        Is("width", True),
        Is("width", 2**63),
        Is("kind", 7),
        Is("nothing", 7),  # type: ignore[arg-type]
        Is("created_at", NOON.replace(tzinfo=None)),
        Is("created_at", 7),
        OneOf("kind", ("PHOTO", 7)),
        Between("kind", 1, 2),  # type: ignore[arg-type]
        Between("width", NOON, None),
        Between("captured_at", 1, 2),
        StartsWith("kind", "PH"),  # type: ignore[arg-type]
        HasTag(("red",)),  # type: ignore[arg-type]
    ],
    ids=repr,
)
def test_a_field_is_compared_only_with_its_own_kind_of_value(refused: Condition) -> None:
    with pytest.raises(ConditionError, match=r"^[^\n]+\.$"):
        check(Not(refused))


@pytest.mark.parametrize("target", ["campaign", "ab", "лето", "a", "summerr"])
def test_distances_to_many_words_are_those_to_each(target: str) -> None:
    words = ["campaign", "campaing", "capmaign", "champaign", "camp", "abc", "ba", "b", "", "лета", "летоо", "umsmerr"]

    expected = [(at, distance(word, target)) for at, word in enumerate(words) if distance(word, target) <= 2]

    assert nearest.within(words, target, 2) == expected
    assert nearest.within([], target, 2) == []
