"""What those who see only what is approved are told of an asset's changes: all that they see, and nothing else."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from graphql import GraphQLEnumType, GraphQLObjectType, GraphQLScalarType, get_named_type, is_required_argument

from domain import metadata
from domain.assets import OrderField
from domain.global_ids import decode
from domain.hub import Hub
from domain.metadata import Findings
from domain.work import HUB, Viewer
from schema.built import built
from server.app import make_app
from storage.tables import AssetRow, AssetVersionRow, RoleRow, ShareRow
from tests import acting
from tests.asking import Client, rows_everywhere, statements
from tests.assets.acts import accepted, add_version, created, picture
from tests.imaging import made_metadata
from tests.server.caller import Caller
from tests.working import index_all, jobs_of, reads, work_off

#: Far from a full hour, so that signed addresses stay the same text.
BEGUN = datetime(2026, 5, 4, 10, 5, tzinfo=UTC)
FACETS = "facets(by: [KIND, MEDIA_TYPE, YEAR, TAG]) { by values { value label count } }"
PAGE = """totalCount didYouMean indexLagMs pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  edges { cursor score textMatches { field fragments { text matches } }
    node { id title revision updatedAt } }"""
LIST = """query ($first: Int, $after: String, $last: Int, $before: String, $search: String, $where: AssetWhere,
    $orderBy: [AssetOrder!], $stage: Stage) {
  assets(first: $first, after: $after, last: $last, before: $before, search: $search, where: $where,
    orderBy: $orderBy, stage: $stage) { %s } }"""
CHANGE = "query ($id: ID!) { asset(id: $id) { revision updatedAt } }"


@pytest.fixture
def hub(hub: Hub) -> Hub:
    """One whose clock goes on by a millisecond whenever it is looked at."""
    ticks = itertools.count()
    return dataclasses.replace(hub, clock=lambda: BEGUN + timedelta(milliseconds=next(ticks)))


@pytest.fixture
def org_id(hub: Hub) -> int:
    return acting.organisation(hub, "Outside")


@pytest.fixture
def partner(hub: Hub, org_id: int) -> Client:
    return Client(hub, acting.member(hub, "partner", org_id=org_id))


@pytest.fixture
def assets(hub: Hub, admin: Viewer, client: Client, org_id: int) -> list[dict[str, Any]]:
    """Five of the brand, approved and shared."""
    found = []
    for number in range(5):
        title, tags = f"Harbour {number}", ["harbour", f"pier {number}"]
        asset = created(client, picture(number), f"quay{number}.png", title=title, tags=tags, description="At dawn.")
        approve(client, asset["current"])
        share(hub, admin, asset, org_id)
        found.append(asset)
    work_off(hub)
    index_all(hub)
    return found


def approve(client: Client, version: dict[str, Any]) -> None:
    accepted(
        client.mutate(
            "assetVersionApprove", "asset { id }", ownWork=True, version=version["id"], sha256=version["sha256"]
        ),
    )


def share(hub: Hub, admin: Viewer, asset: dict[str, Any], org_id: int) -> None:
    with hub.writing(admin) as work:
        told = {"created_at": work.now, "created_by": admin.principal_id, "access": "READ"}
        work.session.add(ShareRow(org_id=1, to_org_id=org_id, asset_id=decode(asset["id"])[1], **told))


def shown(client: Client, asset: dict[str, Any]) -> tuple[int, str]:
    found = client.ask(CHANGE, id=asset["id"])["asset"]
    return found["revision"], found["updatedAt"]


def at_present(client: Client, asset: dict[str, Any]) -> dict[str, Any]:
    return asset | {"revision": shown(client, asset)[0]}


def draft(client: Client, asset: dict[str, Any], number: int = 90) -> dict[str, Any]:
    """A newer version of other bytes, that says much of itself under another name."""
    packet = made_metadata.xmp(
        '<dc:title><rdf:Alt><rdf:li xml:lang="x-default">Zeppelin</rdf:li></rdf:Alt></dc:title>'
        "<dc:subject><rdf:Bag><rdf:li>zeppelin</rdf:li><rdf:li>harbour</rdf:li></rdf:Bag></dc:subject>"
        '<dc:description><rdf:Alt><rdf:li xml:lang="x-default">A zeppelin.</rdf:li></rdf:Alt></dc:description>'
    )
    picture_with_words = made_metadata.jpeg(xmp=packet, comment=str(number).encode())
    payload = add_version(client, at_present(client, asset), picture_with_words, file_name="zeppelin.jpg")
    version: dict[str, Any] = accepted(payload)["version"]
    return version


def selection(type_: GraphQLObjectType, depth: int) -> str:
    """All that can be asked of the type without arguments, `depth` objects deep."""
    found = ["__typename"]
    for name, field in type_.fields.items():
        inner = get_named_type(field.type)
        if any(map(is_required_argument, field.args.values())):
            continue
        if isinstance(inner, GraphQLScalarType | GraphQLEnumType):
            found.append(name)
        elif isinstance(inner, GraphQLObjectType) and depth and inner.name not in {"Organisation", "AuditEvent"}:
            found.append(f"{name} {selection(inner, depth - 1)}")
    addresses = {
        "Asset": 'thumb: latestUrl(preset: "thumb")',
        "AssetVersion": 'thumb: rendition(preset: "thumb") { id }',
    }
    return f"{{ {' '.join(found)} {addresses.get(type_.name, '')} }}"


def everything(hub: Hub, viewer: Client, assets: list[dict[str, Any]], hidden: str) -> list[Any]:
    """Whatever the viewer may ask about the assets, and what they are answered."""
    return [
        *_about_each(viewer, assets),
        *_lists(viewer),
        *_words(viewer, hidden),
        *_files(hub, viewer, assets),
    ]


def _about_each(viewer: Client, assets: list[dict[str, Any]]) -> Iterator[Any]:
    type_ = built._schema.type_map["Asset"]
    assert isinstance(type_, GraphQLObjectType)
    whole = selection(type_, 2)
    for each in assets:
        yield viewer.answer(f"query ($id: ID!) {{ asset(id: $id) {whole} }}", id=each["id"])
        yield viewer.answer(f"query ($id: ID!) {{ node(id: $id) {{ ... on Asset {whole} }} }}", id=each["id"])


def _lists(viewer: Client) -> Iterator[Any]:
    for field in OrderField:
        for direction in ("ASC", "DESC"):
            for search in (None, "harbour dawn"):
                order = {"field": field.name, "direction": direction}
                yield from _pages(viewer, search=search, orderBy=[order])
    for stage in ("DRAFT", "APPROVED"):
        yield from _pages(viewer, stage=stage)
        yield from _pages(viewer, stage=stage, search="harbour OR zeppelin")
        for search in (None, "harbour"):
            yield viewer.answer(LIST % FACETS, stage=stage, search=search)
    for minutes in (0, 1, 24 * 60):
        border = (BEGUN + timedelta(milliseconds=minutes * 60_000 + 40)).isoformat()
        for where in ({"from": border}, {"to": border}):
            yield from _pages(viewer, where={"updatedAt": where})
            yield from _pages(viewer, where={"NOT": {"updatedAt": where}}, search="harbour")


def _pages(viewer: Client, **asked: Any) -> Iterator[Any]:
    """Every page of three, forwards and then backwards, on the cursors that were given out."""
    for first, after, start in (("first", "after", "endCursor"), ("last", "before", "startCursor")):
        cursor, more = None, "hasNextPage" if first == "first" else "hasPreviousPage"
        for _ in range(9):
            answer = viewer.answer(LIST % PAGE, **{first: 3}, **({after: cursor} if cursor else {}), **asked)
            yield answer
            if "errors" in answer or not answer["data"]["assets"]["pageInfo"][more]:
                break
            cursor = answer["data"]["assets"]["pageInfo"][start]


def _words(viewer: Client, hidden: str) -> Iterator[Any]:
    for text in ("zeppelin", "zepelin", "quay3", "quay", "file:zeppelin", "harbuor", "har*", f"{hidden[:9]}"):
        yield viewer.answer(LIST % PAGE, search=text)
    for prefix in ("ha", "zep", "qu", "pi"):
        yield viewer.answer("query ($p: String!) { suggest(prefix: $p) { text kind count } }", p=prefix)
    yield viewer.answer("query ($d: Sha256!) { assetsWithDigest(sha256: $d) { id } }", d=hidden)
    yield viewer.answer("{ tags(first: 50) { totalCount edges { cursor node { id name assetCount } } } }")


def _files(hub: Hub, viewer: Client, assets: list[dict[str, Any]]) -> Iterator[Any]:
    ask = Caller(make_app(hub))
    wanted = 'latestUrl(preset: "thumb") current { download { url } renditions { url { url } } }'
    for each in assets:
        told = viewer.ask(f"query ($id: ID!) {{ asset(id: $id) {{ {wanted} }} }}", id=each["id"])["asset"]
        urls = [*filter(None, [told["latestUrl"]]), told["current"]["download"]["url"]]
        urls += [made["url"]["url"] for made in told["current"]["renditions"] if made["url"]]
        assert len(urls) > 2
        for url in urls:
            answer = ask("GET", urlsplit(url).path)
            kept = {name: value for name, value in answer.headers.items() if name not in {"date", "x-request-id"}}
            kept["cache-control"] = re.sub(r"\d+", "…", kept["cache-control"])  # how long is left passes by itself
            assert answer.status_code in {200, 302, 303, 307}, answer.text
            yield (answer.status_code, kept, answer.content)


def test_an_unseen_draft_changes_nothing_that_a_partner_can_ask(
    hub: Hub, admin: Viewer, client: Client, partner: Client, org_id: int, assets: list[dict[str, Any]]
) -> None:
    """Byte for byte, before the index has heard of it and afterwards; also for one who sees drafts elsewhere."""
    other = acting.organisation(hub, "Studio")
    both = acting.member(hub, "designer", org_id=other)
    with hub.writing(HUB) as work:
        acting.give(hub, both.principal_id or 0, "partner", org_id=org_id, session=work.session)
    viewers = [partner, Client(hub, acting.again(hub, both))]
    index_all(hub)
    hidden = picture(90)
    digest = hashlib.sha256(hidden).hexdigest()
    before = [everything(hub, viewer, assets, digest) for viewer in viewers]
    earlier = len(jobs_of(hub))
    for each in assets[1:4:2]:
        draft(client, each, number=int(each["title"][-1]))
    after_adding = [everything(hub, viewer, assets, digest) for viewer in viewers]
    work_off(hub)
    made = Counter(job["kind"] for job in jobs_of(hub)[earlier:] if job["state"] == "DONE")
    assert made == {"look_at_bytes": 2, "render_version": 2, "compare_looks": 2, "compile_rights": 1}
    assert index_all(hub) > 0
    after_making = [everything(hub, viewer, assets, digest) for viewer in viewers]

    for found in (after_adding, after_making):
        for mine, others in zip(before, found, strict=True):
            assert len(mine) == len(others) > 120
            for one, another in zip(mine, others, strict=True):
                assert _without_lag(one) == _without_lag(another)
    assert client.ask(LIST % "totalCount", search="file:zeppelin")["assets"]["totalCount"] == 2
    assert shown(client, assets[1]) != shown(partner, assets[1])


def _without_lag(answer: Any) -> Any:
    """How long the index has not heard of something, of whatever asset, is everybody's to know."""
    if isinstance(answer, dict) and (found := (answer.get("data") or {}).get("assets")):
        found.pop("indexLagMs", None)
    return answer


