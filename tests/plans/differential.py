"""Plans and ordinary execution held to each other, byte for byte, over random operations, data and viewers.

uv run python -m tests.plans.differential [--operations 5000] [--seed 1] [--on sqlite postgres]
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from domain import founding
from domain.global_ids import encode
from domain.hub import Hub, open_hub
from domain.work import HUB, Viewer, Work
from schema import execution, plans
from schema.built import built
from schema.execution import Asked
from storage.settings import Settings
from storage.tables import (
    AssetRow,
    AssetVersionRow,
    ComponentRow,
    EmbargoRow,
    PrincipalRow,
    RenditionPresetRow,
    RenditionRow,
    Row,
    TakedownRow,
)
from tests.identity import policy_world
from tests.identity.policy_world import NOW, START
from tests.plans import licensed
from tests.plans.random_documents import LISTS, Chooser, Document
from tests.servers import postgres

#: What can be asked for by its id.
NODES = {
    "Asset": "asset",
    "AssetVersion": "asset_version",
    "Rendition": "rendition",
    "RenditionPreset": "rendition_preset",
    "Tag": "tag",
    "Lightbox": "lightbox",
    "Organisation": "organisation",
    "Person": "principal",
    "License": "license",
    "LicenseGrant": "license_grant",
    "Party": "party",
    "Release": "release",
    "AssetRights": "asset_rights",
    "Embargo": "embargo",
    "Takedown": "takedown",
    "Exclusivity": "exclusivity",
    "Usage": "usage",
    "Supplier": "supplier",
    "Product": "product",
    "StockPurchase": "stock_purchase",
}


#: Before, at and after the moment at which everything is asked.
MOMENTS = tuple(NOW + each * timedelta(days=3) for each in (-20, -1, 0, 1, 20))


@dataclass
class Held:
    """What came of it: operations by outcome, and those that differed."""

    told: Counter[str]
    different: list[tuple[Document, bytes, bytes]]


def world(hub: Hub, seed: int) -> policy_world.World:
    """A random brand in the hub, at a fixed moment."""
    made = policy_world.made(replace(hub, clock=lambda: policy_world.NOW), seed)
    chance = random.Random(seed)
    with hub.writing(HUB) as work:
        presets = list(work.session.scalars(sa.select(RenditionPresetRow)))
        for version in work.session.scalars(sa.select(AssetVersionRow)):
            for preset in presets:
                work.session.add(_rendition(version, preset, chance))
        _stand_in_the_way(work, chance)
        licensed.lay_out(work, random.Random(seed))
    return made


def _stand_in_the_way(work: Work, chance: random.Random) -> None:
    """Takedowns in every state, embargoes over, in force and to come, and parts that these bar the whole by."""
    by = work.session.scalars(sa.select(PrincipalRow.id).order_by(PrincipalRow.id)).first()
    known = list(work.session.execute(sa.select(AssetRow.id, AssetRow.org_id).order_by(AssetRow.id)))
    for asset_id, org_id in chance.sample(known, len(known) // 6):
        row = TakedownRow(org_id=org_id, asset_id=asset_id, status="OPEN", opened_at=START, opened_by=by)
        work.session.add(row)
        work.session.flush()
        row.status = chance.choice(("OPEN", "ENFORCED", "LIFTED"))
        if row.status == "ENFORCED":
            row.enforced_at, row.enforced_by = START, by
        elif row.status == "LIFTED":
            row.lifted_at, row.lifted_by = START, by
    for asset_id, org_id in chance.sample(known, len(known) // 4):
        starts_at, ends_at = sorted(chance.sample(MOMENTS, 2))
        told = {"starts_at": chance.choice((None, starts_at)), "ends_at": chance.choice((None, ends_at))}
        lifted = {"lifted_at": START, "lifted_by": by} if chance.random() < 1 / 4 else {}
        embargo = EmbargoRow(org_id=org_id, asset_id=asset_id, placed_at=START, placed_by=by, **told, **lifted)
        work.session.add(embargo)
    versions = list(work.session.scalars(sa.select(AssetVersionRow.id).order_by(AssetVersionRow.id)))
    for composite, part in {tuple(sorted(chance.sample(versions, 2))) for _ in range(len(versions) // 4)}:
        row_of_part = ComponentRow(
            composite_version_id=composite, part_version_id=part, created_at=START, created_by=by
        )
        work.session.add(row_of_part)
    work.session.flush()


def _rendition(version: AssetVersionRow, preset: RenditionPresetRow, chance: random.Random) -> RenditionRow:
    state = chance.choice(("READY", "READY", "FAILED", "QUEUED", "RUNNING"))
    ready = state == "READY"
    return RenditionRow(
        org_id=1,
        version_id=version.id,
        preset_id=preset.id,
        params_digest=chance.choice((preset.params_digest, preset.params_digest, "0" * 64)),
        state=state,
        media_type="image/webp" if ready else None,
        width=chance.randrange(1, 400) if ready else None,
        height=chance.randrange(1, 400) if ready else None,
        byte_size=chance.randrange(10**12) if ready else None,
        sha256=version.sha256 if ready else None,
        failure_code="TRUNCATED" if state == "FAILED" else None,
        failure_message=chance.choice(("It ends “early”.", None)) if state == "FAILED" else None,
        updated_at=policy_world.START,
    )


def hold(hub: Hub, viewers: list[Viewer], operations: int, seed: int) -> Held:
    """`hub` is answered by plans, its twin without them by ordinary execution."""
    plain = replace(hub, settings=hub.settings.model_copy(update={"plans": False}))
    chooser = Chooser(built._schema, random.Random(seed), _ids(hub), _cursors(plain, viewers[-1]))
    held, failed = Held(Counter(), []), plans.counted.failed
    for _ in range(operations):
        document, viewer = chooser.document(), chooser.chance.choice(viewers)
        asked = Asked(document.text, variables=document.variables)
        before = plans.counted.answered
        expected = execution.answer(plain, viewer, asked, "test")
        assert plans.counted.answered == before
        # Twice: made, and remembered.
        for answered in (execution.answer(hub, viewer, asked, "test"), execution.answer(hub, viewer, asked, "test")):
            if _comparable(answered.body) != _comparable(expected.body):
                held.different.append((document, expected.body, answered.body))
        read = _at_hand(hub, viewer, asked)
        if read is not None:
            held.told["at hand"] += 1
            if _comparable(read) != _comparable(expected.body):
                held.different.append((document, expected.body, read))
        assert plans.counted.failed == failed, document
        assert hub.database.engine.pool.checkedout() == 0, document  # type: ignore[attr-defined]
        planned = plans.counted.answered > before
        held.told["planned" if planned else "executed" if b'"errors"' not in expected.body else "refused"] += 1
    return held


def _at_hand(hub: Hub, viewer: Viewer, asked: Asked) -> bytes | None:
    """What a server's event loop would read by itself, with nothing kept of what was read before."""
    if not hub.database.epochs.are_at_hand:
        return None
    memory = plans.kept.of(hub.database)
    memory.values, memory.answers = plans.kept.Kept(), plans.kept.Answers()
    found = execution.at_hand(hub, viewer, asked)
    answered = None if found is None else found.read(hub.database.epochs.now())
    return None if answered is None else answered.body


