"""Who is asking: organisations, principals (people, services, guests), teams, roles, what they were granted, tokens."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, validates

from storage.tables.row import Row, one_of, only_when
from storage.types import Folded

PRINCIPAL_KINDS = ("PERSON", "SERVICE")
TOKEN_PURPOSES = ("API", "SESSION", "GUEST")
GRANT_SCOPES = ("ORGANISATION", "ASSET_KIND", "LIGHTBOX", "ASSET")


class OrganisationRow(Row):
    __tablename__ = "organisation"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    #: Materialised path of ids from the brand down, such as `/1/7/`.
    path: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    #: BRAND, AFFILIATE or AGENCY.
    kind: Mapped[str] = mapped_column(server_default="BRAND")
    archived_at: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(default=1, server_default="1")

    __mapper_args__ = {"version_id_col": revision}


class BrandRow(Row):
    """A brand of an organisation: what people outside know it by."""

    __tablename__ = "brand"
    __table_args__ = (UniqueConstraint("org_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    name: Mapped[str]
    created_at: Mapped[datetime]
    archived_at: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": revision}


class PrincipalRow(Row):
    """Somebody who acts. A guest is a SERVICE with a guest link: it acts by its token alone."""

    __tablename__ = "principal"
    __table_args__ = (
        one_of("kind", PRINCIPAL_KINDS),
        Index("uq_principal_email", "email", unique=True, **only_when("email IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    kind: Mapped[str]
    name: Mapped[str]
    #: As names are compared: `domain.texts.fold` of it, kept in step with it by itself.
    name_folded: Mapped[str] = mapped_column(Folded, server_default=text("''"))
    is_administrator: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    #: Folded; personal data.
    email: Mapped[str | None]
    disabled_at: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(default=1, server_default="1")

    __mapper_args__ = {"version_id_col": revision}

    @validates("name")
    def _fold(self, _key: str, name: str) -> str:
        self.name_folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
        return name


class CredentialRow(Row):
    """A person's password, as Argon2id made it unreadable."""

    __tablename__ = "credential"

    principal_id: Mapped[int] = mapped_column(ForeignKey("principal.id"), primary_key=True)
    hash: Mapped[str]
    changed_at: Mapped[datetime]


class ExternalIdentityRow(Row):
    """Who a person or service account is at an issuer: the pair never changes and is one's until it is taken back."""

    __tablename__ = "external_identity"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    principal_id: Mapped[int] = mapped_column(ForeignKey("principal.id"), index=True)
    issuer: Mapped[str]
    subject: Mapped[str]
    created_at: Mapped[datetime]


class InvitationRow(Row):
    """A way in for a person who was named but has not come yet; only the SHA-256 of its secret is kept."""

    __tablename__ = "invitation"

    id: Mapped[int] = mapped_column(primary_key=True)
    principal_id: Mapped[int] = mapped_column(ForeignKey("principal.id"), index=True)
    digest: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    created_by: Mapped[int] = mapped_column(ForeignKey("principal.id"))
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


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
    #: API, SESSION or GUEST.
    purpose: Mapped[str] = mapped_column(server_default="API")
    #: Permissions it is limited to; None for all that its owner holds.
    scopes: Mapped[list[Any] | None]
    #: Networks it may be used from, such as `192.0.2.0/24`; None for any.
    networks: Mapped[list[Any] | None]
    last_used_at: Mapped[datetime | None]
    #: The token that was made to take its place.
    replaced_by_id: Mapped[int | None] = mapped_column(ForeignKey("token.id"))


class TeamRow(Row):
    __tablename__ = "team"
    __table_args__ = (UniqueConstraint("org_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    name: Mapped[str]
    created_at: Mapped[datetime]
    archived_at: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": revision}


class TeamMemberRow(Row):
    __tablename__ = "team_member"

    team_id: Mapped[int] = mapped_column(ForeignKey("team.id"), primary_key=True)
    principal_id: Mapped[int] = mapped_column(ForeignKey("principal.id"), primary_key=True, index=True)
    joined_at: Mapped[datetime]


class RoleRow(Row):
    """A named set of permissions; the seeded ones can be changed like any other."""

    __tablename__ = "role"
    __table_args__ = (UniqueConstraint("name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    description: Mapped[str | None]
    permissions: Mapped[list[Any]]
    created_at: Mapped[datetime]
    archived_at: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": revision}


class GrantRow(Row):
    """A role given to a person or a team somewhere; or, as a denial, taken from them there."""

    __tablename__ = "access_grant"
    __table_args__ = (
        one_of("scope", GRANT_SCOPES),
        CheckConstraint("(principal_id IS NULL) <> (team_id IS NULL)", name="holder"),
        CheckConstraint("(scope = 'LIGHTBOX') = (lightbox_id IS NOT NULL)", name="lightbox"),
        CheckConstraint("(scope = 'ASSET') = (asset_id IS NOT NULL)", name="asset"),
        CheckConstraint("(scope = 'ASSET_KIND') = (asset_kind IS NOT NULL)", name="asset_kind"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: The organisation whose tree it covers; for a lightbox or an asset, the one that owns it.
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    principal_id: Mapped[int | None] = mapped_column(ForeignKey("principal.id"), index=True)
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"), index=True)
    role_id: Mapped[int] = mapped_column(ForeignKey("role.id"))
    is_denial: Mapped[bool] = mapped_column(default=False)
    scope: Mapped[str]
    lightbox_id: Mapped[int | None] = mapped_column(ForeignKey("lightbox.id"))
    asset_id: Mapped[int | None] = mapped_column(ForeignKey("asset.id"))
    asset_kind: Mapped[str | None]
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
