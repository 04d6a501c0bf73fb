"""What preparing a document leaves to the garbage collector, which stops every thread for as long as it looks."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from graphql import FieldNode, Node, Token, ValidationContext

from schema import prepared
from tests.bounds.attacks import ATTACKS

ORDINARY = """query ($after: String) {
  assets(first: 2, after: $after, where: {kind: {eq: IMAGE}}) { nodes { id ...Named } }
} fragment Named on Asset { title description }"""


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Only what a test leaves is collected, and only when it asks."""
    gc.collect()
    gc.freeze()
    gc.disable()
    yield
    gc.set_debug(0)
    gc.garbage.clear()
    gc.unfreeze()
    gc.enable()


def left_by(text: str) -> list[object]:
    """What nobody holds any more once the text was prepared, and what was not let go all the same."""
    gc.collect()
    gc.set_debug(gc.DEBUG_SAVEALL)
    prepared.prepared(text)
    gc.collect()
    gc.set_debug(0)
    left = list(gc.garbage)
    gc.garbage.clear()
    return left


@pytest.mark.usefixtures("uncollected")
def test_no_selection_of_a_hostile_document_is_left_to_be_collected_and_no_chain_of_tokens() -> None:
    left = {attack.name: left_by("," + attack.query) for attack in ATTACKS}
    fields = {name: sum(isinstance(each, FieldNode) for each in found) for name, found in left.items()}
    chained = {name for name, found in left.items() for each in found if isinstance(each, Token) and each.next}
    assert ({name: count for name, count in fields.items() if count > 1}, chained) == ({}, set())


@pytest.mark.usefixtures("uncollected")
def test_an_ordinary_document_is_kept_and_nothing_of_its_validation() -> None:
    left = left_by(ORDINARY)
    assert (known := prepared.known(ORDINARY)) is not None
    assert known.errors == ()
    assert not [each for each in left if isinstance(each, Node | Token | ValidationContext)]