def _comparable(body: bytes) -> bytes:
    """Without references to the log, which are made anew for each bug."""
    if b"INTERNAL" not in body:
        return body
    told = json.loads(body)
    for error in told.get("errors", ()):
        error["extensions"].pop("reference", None)
        error["message"] = error["message"].split("reference")[0]
    return json.dumps(told).encode()


def _ids(hub: Hub) -> dict[str, list[str]]:
    with hub.reading(HUB) as work:
        return {
            type_: [encode(type_, number) for number in work.session.scalars(sa.select(Row.metadata.tables[name].c.id))]
            or [encode(type_, 1)]
            for type_, name in NODES.items()
        } | {"Odd": [encode("Asset", 10**6), encode("Nothing", 1)]}


def _cursors(hub: Hub, viewer: Viewer) -> dict[str, list[str]]:
    """By root field those of some of its lists."""
    orders = ("", "(orderBy: [{field: TITLE}])", "(stage: APPROVED)", "(last: 20)")
    days = {"expiringLicenses": '(beforeDay: "2026-10-01")', "runningUsagesAfter": '(date: "2026-01-01")'}
    asked = [("assets", each) for each in orders] + [(each, days.get(each, "")) for each in LISTS]
    found: dict[str, list[str]] = {}
    for name, arguments in asked:
        query = f"{{ {name}{arguments} {{ edges {{ cursor }} }} }}"
        data: dict[str, Any] = json.loads(execution.answer(hub, viewer, Asked(query), "test").body)["data"]
        found.setdefault(name, []).extend(edge["cursor"] for edge in data[name]["edges"])
    return found


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--operations", type=int, default=5_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--on", nargs="+", choices=("sqlite", "postgres"), default=["sqlite", "postgres"])
    asked = options.parse_args()
    for kind in asked.on:
        with ExitStack() as stack:
            data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            url = f"sqlite:///{data / 'hub.sqlite'}"
            if kind == "postgres":
                server = stack.enter_context(postgres.running_postgres())
                url = stack.enter_context(postgres.fresh_database(server))
            told = {"data_dir": data, "database_url": url, "secret_key": "differential", "workers": 0}
            hub = open_hub(Settings.model_validate(told), upgrade=True)
            stack.callback(hub.close)
            founding.found(hub)
            brand = world(hub, asked.seed)
            held = hold(brand.hub, brand.viewers(), asked.operations, asked.seed)
            print(kind, dict(held.told), "different:", len(held.different), "failed:", plans.counted.failed)  # noqa: T201  # a command
            for document, expected, answered in held.different[:3]:
                print(document.text, document.variables, expected[:1000], answered[:1000], sep="\n", end="\n\n")  # noqa: T201


if __name__ == "__main__":
    main()
