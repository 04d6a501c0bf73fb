"""Random histories of operations, changes by others, and taking back, against a model that only remembers."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain import founding, identity
from domain.hub import open_hub
from domain.work import HUB
from tests.asking import Client
from tests.assets import acts
from tests.bulk.library import Library, look, states
from tests.conftest import settings_at

ASSETS = 3
TAGS = ("old", "tag 0", "tag 1", "red", "blue")

changes = st.fixed_dictionaries(
    {},
    optional={
        "title": st.sampled_from(("one", "two")),
        "description": st.sampled_from(("words", None)),
        "addTags": st.lists(st.sampled_from(TAGS), min_size=1, max_size=2, unique=True),
        "decorative": st.booleans(),
        "archived": st.booleans(),
        "titles": st.sampled_from(([{"locale": "de", "text": "neu"}], [{"locale": "de", "text": None}])),
        "fields": st.sampled_from(
            (
                [{"key": "note", "value": {"text": "said"}}],
                [{"key": "note", "value": None}],
                [{"key": "seasons", "value": {"addChoices": ["summer"]}}],
                [{"key": "seasons", "value": {"removeChoices": ["spring"]}}],
                [{"key": "price", "value": {"number": "1"}}],
            )
        ),
    },
).filter(bool)
some = st.lists(st.integers(0, ASSETS - 1), min_size=1, max_size=ASSETS, unique=True)
steps = st.one_of(
    st.tuples(st.just("bulk"), some, changes),
    st.tuples(st.just("undo"), st.integers(0, 5), st.none()),
    st.tuples(st.just("alone"), st.integers(0, ASSETS - 1), st.sampled_from(("one", "mine"))),
)


@given(history=st.lists(steps, min_size=1, max_size=7))
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_after_any_history_taking_back_returns_what_nobody_changed_since(
    sqlite_template: Path, history: list[tuple[str, Any, Any]]
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "data" / "imprimatur.sqlite"
        path.parent.mkdir()
        shutil.copy(sqlite_template, path)
        hub = open_hub(settings_at(path.parent, database_url=f"sqlite:///{path}"))
        try:
            founding.found(hub)
            with hub.writing(HUB) as work:
                admin = identity.administrator(work)
            _play(Library.of(Client(hub, admin), ASSETS), history)
        finally:
            hub.close()


def _play(library: Library, history: list[tuple[str, Any, Any]]) -> None:
    #: Per operation, of each asset it changed, the values before and after by name.
    done: list[tuple[dict[str, Any], dict[str, dict[str, tuple[Any, Any]]]]] = []
    for sort, which, what in history:
        before = library.standing()
        if sort == "bulk":
            ids = [library.ids[each] for each in which]
            foreseen = library.preview({"assets": ids}, **what)
            operation = library.done(ids, **what)
            assert [foreseen[each] for each in COUNTS] == [operation[each] for each in COUNTS], what
            done.append((operation, _told(library, before, operation)))
        elif sort == "alone":
            found = acts.look(library.client, {"id": library.ids[which]})
            if "UPDATE" in found["viewerCan"]:
                acts.accepted(acts.change(library.client, "assetUpdate", found, title=what))
        elif which < len(done):
            operation, values = done[which]
            payload = library.client.mutate("bulkOperationUndo", "operation { id }", operation=operation["id"])
            if payload["errors"]:
                assert values is None or not values
                continue
            _check_undone(library, before, values)
            undone = look(library.client, payload["operation"])
            done[which] = (operation, {})
            done.append((undone, _told(library, before, undone)))


COUNTS = ("total", "changed", "unchanged", "refused")


def _told(library: Library, before: dict[str, Any], operation: dict[str, Any]) -> dict[str, dict[str, tuple[Any, Any]]]:
    """What changed, as the rows say; it is exactly what the operation says it changed."""
    after = library.standing()
    found: dict[str, dict[str, tuple[Any, Any]]] = {}
    for id_ in library.ids:
        names = before[id_].keys() | after[id_].keys()
        differing = {each for each in names if before[id_].get(each) != after[id_].get(each)}
        if differing:
            found[id_] = {each: (before[id_].get(each), after[id_].get(each)) for each in differing}
    changed = {
        item["asset"]["id"]
        for item, state in zip(operation["items"]["nodes"], states(operation), strict=True)
        if state == "CHANGED"
    }
    assert changed == set(found)
    return found


def _check_undone(library: Library, before: dict[str, Any], values: dict[str, dict[str, tuple[Any, Any]]]) -> None:
    """Each asset is wholly as it was, or wholly as somebody left it."""
    now = library.standing()
    for id_ in library.ids:
        expected = dict(before[id_])
        mine = values.get(id_, {})
        if all(before[id_].get(name) == after for name, (_, after) in mine.items()) and _may(before[id_], mine):
            for name, (earlier, _) in mine.items():
                expected.pop(name, None)
                if earlier is not None:
                    expected[name] = earlier
        assert now[id_] == expected, id_


def _may(standing: dict[str, Any], mine: dict[str, tuple[Any, Any]]) -> bool:
    """What is put away is not changed, unless taking back brings it back first."""
    archived = standing["lifecycle"][0] == "ARCHIVED"
    return not archived or "lifecycle" in mine or not mine
