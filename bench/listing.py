"""How long a page of assets takes among 100,000, on SQLite and on PostgreSQL: first page, page 1,000, totals, facets.

    uv run python -m bench.listing [--assets 100000] [--rounds 15] [--on sqlite postgres] [--write]

Every asset has one version, three READY renditions and about four of 400 tags, and two fields of the brand's own say
something of each other one; the databases have their statistics
(`ANALYZE`), without which SQLite reads every asset to find the current versions of twenty. The questions are asked as
a client asks them, as GraphQL documents through the whole schema, in one process and one thread. All questions take
turns, so that a busy machine is busy for each of them; the median of the rounds counts. `--write` keeps the figures in
`bench/.cache/listing.md`.
"""

from __future__ import annotations

import argparse
import hashlib
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from domain import custom_fields, founding, identity, pages
from domain.custom_fields import NewField
from domain.global_ids import encode
from domain.hub import Hub, open_hub
from domain.work import HUB, Viewer
from schema import execution
from schema.execution import Asked
from storage.settings import Settings
from storage.tables import (
    AssetFieldRow,
    AssetRow,
    AssetTagRow,
    AssetVersionRow,
    BlobRow,
    OrganisationRow,
    RenditionPresetRow,
    RenditionRow,
    Row,
    TagRow,
    TagSynonymRow,
)
from tests.asking import statements
from tests.servers import postgres

RESULTS = Path(__file__).parent / ".cache" / "listing.md"
START = datetime(2016, 1, 1, tzinfo=UTC)
TAGS = 400
#: By their keys, in the order of their ids.
FIELDS = {"rank": "NUMBER", "place": "TEXT"}
AT_ONCE = 5_000
NESTED = """nodes { id title kind lifecycle revision createdAt tags { name }
  current { number sha256 mediaType byteSize width height renditions { preset state width height url { url } } } }
  pageInfo { hasNextPage endCursor }"""


@dataclass(frozen=True)
class Question:
    name: str
    query: str
    variables: dict[str, Any]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--assets", type=int, default=100_000)
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--on", nargs="+", choices=("sqlite", "postgres"), default=["sqlite", "postgres"])
    options.add_argument("--write", action="store_true")
    asked = options.parse_args()
    parts = [_on(kind, asked.assets, asked.rounds) for kind in asked.on]
    whole = "\n".join([_head(asked.assets, asked.rounds), *parts])
    print(whole)
    if asked.write:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(whole)


def fill(hub: Hub, count: int) -> float:
    """Writes the rows in bulk; seconds that it took."""
    begun = time.monotonic()
    chance = random.Random(1)
    with hub.writing(HUB) as work:
        by = identity.administrator(work).principal_id
        presets = [
            (row.id, row.params_digest, row.format)
            for row in work.session.scalars(
                sa.select(RenditionPresetRow)
                .where(RenditionPresetRow.channel.is_(None))  # a channel's are made when they are wished for
                .order_by(RenditionPresetRow.id)
            )
        ]
        for table, rows in _tags():
            work.session.execute(sa.insert(table), rows)
        for key, type_ in FIELDS.items():
            custom_fields.create(work, NewField(key=key, type=type_, names={"und": key}))
    for start in range(0, count, AT_ONCE):
        numbers = range(start + 1, min(start + AT_ONCE, count) + 1)
        with hub.writing(HUB) as work:
            for table, rows in _assets(numbers, by, presets, chance):
                work.session.execute(sa.insert(table), rows)
            point = sa.update(AssetRow).where(AssetRow.id.in_(numbers)).values(current_version_id=AssetRow.id)
            work.session.execute(point.execution_options(synchronize_session=False))
    with hub.writing(HUB) as work:
        work.session.execute(sa.text("ANALYZE"))
    return time.monotonic() - begun


