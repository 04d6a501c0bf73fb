"""What a file says of itself, and what of it is taken over where the user gave nothing.

How to reach a person is never taken over: everybody who sees the asset may read its description, and find it by that.
Beside an approved version nothing is taken over from a newer one, for it would show to those who may not know of it.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from domain import contacts, history, public_face, reads, taxonomy, version_texts
from domain.reads import Below
from domain.texts import MAX_DESCRIPTION, MAX_TAG, MAX_TITLE, fold, paragraphs, tidy_line
from domain.work import Work
from storage.tables import AssetRow, AssetTagRow, AssetVersionRow, EventRow, MetadataRow

#: A stock agency's picture may carry hundreds of keywords; the first ones matter most.
MAX_PROPOSED_TAGS = 50
#: Letters of a namespace and a name together; they stand in an index, which takes no more than 2,700 bytes.
MAX_NAME = 200
#: Letters of an e-mail address with all that may surround it.
_LONGEST_ADDRESS = 1_000


#: What `of_versions` answers, as a read.
OF_VERSIONS: Final = Below(sa.select(MetadataRow), MetadataRow.version_id, (MetadataRow.namespace, MetadataRow.name))


@dataclass(frozen=True)
class Findings:
    """What analysis found. Width and height are in pixels as displayed; `captured_at` is an instant."""

    width: int | None = None
    height: int | None = None
    captured_at: datetime | None = None
    entries: Sequence[tuple[str, str, Any]] = ()
    title: str | None = None
    description: str | None = None
    keywords: Sequence[str] = ()
    #: The words in the file that it is found by.
    text: str = ""


def record(work: Work, version: AssetVersionRow, findings: Findings) -> None:
    """Keeps the findings of a version; those of the current one fill in what nobody has said of the asset."""
    version.width, version.height = findings.width, findings.height
    version.captured_at = findings.captured_at
    version.analysis_state, version.failure_code, version.failure_message = "READY", None, None
    work.session.execute(sa.delete(MetadataRow).where(MetadataRow.version_id == version.id))
    for namespace, name, value in findings.entries:
        if len(namespace) + len(name) > MAX_NAME:
            continue
        work.session.add(MetadataRow(version_id=version.id, namespace=namespace, name=name, value=value))
    version_texts.keep(work, version.id, findings.text)
    work.session.flush()
    _propose(work, version, findings)
    _record(work, version)


def record_failure(work: Work, version: AssetVersionRow, code: str, message: str) -> None:
    """The file could not be read; what was known of it stays."""
    if version.analysis_state != "READY":
        version.analysis_state, version.failure_code, version.failure_message = "FAILED", code, message
        _record(work, version)


def of_versions(work: Work, version_ids: Iterable[int]) -> dict[int, list[MetadataRow]]:
    found: dict[int, list[MetadataRow]] = defaultdict(list, reads.grouped(work, OF_VERSIONS, version_ids))
    return found


def _record(work: Work, version: AssetVersionRow) -> None:
    org_id = work.session.get_one(AssetRow, version.asset_id).org_id
    history.record(work, "asset.version_analysed", ("Asset", version.asset_id), {"version": version.id}, org_id=org_id)


def _propose(work: Work, version: AssetVersionRow, findings: Findings) -> None:
    rows = sa.select(AssetRow).where(AssetRow.id == version.asset_id).with_for_update(key_share=True)
    asset = work.session.scalars(rows.execution_options(populate_existing=True)).one()
    if asset.current_version_id != version.id or asset.approved_version_id not in {None, version.id}:
        return
    if filled := _fill_in(asset, findings):
        asset.updated_at = work.now
        work.session.flush()
    words = (word for word in map(tidy_line, findings.keywords) if 0 < len(word) <= MAX_TAG)
    keywords = [word for word in words if not contacts.is_in(word)]
    if keywords and not _tagged_by_hand(work, asset):
        room = taxonomy.MAX_TAGS_PER_ASSET - len(taxonomy.of_assets(work, [asset.id])[asset.id])
        ids = taxonomy.named(work, keywords[: min(MAX_PROPOSED_TAGS, room)])
        if taxonomy.attach(work, asset.id, ids, "METADATA"):
            _retagged(work, asset, filled=filled)


def _retagged(work: Work, asset: AssetRow, *, filled: bool) -> None:
    """All that one file says counts as one revision."""
    if not filled:
        asset.updated_at = work.now
        work.session.flush()
    public_face.retagged(work, asset)


def _fill_in(asset: AssetRow, findings: Findings) -> bool:
    """Whether anything is said of the asset now that was not before."""
    said = (asset.title, asset.description)
    title = tidy_line(contacts.without(_beginning(findings.title, MAX_TITLE)))[:MAX_TITLE]
    if title and asset.title_origin != "USER":
        asset.title, asset.title_folded, asset.title_origin = title, fold(title), "METADATA"
    told = contacts.without(_beginning(findings.description, MAX_DESCRIPTION))
    description = paragraphs(told[:MAX_DESCRIPTION], MAX_DESCRIPTION, ())
    if description and asset.description_origin != "USER":
        asset.description, asset.description_origin = description, "METADATA"
    return said != (asset.title, asset.description)


def _beginning(text: str | None, limit: int) -> str:
    """Composed, and enough of it that no address is cut in two where the limit then falls."""
    return unicodedata.normalize("NFC", (text or "")[: limit + _LONGEST_ADDRESS])


def _tagged_by_hand(work: Work, asset: AssetRow) -> bool:
    """Whether a person tagged it, or took tags away."""
    by_hand = sa.select(AssetTagRow.tag_id).where(AssetTagRow.asset_id == asset.id, AssetTagRow.origin == "USER")
    changed = sa.select(EventRow.id).where(
        EventRow.subject_type == "Asset",
        EventRow.subject_id == asset.id,
        EventRow.type == "asset.tags_changed",
    )
    return bool(work.session.scalar(sa.select(sa.or_(by_hand.exists(), changed.exists()))))
