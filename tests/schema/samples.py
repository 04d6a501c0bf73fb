"""One acceptable input for every mutation there is, made when it is asked for.

A new mutation without an entry here fails `test_mutations.py`: from these inputs the tests derive made-up ids, stale
revisions and repetitions of every mutation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa

from domain.global_ids import encode
from domain.hub import Hub
from domain.renditions import Failure, finish, start
from domain.work import HUB
from storage.tables import AssetVersionRow, JobRow
from tests.asking import Client
from tests.assets import acts
from tests.schema import (
    samples_documents,
    samples_exports,
    samples_fields,
    samples_licensing,
    samples_lifecycle,
    samples_likeness,
    samples_people,
    samples_purchases,
    samples_renditions,
    samples_sharing,
    samples_usage,
    samples_webhooks,
)


@dataclass
class Brand:
    """A hub in use, and ways to get one more of anything in it."""

    hub: Hub
    client: Client
    made: list[int] = field(default_factory=lambda: [0])

    def picture(self) -> bytes:
        self.made[0] += 1
        return acts.picture(self.made[0])

    def upload(self) -> str:
        return self.client.upload(self.picture())

    def asset(self, versions: int = 1, **fields: Any) -> dict[str, Any]:
        asset = acts.created(self.client, self.picture(), **fields)
        for _ in range(1, versions):
            asset = acts.accepted(acts.add_version(self.client, asset, self.picture()))["asset"]
        return asset

    def archived(self) -> dict[str, Any]:
        asset: dict[str, Any] = acts.accepted(acts.change(self.client, "assetArchive", self.asset()))["asset"]
        return asset

    def approved(self) -> dict[str, Any]:
        asset = self.asset()
        given = {"version": asset["current"]["id"], "sha256": asset["current"]["sha256"]}
        acts.accepted(self.client.mutate("assetVersionApprove", "asset { id }", ownWork=True, **given))
        return asset

    def tag(self) -> dict[str, Any]:
        self.made[0] += 1
        return self.one("tagCreate", "tag", name=f"word {self.made[0]}")

    def lightbox(self, *assets: dict[str, Any]) -> dict[str, Any]:
        box = self.one("lightboxCreate", "lightbox", title="A selection")
        if not assets:
            return box
        ids = [asset["id"] for asset in assets]
        return self.one(
            "lightboxAssetsAdd", "lightbox", lightbox=box["id"], expectedRevision=box["revision"], assets=ids
        )

    def preset(self) -> dict[str, Any]:
        self.made[0] += 1
        wish = {"name": f"preset{self.made[0]}", "format": "PNG", "width": 10, "height": 10}
        return self.one("renditionPresetCreate", "preset", **wish)

    def failed_rendition(self) -> str:
        sha256 = self.asset()["current"]["sha256"]
        with self.hub.writing(HUB) as work:
            found = sa.select(AssetVersionRow.id).where(AssetVersionRow.sha256 == sha256)
            begun = start(work, work.session.scalars(found).one())
            assert begun is not None
            version, recipes = begun
            finish(work, version, dict.fromkeys(recipes, Failure("TRUNCATED", "The file ends too early.")))
            return encode("Rendition", min(recipes))

    def dead_job(self) -> str:
        self.asset()
        with self.hub.database.writing() as session:
            number = session.scalars(sa.select(sa.func.max(JobRow.id))).one()
            assert number is not None
            session.execute(sa.update(JobRow).where(JobRow.id == number).values(state="DEAD"))
            return encode("Job", number)

    def one(self, mutation: str, entity: str, **fields: Any) -> dict[str, Any]:
        query = f"""mutation ($input: {mutation[0].upper()}{mutation[1:]}Input!) {{
          {mutation}(input: $input) {{ {entity} {{ id revision }} errors {{ message }} }} }}"""
        payload = acts.accepted(self.client.ask(query, input=fields)[mutation])
        found: dict[str, Any] = payload[entity]
        return found


def revised(place: str, entity: dict[str, Any], /, **fields: Any) -> dict[str, Any]:
    return {place: entity["id"], "expectedRevision": entity["revision"], **fields}


def _update(brand: Brand) -> dict[str, Any]:
    asset = brand.asset(tags=["sea"])
    return revised("asset", asset, title="New", removeTags=[asset["tags"][0]["id"]])


def _restore_version(brand: Brand) -> dict[str, Any]:
    first = brand.asset()
    newer = acts.accepted(acts.add_version(brand.client, first, brand.picture()))["asset"]
    return {"version": first["current"]["id"], "expectedRevision": newer["revision"]}


def _approve(brand: Brand) -> dict[str, Any]:
    current = brand.asset()["current"]
    return {"version": current["id"], "sha256": current["sha256"], "ownWork": True}


def _place(brand: Brand) -> dict[str, Any]:
    inside, fresh = brand.asset(), brand.asset()
    return revised("lightbox", brand.lightbox(inside), assets=[fresh["id"]], before=inside["id"])


def _take_out(brand: Brand) -> dict[str, Any]:
    inside = brand.asset()
    return revised("lightbox", brand.lightbox(inside), assets=[inside["id"]])


SAMPLES: Final[dict[str, Callable[[Brand], dict[str, Any]]]] = {
    "assetCreate": lambda brand: {"upload": brand.upload()},
    "assetVersionAdd": lambda brand: revised("asset", brand.asset(), upload=brand.upload()),
    "assetVersionRestore": _restore_version,
    "assetUpdate": _update,
    "assetArchive": lambda brand: revised("asset", brand.asset()),
    "assetRestore": lambda brand: revised("asset", brand.archived()),
    "assetVersionApprove": _approve,
    "assetVersionApprovalRevoke": lambda brand: {"version": brand.approved()["current"]["id"]},
    "tagCreate": lambda brand: {"name": "a child", "parent": brand.tag()["id"]},
    "tagUpdate": lambda brand: revised("tag", brand.tag(), name="renamed", parent=brand.tag()["id"]),
    "tagMerge": lambda brand: revised("into", brand.tag(), **{"from": [brand.tag()["id"]]}),
    "lightboxCreate": lambda _: {"title": "A selection"},
    "lightboxUpdate": lambda brand: revised("lightbox", brand.lightbox(), title="Another"),
    "lightboxArchive": lambda brand: revised("lightbox", brand.lightbox()),
    "lightboxAssetsAdd": _place,
    "lightboxAssetsRemove": _take_out,
    "renditionPresetCreate": lambda _: {"name": "fresh", "format": "JPEG", "width": 100, "height": 100},
    "renditionPresetUpdate": lambda brand: revised("preset", brand.preset(), width=20),
    "renditionPresetArchive": lambda brand: revised("preset", brand.preset()),
    "renditionRequest": lambda brand: {"version": brand.asset()["current"]["id"], "preset": brand.preset()["id"]},
    "renditionRetry": lambda brand: {"rendition": brand.failed_rendition()},
    "jobRetry": lambda brand: {"job": brand.dead_job()},
    **samples_people.SAMPLES,
    **samples_renditions.SAMPLES,
    **samples_sharing.SAMPLES,
    **samples_webhooks.SAMPLES,
    **samples_exports.SAMPLES,
    **samples_fields.SAMPLES,
    **samples_licensing.SAMPLES,
    **samples_lifecycle.SAMPLES,
    **samples_likeness.SAMPLES,
    **samples_documents.SAMPLES,
    **samples_purchases.SAMPLES,
    **samples_usage.SAMPLES,
}
