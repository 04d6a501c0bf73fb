"""Licences and what they grant: conjunctions of conditions, caps on quantities, and duties."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.row import Row, one_of, only_when

LICENSE_KINDS = (
    "OWNED",
    "COMMISSIONED",
    "ROYALTY_FREE",
    "ROYALTY_FREE_EXTENDED",
    "RIGHTS_MANAGED",
    "EDITORIAL",
    "CREATIVE_COMMONS",
    "PUBLIC_DOMAIN",
    "MUSIC_SYNC",
    "TALENT",
    "FONT",
    "LIST",
    "UNKNOWN",
)
LICENSE_STATUSES = ("DRAFT", "ACTIVE", "SUSPENDED", "TERMINATED")
GRANT_EFFECTS = ("PERMIT", "PROHIBIT")
CAP_UNITS = ("COPIES", "IMPRESSIONS", "DISPLAYS", "PLACEMENTS", "SEATS", "VIEWS", "INSERTIONS", "PIECES")
CAP_PERIODS = ("TOTAL", "DAY", "MONTH", "YEAR")
DUTY_KINDS = (
    "CREDIT_ADJACENT",
    "CREDIT_ON_IMAGE",
    "CREDIT_AREA",
    "LINK_LICENSE",
    "INDICATE_CHANGES",
    "KEEP_METADATA",
    "KEEP_FILENAME",
    "SHARE_ALIKE",
    "NOTIFY_LICENSOR",
    "PAY_PER_USE",
    "APPROVAL_BY",
    "DISCLAIMER",
)


_COUNTING = "status IN ('ACTIVE', 'SUSPENDED')"


class LicenseRow(Row):
    """Begins as a DRAFT; from then on only its status moves, and a change is another licence that supersedes it.

    `ends_on` is the last day in its zone, so that a licence for one day ends on the day it starts on.
    """

    __tablename__ = "license"
    __table_args__ = (
        one_of("kind", LICENSE_KINDS),
        one_of("status", LICENSE_STATUSES),
        CheckConstraint("ends_on >= starts_on", name="window"),
        CheckConstraint("supersedes_id <> id", name="supersedes"),
        CheckConstraint("seats >= 1", name="seats"),
        CheckConstraint("(fee_minor IS NULL) = (fee_currency IS NULL) AND fee_minor >= 0", name="fee"),
        CheckConstraint("(status = 'DRAFT') = (activated_at IS NULL)", name="activated"),
        UniqueConstraint("org_id", "number"),
        UniqueConstraint("supersedes_id"),
        Index("uq_license_title", "org_id", "title", unique=True, **only_when(_COUNTING)),
        Index("ix_license_ends", "org_id", "ends_on", "id", **only_when("ends_on IS NOT NULL")),
        Index("ix_license_licensor", "licensor_id"),
        Index("ix_license_document", "document_asset_id", **only_when("document_asset_id IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    number: Mapped[str]
    title: Mapped[str]
    kind: Mapped[str]
    #: Which of the Creative Commons licences, such as `CC-BY-SA-4.0`.
    code: Mapped[str | None]
    status: Mapped[str]
    licensor_id: Mapped[int | None] = mapped_column(ForeignKey("party.id"))
    #: None: everybody's, as of Creative Commons.
    licensee_org_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    #: Organisations beside the licensee that may exercise it.
    end_user_org_ids: Mapped[list[Any]]
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    #: IANA.
    zone: Mapped[str]
    seats: Mapped[int | None]
    sublicensable: Mapped[bool]
    fee_minor: Mapped[int | None]
    fee_currency: Mapped[str | None]
    #: What the supplier calls the picture, and the order.
    supplier_item_id: Mapped[str | None]
    order_ref: Mapped[str | None]
    transaction_date: Mapped[date | None]
    document_asset_id: Mapped[int | None] = mapped_column(ForeignKey("asset.id"))
    terms_url: Mapped[str | None]
    plus_license_id: Mapped[str | None]
    #: Constraints in words that nobody turned into grants yet.
    free_text: Mapped[list[Any]]
    #: By which day's members groups of territories are read; None: by those of its first day.
    groups_as_of: Mapped[date | None]
    supersedes_id: Mapped[int | None] = mapped_column(ForeignKey("license.id"))
    created_at: Mapped[datetime]
    created_by: Mapped[int] = mapped_column(ForeignKey("principal.id"))
    updated_at: Mapped[datetime]
    activated_at: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": revision}


class LicenseGrantRow(Row):
    """One conjunction, of a licence or of a release: an empty list leaves that dimension open, but for actions,
    channels and territories, which are explicit. Lists are sorted and without doubles.
    """

    __tablename__ = "license_grant"
    __table_args__ = (
        one_of("effect", GRANT_EFFECTS),
        CheckConstraint("(license_id IS NULL) <> (release_id IS NULL)", name="holder"),
        CheckConstraint("ends_on >= starts_on", name="window"),
        CheckConstraint("max_page_share BETWEEN 1 AND 10000 AND max_edge_mm >= 1 AND max_edge_px >= 1", name="size"),
        UniqueConstraint("license_id", "number"),
        UniqueConstraint("release_id", "number"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    license_id: Mapped[int | None] = mapped_column(ForeignKey("license.id"))
    release_id: Mapped[int | None] = mapped_column(ForeignKey("release.id"))
    #: From 1, in the order in which they were written.
    number: Mapped[int]
    effect: Mapped[str]
    actions: Mapped[list[Any]]
    channels: Mapped[list[Any]]
    territories: Mapped[list[Any]]
    territories_except: Mapped[list[Any]]
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    purposes: Mapped[list[Any]]
    audiences: Mapped[list[Any]]
    industries: Mapped[list[Any]]
    products: Mapped[list[Any]]
    languages: Mapped[list[Any]]
    placements: Mapped[list[Any]]
    #: The only ones allowed, or any of which is forbidden; NONE: as it is.
    alterations: Mapped[list[Any]]
    #: Of the page in basis points; of the longer edge. None: of any size.
    max_page_share: Mapped[int | None]
    max_edge_mm: Mapped[int | None]
    max_edge_px: Mapped[int | None]


class GrantCapRow(Row):
    """How much a grant allows. What is used and reserved is counted here under the row's lock, and never beyond."""

    __tablename__ = "grant_cap"
    __table_args__ = (
        one_of("unit", CAP_UNITS),
        one_of("per", CAP_PERIODS),
        CheckConstraint("at_most >= 0 AND used >= 0 AND reserved >= 0", name="signs"),
        CheckConstraint("used + reserved <= at_most", name="kept"),
        UniqueConstraint("grant_id", "unit", "per"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    grant_id: Mapped[int] = mapped_column(ForeignKey("license_grant.id"))
    unit: Mapped[str]
    per: Mapped[str]
    at_most: Mapped[int]
    used: Mapped[int] = mapped_column(default=0)
    reserved: Mapped[int] = mapped_column(default=0)


class GrantDutyRow(Row):
    __tablename__ = "grant_duty"
    __table_args__ = (one_of("kind", DUTY_KINDS), Index("ix_grant_duty_grant", "grant_id", "kind"))

    id: Mapped[int] = mapped_column(primary_key=True)
    grant_id: Mapped[int] = mapped_column(ForeignKey("license_grant.id"))
    kind: Mapped[str]
    parameter: Mapped[str | None]
    #: Those that owe it; all of the grant's where none is named.
    actions: Mapped[list[Any]]


class LicenseSeatRow(Row):
    """An organisation that holds one of a licence's seats, until it is given back. A trigger keeps to their number."""

    __tablename__ = "license_seat"
    __table_args__ = (
        Index("uq_license_seat_held", "license_id", "org_id", unique=True, **only_when("released_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    license_id: Mapped[int] = mapped_column(ForeignKey("license.id"))
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    assigned_at: Mapped[datetime]
    assigned_by: Mapped[int] = mapped_column(ForeignKey("principal.id"))
    released_at: Mapped[datetime | None]


class OwnWorkRow(Row):
    """Under which licence an organisation's own work is, from the first of it on."""

    __tablename__ = "own_work"

    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True, autoincrement=False)
    license_id: Mapped[int] = mapped_column(ForeignKey("license.id"))