def questions(hub: Hub, viewer: Viewer, count: int) -> list[Question]:
    tag = encode("Tag", 1)
    plain = f"query ($after: String, $first: Int) {{ assets(first: $first, after: $after) {{ {NESTED} }} }}"
    asked = [
        Question("first page of 20, nested", plain, {"first": 20}),
        Question("page 1,000 of 20, nested", plain, {"first": 20, "after": _cursor(hub, viewer, 999 * 20)}),
        Question("first page of 100, nested", plain, {"first": 100}),
    ]
    if count >= 100_000:
        far = {"first": 100, "after": _cursor(hub, viewer, 97_800)}
        asked.append(Question("page 979 of 100, nested", plain, far))
    for field in ("TITLE", "UPDATED_AT", "CAPTURED_AT", "BYTE_SIZE"):
        query = f"{{ assets(orderBy: {{field: {field}}}) {{ {NESTED} }} }}"
        asked.append(Question(f"first page by {field}", query, {}))
    for key, type_ in FIELDS.items():
        query = f'{{ assets(orderBy: {{custom: "{key}"}}) {{ {NESTED} }} }}'
        asked.append(Question(f"first page by a field: {type_}", query, {}))
    for name, where in (
        ("one tag", f'{{tags: {{anyOf: ["{tag}"]}}}}'),
        ("a tag with 19 below it", f'{{tags: {{anyOf: ["{encode("Tag", 381)}"]}}}}'),
        ("PNGs wider than 3,000", '{mediaType: {eq: "image/png"}, width: {from: 3000}}'),
        ("captured in 2020", '{capturedAt: {from: "2020-01-01T00:00:00Z", to: "2021-01-01T00:00:00Z"}}'),
    ):
        asked.append(Question(f"first page of {name}", f"{{ assets(where: {where}) {{ {NESTED} }} }}", {}))
        asked.append(Question(f"totalCount of {name}", f"{{ assets(where: {where}) {{ totalCount }} }}", {}))
    asked.append(Question("totalCount of all", "{ assets { totalCount } }", {}))
    for by in ("KIND", "TAG", "MEDIA_TYPE", "YEAR"):
        query = f"{{ assets {{ facets(by: [{by}]) {{ values {{ label count }} }} }} }}"
        asked.append(Question(f"facet {by} of all", query, {}))
    return asked


def measured(hub: Hub, viewer: Viewer, asked: list[Question], rounds: int) -> dict[str, tuple[float, int]]:
    """Per question the median milliseconds and the number of SELECTs."""
    took: dict[str, list[float]] = {each.name: [] for each in asked}
    sent: dict[str, int] = {}
    for _ in range(rounds + 1):
        for each in asked:
            _something_happens(hub)
            with statements(hub) as seen:
                begun = time.perf_counter()
                answer = execution.answer(hub, viewer, Asked(each.query, variables=each.variables), "bench")
                took[each.name].append((time.perf_counter() - begun) * 1000)
            assert b'"errors"' not in answer.body, answer.body[:500]
            sent[each.name] = sum(not statement.startswith("BEGIN") for statement in seen)
    # The first round warms caches and compiled statements.
    return {name: (statistics.median(times[1:]), sent[name]) for name, times in took.items()}


def _something_happens(hub: Hub) -> None:
    """Elsewhere: so that whole answers, which are right until something is committed, are worked out anew."""
    with hub.writing(HUB) as work:
        work.session.execute(sa.update(OrganisationRow).values(name=OrganisationRow.name + "."))


def _on(kind: str, count: int, rounds: int) -> str:
    with _hub(kind) as hub:
        seconds = fill(hub, count)
        with hub.writing(HUB) as work:
            viewer = identity.administrator(work)
        found = measured(hub, viewer, questions(hub, viewer, count), rounds)
    lines = [f"## {kind}", "", f"{count:,} assets written in {seconds:.0f} s.", "", "| question | ms | statements |"]
    lines.append("|--|--|--|")
    lines += [f"| {name} | {ms:.1f} | {sent} |" for name, (ms, sent) in found.items()]
    near, far = found["first page of 20, nested"][0], found["page 1,000 of 20, nested"][0]
    lines += ["", f"Page 1,000 costs {far / near:.2f} × page 1 (20 to a page).", ""]
    return "\n".join(lines)


@contextmanager
def _hub(kind: str) -> Iterator[Hub]:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        if kind == "sqlite":
            yield from _opened(data, f"sqlite:///{data / 'bench.sqlite'}")
        else:
            with postgres.running_postgres() as server, postgres.fresh_database(server) as url:
                yield from _opened(data, url)


def _opened(data: Path, url: str) -> Iterator[Hub]:
    settings = Settings.model_validate({"data_dir": data, "database_url": url, "secret_key": "bench", "workers": 0})
    hub = open_hub(settings, upgrade=True)
    try:
        founding.found(hub)
        yield hub
    finally:
        hub.close()


def _tags() -> Iterator[tuple[type[Row], list[dict[str, Any]]]]:
    """The last twenty stand below tag 381."""
    names = [f"tag {number:03}" for number in range(1, TAGS + 1)]
    common = {"org_id": 1, "created_at": START, "updated_at": START, "revision": 1}
    yield (
        TagRow,
        [
            {"id": at, "name": name, "folded": name, "parent_id": 381 if at > 381 else None, **common}
            for at, name in enumerate(names, 1)
        ],
    )
    yield TagSynonymRow, [{"org_id": 1, "tag_id": at, "text": n, "folded": n} for at, n in enumerate(names, 1)]