def test_each_change_that_shows_is_counted_and_dated_for_a_partner(
    hub: Hub, client: Client, partner: Client, assets: list[dict[str, Any]]
) -> None:
    asset, before = assets[0], shown(partner, assets[0])
    older = asset["current"]
    newer = draft(client, asset)

    def update(**fields: Any) -> None:
        given = {"asset": asset["id"], "expectedRevision": shown(client, asset)[0], **fields}
        accepted(client.mutate("assetUpdate", "asset { id }", **given))

    def put_away_and_back() -> None:
        for mutation in ("assetArchive", "assetRestore"):
            given = {"asset": asset["id"], "expectedRevision": shown(client, asset)[0]}
            accepted(client.mutate(mutation, "asset { id }", **given))

    def revoke() -> None:
        accepted(client.mutate("assetVersionApprovalRevoke", "asset { id }", version=newer["id"]))

    acts: list[Callable[[], None]] = [
        lambda: update(title="Another"),
        lambda: update(description="At dusk."),
        lambda: update(addTags=["dusk"]),
        lambda: update(tags=["harbour"]),
        lambda: approve(client, newer),
        revoke,
        put_away_and_back,
    ]
    for act in acts:
        act()
        found = shown(partner, asset)
        assert found[0] > before[0]
        assert before[1] < found[1] == shown(client, asset)[1]
        before = found
    approve(client, newer)
    accepted(client.mutate("assetVersionApprovalRevoke", "asset { id }", version=older["id"]))
    assert shown(partner, asset)[0] > before[0] + 1  # an older version went from the list of versions
    before = shown(partner, asset)
    update(title="Another")
    assert shown(partner, asset) == before  # what reads as before is no change


