"""What would become of files before they are brought: worked out without doing it.

It tells what `sessions.add` would do, and tests hold the two to each other. Nothing is written and nothing held: a
moment later something else may be true.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import sqlalchemy as sa

from domain import assets, brands, completeness, custom_fields, identity, intake, localised, organisations, taxonomy
from domain.assets import Content, NewAsset
from domain.completeness import Completeness, There
from domain.fetching import sessions, terms
from domain.fetching.terms import Brought, Terms
from domain.permissions import Permission
from domain.refusals import DuplicateAsset, FileRefused, Refusal
from domain.texts import MAX_DESCRIPTION, MAX_TITLE, line, paragraphs
from domain.work import Work
from storage.tables import AssetRow, CustomFieldRow


@dataclass(frozen=True)
class Foreseen:
    """What would become of one file, as its item would say; and how complete its asset would be, by what was said of it
    and not by what the file says itself.
    """

    upload_id: str
    name: str
    outcome: str
    reason: str | None = None
    sentence: str | None = None
    #: The asset that has these bytes, where the viewer may see it.
    asset_id: int | None = None
    completeness: Completeness | None = None


def foresee(work: Work, given: Terms, brought: Sequence[Brought]) -> list[Foreseen]:
    """Of each upload, in their order, what `add` would make of it in a session of these terms. Refuses what opening and
    adding would refuse as a whole.
    """
    terms.check_may_bring(work)
    sessions.check_some(brought, ("uploads",))
    common = terms.read(work, given)
    line(given.name, MAX_TITLE, ("terms", "name"))
    wanted = {each.upload_id: each for each in brought}
    names = {upload_id: intake.completed(work, upload_id).file_name for upload_id in wanted}
    arrived: set[str] = set()
    return [
        _one(work, given, common, each, names[each.upload_id], next(_nobodys(work)), arrived)
        for each in wanted.values()
    ]


def _nobodys(work: Work) -> Iterator[int]:
    """Ids that no asset has: each once in a unit of work, which keeps by id what it knows of assets."""
    ids: Iterator[int] = work.session.info.setdefault("nobodys_ids", count(-1, -1))
    return ids


def _one(
    work: Work, given: Terms, common: NewAsset, brought: Brought, name: str, id_: int, arrived: set[str]
) -> Foreseen:
    """Of one, before which the bytes of `arrived` would have arrived."""
    told: Completeness | None = None
    try:
        content = assets.of_upload(work, brought.upload_id)
        new = terms.of_file(work, common, brought)
        org_id = _home(work, content, new)
        _check_new(work, content, arrived)
        told = _completeness(work, content, new, org_id, id_)
        if given.requires_complete and told is not None:
            completeness.check_enough(told)
    except DuplicateAsset as known:
        return Foreseen(brought.upload_id, name, "DUPLICATE", asset_id=known.asset_id)
    except Refusal as refused:
        reason = refused.reason if isinstance(refused, FileRefused) else refused.code
        return Foreseen(brought.upload_id, name, "REFUSED", reason, refused.message, completeness=told)
    arrived.add(content.sha256)
    return Foreseen(brought.upload_id, name, "CREATED", completeness=told)


def _check_new(work: Work, content: Content, arrived: set[str]) -> None:
    if content.sha256 in arrived:
        raise DuplicateAsset(None)
    assets.check_new(work, content.sha256)


def _home(work: Work, content: Content, new: NewAsset) -> int:
    if new.org_id is None:
        identity.require_in_org(work, Permission.ASSET_CREATE, work.viewer.org_id, content.kind)
        return work.viewer.org_id
    where = ("organisation",)
    return organisations.is_open_to(work, Permission.ASSET_CREATE, new.org_id, content.kind, where)


def _completeness(work: Work, content: Content, new: NewAsset, org_id: int, id_: int) -> Completeness | None:
    """Of the asset, which has no row: `id_` is nobody's. Refuses what is said of it as its making would."""
    row = AssetRow(id=id_, org_id=org_id, kind=content.kind, lifecycle="DRAFT", created_by=work.viewer.principal_id)
    row.title_origin = "FILE_NAME" if new.title is None else "USER"
    if new.title is not None:
        line(new.title, MAX_TITLE, ("title",))
    row.description = paragraphs(new.description, MAX_DESCRIPTION, ("description",))
    if new.brand_id is not None:
        row.brand_id = brands.fits(work, new.brand_id, org_id)
    taxonomy.check_named(work, new.tags)
    fields = sa.select(CustomFieldRow).where(CustomFieldRow.id.in_([each.field_id for each in new.said]))
    known = {each.id: each for each in work.session.scalars(fields)} if new.said else {}
    said = {
        (id_, each.field_id) for each in new.said if custom_fields.foreseen(work, row, known[each.field_id], (), each)
    }
    words = localised.Words(
        titles={locale: text for locale, text in new.words.titles.items() if text is not None},
        alts={locale: text for locale, text in new.words.alts.items() if text is not None},
        decorative=bool(new.words.decorative),
    )
    localised.check_count(words)
    return completeness.foreseen(work, row, There({id_} if new.tags else (), said, {id_: words}))
