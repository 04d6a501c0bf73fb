"""Whom rights come from and whom they are about: parties, and the releases that those in a picture sign."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.row import Row, one_of, only_when
from storage.types import Folded

PARTY_KINDS = ("PERSON", "ORGANISATION")
RELEASE_KINDS = ("MODEL", "MINOR", "PROPERTY", "TRADEMARK", "ARTWORK", "TALENT")
RELEASE_STATUSES = ("NON", "NAP", "UNLIMITED", "LIMITED")
#: PLUS: unknown, 25 or over, each year between, 14 or under.
MINOR_AGES = ("AG-UNK", "AG-A25", *(f"AG-A{age}" for age in range(24, 14, -1)), "AG-U14")


class PartyRow(Row):
    """A licensor, licensee, creator, owner, model or vendor; not somebody who signs in."""

    __tablename__ = "party"
    __table_args__ = (one_of("kind", PARTY_KINDS), Index("ix_party_name", "org_id", "name_folded", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    kind: Mapped[str]
    name: Mapped[str]
    name_folded: Mapped[str] = mapped_column(Folded)
    #: In the registry of the PLUS Coalition.
    plus_id: Mapped[str | None]
    email: Mapped[str | None]
    url: Mapped[str | None]
    #: ISO 3166-1 alpha-2.
    country: Mapped[str | None]
    created_at: Mapped[datetime]
    created_by: Mapped[int] = mapped_column(ForeignKey("principal.id"))
    updated_at: Mapped[datetime]
    archived_at: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": revision}


class ReleaseRow(Row):
    """What somebody in a picture, or whose thing is in it, allows. While its status is NON it waits for being signed;
    afterwards it is only ever revoked, once.
    """

    __tablename__ = "release"
    __table_args__ = (
        one_of("kind", RELEASE_KINDS),
        one_of("status", RELEASE_STATUSES),
        one_of("minor_age", MINOR_AGES),
        CheckConstraint("ends_on >= starts_on", name="window"),
        CheckConstraint("(revoked_at IS NULL) = (revoked_by IS NULL)", name="revoked"),
        UniqueConstraint("org_id", "number"),
        Index("ix_release_subject", "subject_party_id"),
        Index("ix_release_document", "signed_document_id", **only_when("signed_document_id IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    number: Mapped[str]
    kind: Mapped[str]
    subject_party_id: Mapped[int] = mapped_column(ForeignKey("party.id"))
    status: Mapped[str]
    minor_age: Mapped[str | None]
    #: Whether whoever signed for a minor is known.
    guardian: Mapped[bool]
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    #: IANA.
    zone: Mapped[str]
    groups_as_of: Mapped[date | None]
    signed_on: Mapped[date | None]
    #: The asset that holds what was signed.
    signed_document_id: Mapped[int | None] = mapped_column(ForeignKey("asset.id"))
    created_at: Mapped[datetime]
    created_by: Mapped[int] = mapped_column(ForeignKey("principal.id"))
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    revision: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": revision}
