"""Random histories of a handful of assets, through GraphQL, against a model of a few lines that must agree."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from domain import founding, identity
from domain.hub import open_hub
from domain.work import HUB
from tests.asking import Client, rows_everywhere
from tests.assets import acts
from tests.conftest import settings_at

#: As many different files as a history knows: few, so that they often meet again.
FILES = [acts.picture(number) for number in range(5)]
DIGESTS = [hashlib.sha256(data).hexdigest() for data in FILES]
#: Few assets as well, so that one of them lives through much.
MOST_ASSETS = 3
choice = st.integers(0, 11)
rarely = st.sampled_from([False, False, False, True])
Thing = TypeVar("Thing")
file_number = st.integers(0, len(FILES) - 1)
QUERY = """query ($id: ID!) { asset(id: $id) { title lifecycle revision viewerCan
  current { number sha256 } approved { number sha256 }
  versions(first: 100) { totalCount nodes { id number sha256 madeFrom { number } } } } }"""


@dataclass
class Known:
    """What the model knows of one asset. `versions` are file numbers, oldest first."""

    id: str
    title: str
    versions: list[int]
    version_ids: list[str]
    made_from: list[int | None] = field(default_factory=lambda: [None])
    revision: int = 1
    lifecycle: str = "DRAFT"
    approved: set[int] = field(default_factory=set)

    @property
    def archived(self) -> bool:
        return self.lifecycle == "ARCHIVED"


class History(RuleBasedStateMachine):
    def __init__(self, template: Path) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="history-"))
        shutil.copy(template, self.folder / "imprimatur.sqlite")
        self.hub = open_hub(settings_at(self.folder))
        founding.found(self.hub)
        with self.hub.writing(HUB) as work:
            self.client = Client(self.hub, identity.administrator(work))
        self.assets: list[Known] = []

    def teardown(self) -> None:
        self.hub.close()
        shutil.rmtree(self.folder)

    @precondition(lambda self: len(self.assets) < MOST_ASSETS)
    @rule(file=file_number, policy=st.sampled_from(["REFUSE", "REUSE", "DISTINCT"]), title=st.sampled_from("abc"))
    def create(self, file: int, policy: str, title: str) -> None:
        holders = [asset for asset in self.assets if file in asset.versions]
        twin = min(holders, key=lambda asset: (asset.archived, self.assets.index(asset)), default=None)
        payload = acts.create(self.client, FILES[file], title=title, onDuplicate=policy, reason="as it happens")
        if twin is not None and policy == "REFUSE":
            assert acts.refusal(payload)["existing"] == {"id": twin.id}
        elif twin is not None and policy == "REUSE":
            assert acts.accepted(payload)["asset"]["id"] == twin.id
        else:
            made = acts.accepted(payload)["asset"]
            assert payload["duplicateOf"] == (None if twin is None else {"id": twin.id})
            self.assets.append(Known(made["id"], title, [file], [made["current"]["id"]]))

    @precondition(lambda self: self.assets)
    @rule(at=choice, file=file_number, stale=rarely)
    def add_version(self, at: int, file: int, stale: bool) -> None:
        asset = pick(self.assets, at)
        payload = self.client.mutate(
            "assetVersionAdd",
            "version { id number }",
            asset=asset.id,
            upload=self.client.upload(FILES[file]),
            expectedRevision=asset.revision - stale,
        )
        others = [other for other in self.assets if file in other.versions]
        expected = None
        if stale:
            expected = "StaleRevisionError"
        elif asset.archived or file == asset.versions[-1]:
            expected = "ConflictError"
        elif others and asset not in others:
            expected = "DuplicateAssetError"
        if self.went(payload, expected):
            earlier = [number for number, there in enumerate(asset.versions) if there == file]
            self.grown(asset, file, earlier[-1] if earlier else None, payload["version"])

    @precondition(lambda self: self.assets)
    @rule(at=choice, version=choice)
    def make_current_again(self, at: int, version: int) -> None:
        asset = pick(self.assets, at)
        number = version % len(asset.versions)
        payload = self.client.mutate(
            "assetVersionRestore",
            "version { id number }",
            version=asset.version_ids[number],
            expectedRevision=asset.revision,
        )
        already = asset.versions[number] == asset.versions[-1]
        if self.went(payload, "ConflictError" if asset.archived or already else None):
            self.grown(asset, asset.versions[number], number, payload["version"])

    @precondition(lambda self: self.assets)
    @rule(at=choice, title=st.sampled_from("xyz"), stale=rarely)
    def update(self, at: int, title: str, stale: bool) -> None:
        asset = pick(self.assets, at)
        payload = self.client.mutate(
            "assetUpdate", "asset { id }", asset=asset.id, title=title, expectedRevision=asset.revision - stale
        )
        if self.went(payload, "StaleRevisionError" if stale else "ConflictError" if asset.archived else None):
            asset.title, asset.revision = title, asset.revision + 1

    @precondition(lambda self: self.living())
    @rule(at=choice)
    def archive(self, at: int) -> None:
        asset = pick(self.living(), at)
        acts.accepted(self.moved("assetArchive", asset))
        asset.lifecycle, asset.revision = "ARCHIVED", asset.revision + 1

    @precondition(lambda self: len(self.living()) < len(self.assets))
    @rule(at=choice)
    def restore(self, at: int) -> None:
        asset = pick([asset for asset in self.assets if asset.archived], at)
        acts.accepted(self.moved("assetRestore", asset))
        asset.lifecycle, asset.revision = "APPROVED" if asset.approved else "DRAFT", asset.revision + 1

    @precondition(lambda self: self.assets)
    @rule(at=choice, version=choice)
    def ask_for_what_has_happened_already(self, at: int, version: int) -> None:
        asset = pick(self.assets, at)
        again = self.moved("assetArchive" if asset.archived else "assetRestore", asset)
        assert acts.refusal(again)["__typename"] == "ConflictError"
        number = version % len(asset.versions)
        if number not in asset.approved:
            assert acts.refusal(self.revoked(asset, number))["__typename"] == "ConflictError"

    @precondition(lambda self: self.assets)
    @rule(at=choice, version=choice, other=st.just(0) | file_number)
    def approve(self, at: int, version: int, other: int) -> None:
        """Mostly with the digest of the version, sometimes with that of another file."""
        asset = pick(self.assets, at)
        number = version % len(asset.versions)
        seen = (asset.versions[number] + other) % len(FILES)
        payload = self.client.mutate(
            "assetVersionApprove", "asset { id }", ownWork=True, version=asset.version_ids[number], sha256=DIGESTS[seen]
        )
        expected = None
        if seen != asset.versions[number]:
            expected = "StaleSubjectError"
        elif asset.archived:
            expected = "ConflictError"
        if self.went(payload, expected) and number not in asset.approved:
            asset.approved.add(number)
            asset.lifecycle, asset.revision = "APPROVED", asset.revision + 1

    @precondition(lambda self: any(asset.approved for asset in self.assets))
    @rule(at=choice, which=choice)
    def revoke(self, at: int, which: int) -> None:
        asset = pick([asset for asset in self.assets if asset.approved], at)
        number = pick(sorted(asset.approved), which)
        acts.accepted(self.revoked(asset, number))
        asset.approved.remove(number)
        asset.revision += 1
        if not asset.approved and not asset.archived:
            asset.lifecycle = "DRAFT"

    @invariant()
    def every_asset_is_as_the_model_says(self) -> None:
        for asset in self.assets:
            assert self.client.ask(QUERY, id=asset.id)["asset"] == expected_of(asset)
        listed = self.client.ask("{ assets { totalCount } }")["assets"]["totalCount"]
        assert listed == sum(not asset.archived for asset in self.assets)

    @invariant()
    def there_is_one_event_for_each_change_and_one_blob_for_each_file(self) -> None:
        rows = rows_everywhere(self.hub)
        about = [row for row in rows["event"] if str(row[3]).startswith("asset.")]
        assert len(about) == sum(asset.revision for asset in self.assets)
        assert {DIGESTS[file] for asset in self.assets for file in asset.versions} <= {row[0] for row in rows["blob"]}
        assert list(self.hub.blobs.keys()) == sorted(row[0] for row in rows["blob"])

    def living(self) -> list[Known]:
        return [asset for asset in self.assets if not asset.archived]

    def moved(self, mutation: str, asset: Known) -> dict[str, Any]:
        return self.client.mutate(mutation, "asset { id }", asset=asset.id, expectedRevision=asset.revision)

    def revoked(self, asset: Known, number: int) -> dict[str, Any]:
        version = asset.version_ids[number]
        return self.client.mutate("assetVersionApprovalRevoke", "asset { id }", version=version)

    def went(self, payload: dict[str, Any], expected: str | None) -> bool:
        """Whether it was accepted, which it was exactly when no error was expected."""
        if expected is not None:
            assert acts.refusal(payload)["__typename"] == expected
        return expected is None and bool(acts.accepted(payload))

    def grown(self, asset: Known, file: int, made_from: int | None, version: dict[str, Any]) -> None:
        asset.versions.append(file)
        asset.made_from.append(made_from)
        asset.version_ids.append(version["id"])
        asset.revision += 1
        assert version["number"] == len(asset.versions)


@pytest.mark.timeout(600)
def test_random_histories_end_where_the_model_says(sqlite_template: Path) -> None:
    bounds = settings(
        max_examples=25,
        stateful_step_count=20,
        deadline=None,
        phases=(Phase.generate,),
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    begin: Any = partial(History, sqlite_template)  # a factory will do; the signature asks for a class
    run_state_machine_as_test(begin, settings=bounds)


def pick(things: Sequence[Thing], at: int) -> Thing:
    return things[at % len(things)]


def expected_of(asset: Known) -> dict[str, Any]:
    def told(at: int) -> dict[str, Any]:
        return {"number": at + 1, "sha256": DIGESTS[asset.versions[at]]}

    def origin(at: int) -> dict[str, Any] | None:
        made_from = asset.made_from[at]
        return None if made_from is None else {"number": made_from + 1}

    numbers = range(len(asset.versions))[::-1]
    can = (
        ["RESTORE", "DOWNLOAD", "TRASH"]
        if asset.archived
        else ["UPDATE", "ADD_VERSION", "APPROVE", "ARCHIVE", "DOWNLOAD", "SHARE", "TRASH"]
    )
    return {
        "title": asset.title,
        "lifecycle": asset.lifecycle,
        "revision": asset.revision,
        "viewerCan": can,
        "current": told(numbers[0]),
        "approved": told(max(asset.approved)) if asset.approved else None,
        "versions": {
            "totalCount": len(asset.versions),
            "nodes": [{"id": asset.version_ids[at], **told(at), "madeFrom": origin(at)} for at in numbers],
        },
    }
