"""Who uses which version, where and how much: decisions that were relied on, reservations, and what came of them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.row import Row, one_of, only_when

#: What a decision was made for: only these are kept, for something relies on them.
DECISION_MODES = ("RESERVE", "DELIVER")
USAGE_PHASES = ("RESERVED", "ACTUAL", "VOID")
#: Who says that it is used: somebody, or a delivery.
USAGE_SOURCES = ("MANUAL", "DELIVERY")
_OUT = "phase <> 'VOID' AND withdrawn_at IS NULL"


class RightsDecisionRow(Row):
    """A decision as it was made, with what was asked. Append-only."""

    __tablename__ = "rights_decision"
    __table_args__ = (
        one_of("mode", DECISION_MODES),
        Index("ix_rights_decision_version", "version_id", "id"),
        Index("ix_rights_decision_org", "org_id", "id"),
        Index(
            "ix_rights_decision_delivered",
            *("version_id", "org_id", "use_digest", "epoch", "renew_at"),
            **only_when("mode = 'DELIVER'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: Of the organisation that uses it.
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    version_id: Mapped[int] = mapped_column(ForeignKey("asset_version.id"))
    mode: Mapped[str]
    outcome: Mapped[str]
    #: SHA-256 of what was asked, in the bytes that equal questions have in common.
    request_digest: Mapped[str]
    request: Mapped[dict[str, Any]]
    #: Everything that was answered.
    explanation: Mapped[dict[str, Any]]
    policy_digest: Mapped[str]
    epoch: Mapped[int]
    decided_at: Mapped[datetime]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    #: After which it no longer holds, even if nothing changes.
    expires_at: Mapped[datetime]
    #: Of those for DELIVER, SHA-256 of the use alone, whichever version it is of; a use that moves on with the days has
    #: the same one each day.
    use_digest: Mapped[str | None]
    #: From when on an address asks for a new one; before it, one that is given out is covered as long as it may last.
    renew_at: Mapped[datetime | None]
    #: An earlier decision on the same use by the same organisation, under which the use is recorded.
    repeats_id: Mapped[int | None]


class UsageRow(Row):
    """One use of one version. Triggers keep what it is about as it was reserved; its phase moves once."""

    __tablename__ = "usage"
    __table_args__ = (
        one_of("phase", USAGE_PHASES),
        one_of("source", USAGE_SOURCES),
        CheckConstraint("ends_on >= starts_on", name="window"),
        CheckConstraint("(phase = 'RESERVED') = (resolved_at IS NULL)", name="resolved"),
        CheckConstraint("withdrawn_at IS NULL OR phase = 'ACTUAL'", name="withdrawn"),
        Index("ix_usage_version", "version_id", "id"),
        Index("ix_usage_org", "org_id", "id"),
        # What was delivered by one decision is one use, however often it is fetched.
        Index("uq_usage_delivered", "decision_id", unique=True, **only_when("source = 'DELIVERY'")),
        Index("ix_usage_running", "ends_on", "id", **only_when(_OUT)),
        Index("ix_usage_timeout", "expires_at", **only_when("phase = 'RESERVED'")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: The organisation that uses it.
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    version_id: Mapped[int] = mapped_column(ForeignKey("asset_version.id"))
    decision_id: Mapped[int] = mapped_column(ForeignKey("rights_decision.id"))
    action: Mapped[str]
    channel: Mapped[str]
    territories: Mapped[list[Any]]
    starts_on: Mapped[date]
    #: The last day that it is out.
    ends_on: Mapped[date]
    #: IANA, of both days.
    zone: Mapped[str]
    phase: Mapped[str]
    source: Mapped[str]
    #: What others call it: an order, a booking, an address.
    reference: Mapped[str | None]
    reserved_at: Mapped[datetime]
    reserved_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    #: When the reservation is let go by itself.
    expires_at: Mapped[datetime]
    #: Where more was used than was reserved: the decision that allowed it.
    further_decision_id: Mapped[int | None] = mapped_column(ForeignKey("rights_decision.id"))
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    #: Since when it is to be out no more, because its licence or a release that it rests on ended.
    withdrawn_at: Mapped[datetime | None]


class UsageRecordRow(Row):
    """What a use takes of one grant, or of one cap in one of its periods. Append-only: a reservation is resolved by one
    further record. Triggers count into `grant_cap` and `grant_cap_period`, which refuse what is too much.
    """

    __tablename__ = "usage_record"
    __table_args__ = (
        one_of("phase", USAGE_PHASES),
        CheckConstraint("quantity >= 0", name="quantity"),
        CheckConstraint("(phase = 'RESERVED') = (reservation_id IS NULL)", name="reservation"),
        CheckConstraint("cap_id IS NOT NULL OR period_starts_on IS NULL", name="period"),
        CheckConstraint("(cap_id IS NULL) = (unit IS NULL)", name="unit"),
        # Resolved once.
        UniqueConstraint("reservation_id"),
        Index("ix_usage_record_usage", "usage_id", "id"),
        Index("ix_usage_record_license", "license_id", "usage_id"),
        Index("ix_usage_record_cap", "cap_id", "id", **only_when("cap_id IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    usage_id: Mapped[int] = mapped_column(ForeignKey("usage.id"))
    #: The version that it is taken for: the one used, or one that it is made of.
    version_id: Mapped[int] = mapped_column(ForeignKey("asset_version.id"))
    license_id: Mapped[int | None] = mapped_column(ForeignKey("license.id"))
    grant_id: Mapped[int] = mapped_column(ForeignKey("license_grant.id"))
    cap_id: Mapped[int | None] = mapped_column(ForeignKey("grant_cap.id"))
    #: Of a cap that begins anew, the first day of the period.
    period_starts_on: Mapped[date | None]
    unit: Mapped[str | None]
    quantity: Mapped[int]
    phase: Mapped[str]
    reservation_id: Mapped[int | None] = mapped_column(ForeignKey("usage_record.id"))
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))


class GrantCapPeriodRow(Row):
    """What is used and reserved of a cap in one of its periods; those of TOTAL stand in `grant_cap` itself."""

    __tablename__ = "grant_cap_period"
    __table_args__ = (
        CheckConstraint("used >= 0 AND reserved >= 0", name="signs"),
        CheckConstraint("used + reserved <= at_most", name="kept"),
    )

    cap_id: Mapped[int] = mapped_column(ForeignKey("grant_cap.id"), primary_key=True, autoincrement=False)
    starts_on: Mapped[date] = mapped_column(primary_key=True)
    #: As the cap says, which never changes.
    at_most: Mapped[int]
    used: Mapped[int] = mapped_column(default=0)
    reserved: Mapped[int] = mapped_column(default=0)


class UsageAlertRow(Row):
    """That somebody was told so many days before a licence's end of a use that runs until then: each once."""

    __tablename__ = "usage_alert"
    __table_args__ = (Index("ix_usage_alert_license", "license_id"),)

    usage_id: Mapped[int] = mapped_column(ForeignKey("usage.id"), primary_key=True, autoincrement=False)
    license_id: Mapped[int] = mapped_column(ForeignKey("license.id"), primary_key=True, autoincrement=False)
    days: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: The end that was told of: a later one is told of anew.
    ends_on: Mapped[date] = mapped_column(primary_key=True)
    told_at: Mapped[datetime]