def test_tags_taken_on_and_off_with_a_title_are_one_revision(client: Client, assets: list[dict[str, Any]]) -> None:
    revision = shown(client, assets[0])[0]
    given = {"asset": assets[0]["id"], "expectedRevision": revision, "title": "New", "tags": ["new"]}
    accepted(client.mutate("assetUpdate", "asset { id }", **given))
    assert shown(client, assets[0])[0] == revision + 1


def test_who_is_shown_a_revision_may_change_the_asset_at_it(
    hub: Hub, client: Client, org_id: int, assets: list[dict[str, Any]]
) -> None:
    """An editor who sees only what is approved: what they may not know of does not make them start again."""
    with hub.writing(HUB) as work:
        words = ["asset.view", "asset.update", "tag.create"]
        work.session.add(RoleRow(name="caption editor", permissions=words, created_at=work.now))
    editor = Client(hub, acting.member(hub, "caption editor"))
    revision = shown(editor, assets[0])[0]
    draft(client, assets[0])
    work_off(hub)
    assert revision == shown(editor, assets[0])[0]
    assert shown(editor, assets[0]) != shown(client, assets[0])
    given = {"asset": assets[0]["id"], "title": "Edited"}
    payload = editor.mutate("assetUpdate", "asset { title revision }", expectedRevision=revision, **given)
    assert payload == {"asset": {"title": "Edited", "revision": revision + 1}, "errors": []}
    before = rows_everywhere(hub)
    (error,) = editor.mutate("assetUpdate", "asset { id }", expectedRevision=revision, **given)["errors"]
    assert (error["__typename"], error["current"]) == ("StaleRevisionError", revision + 1)
    assert rows_everywhere(hub) == before