def _assets(
    numbers: range, by: int | None, presets: list[tuple[int, str, str]], chance: random.Random
) -> Iterator[tuple[type[Row], list[dict[str, Any]]]]:
    digests = {number: hashlib.sha256(str(number).encode()).hexdigest() for number in numbers}
    made = {number: START + timedelta(minutes=number * 50, seconds=chance.randrange(50)) for number in numbers}
    yield BlobRow, [{"sha256": digests[n], "byte_size": 1000 + n, "created_at": made[n]} for n in numbers]
    yield AssetRow, [_asset(number, by, made[number], chance) for number in numbers]
    yield AssetVersionRow, [_version(number, by, digests[number], made[number], chance) for number in numbers]
    yield (
        RenditionRow,
        [
            {
                "org_id": 1,
                "version_id": number,
                "preset_id": preset,
                "params_digest": digest,
                "state": "READY",
                "media_type": f"image/{format_.lower()}",
                "width": 320,
                "height": 200,
                "byte_size": 9000,
                "sha256": digests[number],
                "updated_at": made[number],
            }
            for number in numbers
            for preset, digest, format_ in presets
        ],
    )
    yield AssetFieldRow, [said for number in numbers[::2] for said in _said(number, chance)]
    yield (
        AssetTagRow,
        [
            {"asset_id": number, "tag_id": tag, "origin": "USER", "created_at": made[number]}
            for number in numbers
            for tag in {min(TAGS, 1 + int(chance.expovariate(1 / 60))) for _ in range(4)}
        ],
    )


def _said(number: int, chance: random.Random) -> Iterator[dict[str, Any]]:
    common = {"asset_id": number, "locale": "", "place": 0}
    rank, place = chance.randrange(10**9), f"place {chance.randrange(10**6):06}"
    yield {**common, "field_id": 1, "type": "NUMBER", "word": f":{rank}", "number": rank, "text": None, "folded": None}
    yield {**common, "field_id": 2, "type": "TEXT", "word": place, "number": None, "text": place, "folded": place}


def _asset(number: int, by: int | None, made: datetime, chance: random.Random) -> dict[str, Any]:
    title = f"asset {chance.randrange(10**6):06} of {number}"
    return {
        "id": number,
        "org_id": 1,
        "kind": chance.choice(("IMAGE", "IMAGE", "IMAGE", "VIDEO", "DOCUMENT")),
        "title": title,
        "title_folded": title,
        "title_origin": "USER",
        "description_origin": "FILE_NAME",
        "lifecycle": "ARCHIVED" if number % 50 == 0 else "DRAFT",
        "created_at": made,
        "created_by": by,
        "updated_at": made + timedelta(days=chance.randrange(300)),
        "revision": 1,
    }


def _version(number: int, by: int | None, sha256: str, made: datetime, chance: random.Random) -> dict[str, Any]:
    captured = made - timedelta(days=chance.randrange(2000))
    return {
        "id": number,
        "asset_id": number,
        "number": 1,
        "sha256": sha256,
        "byte_size": 1000 + number,
        "file_name": f"file_{number}.jpg",
        "media_type": chance.choice(("image/jpeg", "image/jpeg", "image/png", "image/tiff")),
        "created_at": made,
        "created_by": by,
        "analysis_state": "READY",
        "width": chance.randrange(100, 8000),
        "height": chance.randrange(100, 8000),
        "captured_at": captured if chance.random() < 0.8 else None,
    }


def _cursor(hub: Hub, viewer: Viewer, skipped: int) -> str:
    """The cursor of the last asset of the pages before."""
    listed = sa.select(AssetRow.created_at, AssetRow.id).where(AssetRow.lifecycle != "ARCHIVED")
    newest = listed.order_by(AssetRow.created_at.desc(), AssetRow.id.desc()).offset(skipped - 1).limit(1)
    with hub.reading(viewer) as work:
        position = work.session.execute(newest).one_or_none()
        if position is None:
            raise SystemExit(f"There are too few assets for a page behind {skipped:,}.")
        return pages.cursor(work, pages.scope_of("assets", None, None, None, "DRAFT"), tuple(position))


def _head(count: int, rounds: int) -> str:
    machine = f"{platform.machine()} {platform.system()}, Python {platform.python_version()}, 2 cores"
    return f"""# A page of assets among {count:,}

`uv run python -m bench.listing --assets {count} --rounds {rounds} --write` on {datetime.now(UTC):%Y-%m-%d}; {machine}.
Milliseconds are medians over {rounds} rounds, whole GraphQL requests in one process; statements are SQL SELECTs.
"""


if __name__ == "__main__":
    main()
