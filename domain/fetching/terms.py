"""What is said of the files of a session: of all of them by its terms, and of one by whoever brings it.

What is said of one file comes after what is said of all, and takes its place: a description, a field, a text in a
language. Its tags, and choices that it adds, stand beside theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from domain import brands, custom_fields, identity, localised, organisations, taxonomy
from domain.assets import NewAsset
from domain.permissions import Permission
from domain.refusals import Invalid
from domain.taxonomy import MAX_TAGS_PER_ASSET
from domain.texts import MAX_DESCRIPTION, paragraphs
from domain.work import Work
from storage.tables import UploadSessionRow


@dataclass(frozen=True)
class Terms:
    """What all assets of a session have in common."""

    name: str
    description: str | None = None
    tags: Sequence[str] = ()
    org_id: int | None = None
    brand_id: int | None = None
    #: Whether each is declared the own work of whose it is to be.
    is_own_work: bool = False
    fields: Sequence[custom_fields.Given] = ()
    words: localised.Changes = field(default_factory=localised.Changes)
    #: Whether a file is refused of which less is said than its template's gate asks for.
    requires_complete: bool = False


@dataclass(frozen=True)
class Brought:
    """A finished upload, and what is said of its asset beside what the session says of all."""

    upload_id: str
    title: str | None = None
    description: str | None = None
    tags: Sequence[str] = ()
    fields: Sequence[custom_fields.Given] = ()
    words: localised.Changes = field(default_factory=localised.Changes)


def read(work: Work, terms: Terms) -> NewAsset:
    """What each file's asset is to be like. Refused, so that it is not said of every file: whatever no asset takes.
    Nothing is written and nothing held.
    """
    if len(terms.tags) > MAX_TAGS_PER_ASSET:
        raise Invalid(f"An asset carries at most {MAX_TAGS_PER_ASSET} tags.", ("terms", "tags"), "length")
    taxonomy.check_named(work, terms.tags, ("terms", "tags"))
    if terms.org_id is not None:
        where = ("terms", "organisation")
        organisations.is_open_to(work, Permission.ASSET_CREATE, terms.org_id, None, where)
    if terms.brand_id is not None:
        brands.fits(work, terms.brand_id, terms.org_id or work.viewer.org_id)
    return NewAsset(
        description=paragraphs(terms.description, MAX_DESCRIPTION, ("terms", "description")),
        tags=list(terms.tags),
        org_id=terms.org_id,
        brand_id=terms.brand_id,
        said=custom_fields.together(custom_fields.wanted(work, terms.fields, ("terms", "fields"))),
        words=localised.read(terms.words),
        is_own_work=terms.is_own_work,
    )


def check_may_bring(work: Work) -> None:
    """Sessions are for whoever may bring assets somewhere, and not for guests."""
    if work.viewer.on_behalf_of is not None or not work.viewer.holdings.anywhere(Permission.ASSET_CREATE):
        raise identity.not_allowed(Permission.ASSET_CREATE)


def kept(row: UploadSessionRow) -> NewAsset:
    """What was read of the session's terms."""
    return NewAsset(
        description=row.description,
        tags=list(row.tags),
        org_id=row.home_org_id,
        brand_id=row.brand_id,
        said=tuple(map(custom_fields.Wanted.restored, row.said)),
        words=localised.Changes(**row.words),
        is_own_work=row.is_own_work,
    )


def of_file(work: Work, common: NewAsset, brought: Brought) -> NewAsset:
    """What the asset of this file is to be like. Refused: what breaks a rule whatever the file holds."""
    words = localised.read(brought.words)
    return replace(
        common,
        title=brought.title,
        description=common.description if brought.description is None else brought.description,
        tags=list(dict.fromkeys((*common.tags, *brought.tags))),
        said=custom_fields.together([*common.said, *custom_fields.wanted(work, brought.fields)]),
        words=localised.Changes(
            titles={**common.words.titles, **words.titles},
            alts={**common.words.alts, **words.alts},
            decorative=common.words.decorative if words.decorative is None else words.decorative,
        ),
    )