def test_what_a_draft_says_of_itself_is_not_taken_over_beside_an_approved_version(
    hub: Hub, client: Client, admin: Viewer
) -> None:
    asset = created(client, picture(1), "quay.png")
    approve(client, asset["current"])
    newer = draft(client, asset)
    work_off(hub)
    told = client.ask("query ($id: ID!) { asset(id: $id) { title description tags { name } } }", id=asset["id"])
    assert told["asset"] == {"title": "quay", "description": None, "tags": []}
    approve(client, newer)
    with hub.writing(admin) as work:  # as when the file is read again
        row = work.session.get_one(AssetVersionRow, decode(newer["id"])[1])
        metadata.record(work, row, Findings(title="Zeppelin", keywords=["zeppelin"]))
    told = client.ask("query ($id: ID!) { asset(id: $id) { title description tags { name } } }", id=asset["id"])
    assert told["asset"] == {"title": "Zeppelin", "description": None, "tags": [{"name": "zeppelin"}]}


def test_the_database_counts_whoever_writes(hub: Hub, assets: list[dict[str, Any]]) -> None:
    """Raw SQL: what shows moves the public revision by one, all else leaves it; a new row begins with its own date."""
    first = decode(assets[0]["id"])[1]
    counted = sa.select(AssetRow.public_revision).where(AssetRow.id == first)
    for change, steps in (
        ("title = 'By hand'", 1),
        ("title = 'By hand'", 0),
        ("description = NULL", 1),
        ("lifecycle = 'PUBLISHED'", 1),
        ("revision = revision + 1, title_folded = 'x'", 0),
        ("title = 'Counted', public_revision = public_revision + 1", 1),
        ("approved_version_id = NULL", 1),
        ("title = 'Nobody sees it'", 0),
    ):
        with hub.database.writing() as session:
            before = session.scalar(counted) or 0
            session.execute(sa.text(f"UPDATE asset SET {change} WHERE id = {first}"))
            assert session.scalar(counted) == before + steps, change
    columns = "org_id, kind, title, title_folded, title_origin, description_origin, lifecycle, created_at, created_by"
    with hub.database.writing() as session:
        session.execute(
            sa.text(
                f"INSERT INTO asset ({columns}, updated_at, revision)"
                f" SELECT {columns}, updated_at, 1 FROM asset WHERE id = {first}"
            )
        )
        newest = session.scalars(sa.select(AssetRow).order_by(AssetRow.id.desc()).limit(1)).one()
        session.refresh(newest)
        assert (newest.public_updated_at, newest.public_revision) == (newest.updated_at, 1)


@pytest.mark.usefixtures("assets")
def test_changes_are_asked_for_all_rows_at_once(hub: Hub, partner: Client) -> None:
    """Whoever asks and however many rows: no statement more."""
    asked = LIST % "nodes { id revision updatedAt }"
    partner.ask(asked, first=1)
    counts = set()
    for first in (1, 5):
        with statements(hub) as sent:
            partner.ask(asked, first=first, orderBy=[{"field": "UPDATED_AT", "direction": "DESC"}])
        counts.add(len(reads(sent)))
    assert len(counts) == 1
