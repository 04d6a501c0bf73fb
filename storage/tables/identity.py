"""Who is asking: organisations, principals (people and services) and their tokens."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.row import Row, one_of

PRINCIPAL_KINDS = ("PERSON", "SERVICE")


class OrganisationRow(Row):
    __tablename__ = "organisation"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    #: Materialised path of ids from the brand down, such as `/1/7/`.
    path: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]


class PrincipalRow(Row):
    __tablename__ = "principal"
    __table_args__ = (one_of("kind", PRINCIPAL_KINDS),)

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    kind: Mapped[str]
    name: Mapped[str]
    is_administrator: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class TokenRow(Row):
    """A bearer token: only its SHA-256 is kept, and the first characters so that a person recognises it."""

    __tablename__ = "token"

    id: Mapped[int] = mapped_column(primary_key=True)
    principal_id: Mapped[int] = mapped_column(ForeignKey("principal.id"), index=True)
    name: Mapped[str]
    digest: Mapped[str] = mapped_column(unique=True)
    prefix: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
