"""People and what each may see: teams, roles, grants, brands, shares, guests, ways to sign in; the approved pointer.

`asset.approved_version_id` names the newest version whose approval stands; a trigger refuses any other.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.types import Id, Instant, Json

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "role",
        sa.Column("id", Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("permissions", Json, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("archived_at", Instant(), nullable=True),
        sa.Column("revision", Id, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role")),
        sa.UniqueConstraint("name", name=op.f("uq_role_name")),
    )
    op.create_table(
        "brand",
        sa.Column("id", Id, nullable=False),
        sa.Column("org_id", Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("archived_at", Instant(), nullable=True),
        sa.Column("revision", Id, nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fk_brand_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_brand")),
        sa.UniqueConstraint("org_id", "name", name=op.f("uq_brand_org_id_name")),
    )
    op.create_table(
        "team",
        sa.Column("id", Id, nullable=False),
        sa.Column("org_id", Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("archived_at", Instant(), nullable=True),
        sa.Column("revision", Id, nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fk_team_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team")),
        sa.UniqueConstraint("org_id", "name", name=op.f("uq_team_org_id_name")),
    )
    op.create_table(
        "credential",
        sa.Column("principal_id", Id, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["principal_id"], ["principal.id"], name=op.f("fk_credential_principal_id")),
        sa.PrimaryKeyConstraint("principal_id", name=op.f("pk_credential")),
    )
    op.create_table(
        "external_identity",
        sa.Column("id", Id, nullable=False),
        sa.Column("principal_id", Id, nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["principal_id"], ["principal.id"], name=op.f("fk_external_identity_principal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_external_identity")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_external_identity_issuer_subject")),
    )
    op.create_index(op.f("ix_external_identity_principal_id"), "external_identity", ["principal_id"], unique=False)
    op.create_table(
        "invitation",
        sa.Column("id", Id, nullable=False),
        sa.Column("principal_id", Id, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", Id, nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("accepted_at", Instant(), nullable=True),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["principal.id"], name=op.f("fk_invitation_created_by")),
        sa.ForeignKeyConstraint(["principal_id"], ["principal.id"], name=op.f("fk_invitation_principal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("digest", name=op.f("uq_invitation_digest")),
    )
    op.create_index(op.f("ix_invitation_principal_id"), "invitation", ["principal_id"], unique=False)
    op.create_table(
        "team_member",
        sa.Column("team_id", Id, nullable=False),
        sa.Column("principal_id", Id, nullable=False),
        sa.Column("joined_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["principal_id"], ["principal.id"], name=op.f("fk_team_member_principal_id")),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_team_member_team_id")),
        sa.PrimaryKeyConstraint("team_id", "principal_id", name=op.f("pk_team_member")),
    )
    op.create_index(op.f("ix_team_member_principal_id"), "team_member", ["principal_id"], unique=False)
    op.create_table(
        "access_grant",
        sa.Column("id", Id, nullable=False),
        sa.Column("org_id", Id, nullable=False),
        sa.Column("principal_id", Id, nullable=True),
        sa.Column("team_id", Id, nullable=True),
        sa.Column("role_id", Id, nullable=False),
        sa.Column("is_denial", sa.Boolean(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("lightbox_id", Id, nullable=True),
        sa.Column("asset_id", Id, nullable=True),
        sa.Column("asset_kind", sa.Text(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", Id, nullable=True),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.Column("revoked_by", Id, nullable=True),
        sa.CheckConstraint("(scope = 'ASSET') = (asset_id IS NOT NULL)", name=op.f("ck_access_grant_asset")),
        sa.CheckConstraint(
            "(scope = 'ASSET_KIND') = (asset_kind IS NOT NULL)", name=op.f("ck_access_grant_asset_kind")
        ),
        sa.CheckConstraint("(scope = 'LIGHTBOX') = (lightbox_id IS NOT NULL)", name=op.f("ck_access_grant_lightbox")),
        sa.CheckConstraint(
            "scope IN ('ORGANISATION', 'ASSET_KIND', 'LIGHTBOX', 'ASSET')", name=op.f("ck_access_grant_scope")
        ),
        sa.CheckConstraint("(principal_id IS NULL) <> (team_id IS NULL)", name=op.f("ck_access_grant_holder")),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_access_grant_asset_id")),
        sa.ForeignKeyConstraint(["created_by"], ["principal.id"], name=op.f("fk_access_grant_created_by")),
        sa.ForeignKeyConstraint(["lightbox_id"], ["lightbox.id"], name=op.f("fk_access_grant_lightbox_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fk_access_grant_org_id")),
        sa.ForeignKeyConstraint(["principal_id"], ["principal.id"], name=op.f("fk_access_grant_principal_id")),
        sa.ForeignKeyConstraint(["revoked_by"], ["principal.id"], name=op.f("fk_access_grant_revoked_by")),
        sa.ForeignKeyConstraint(["role_id"], ["role.id"], name=op.f("fk_access_grant_role_id")),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_access_grant_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_grant")),
    )
    op.create_index(op.f("ix_access_grant_org_id"), "access_grant", ["org_id"], unique=False)
    op.create_index(op.f("ix_access_grant_principal_id"), "access_grant", ["principal_id"], unique=False)
    op.create_index(op.f("ix_access_grant_team_id"), "access_grant", ["team_id"], unique=False)
    op.create_table(
        "guest_link",
        sa.Column("id", Id, nullable=False),
        sa.Column("org_id", Id, nullable=False),
        sa.Column("principal_id", Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("lightbox_id", Id, nullable=True),
        sa.Column("asset_id", Id, nullable=True),
        sa.Column("max_files", Id, nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", Id, nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.Column("revoked_by", Id, nullable=True),
        sa.CheckConstraint(
            "CASE purpose WHEN 'VIEW' THEN (asset_id IS NULL) <> (lightbox_id IS NULL) "
            "ELSE asset_id IS NULL AND lightbox_id IS NULL END",
            name=op.f("ck_guest_link_subject"),
        ),
        sa.CheckConstraint("purpose IN ('VIEW', 'UPLOAD')", name=op.f("ck_guest_link_purpose")),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_guest_link_asset_id")),
        sa.ForeignKeyConstraint(["created_by"], ["principal.id"], name=op.f("fk_guest_link_created_by")),
        sa.ForeignKeyConstraint(["lightbox_id"], ["lightbox.id"], name=op.f("fk_guest_link_lightbox_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fk_guest_link_org_id")),
        sa.ForeignKeyConstraint(["principal_id"], ["principal.id"], name=op.f("fk_guest_link_principal_id")),
        sa.ForeignKeyConstraint(["revoked_by"], ["principal.id"], name=op.f("fk_guest_link_revoked_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guest_link")),
        sa.UniqueConstraint("principal_id", name=op.f("uq_guest_link_principal_id")),
    )
    op.create_index(op.f("ix_guest_link_org_id"), "guest_link", ["org_id"], unique=False)
    op.create_table(
        "share",
        sa.Column("id", Id, nullable=False),
        sa.Column("org_id", Id, nullable=False),
        sa.Column("to_org_id", Id, nullable=False),
        sa.Column("asset_id", Id, nullable=True),
        sa.Column("lightbox_id", Id, nullable=True),
        sa.Column("access", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", Id, nullable=False),
        sa.Column("ends_at", Instant(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("ended_by", Id, nullable=True),
        sa.CheckConstraint("access IN ('READ', 'CONTRIBUTE')", name=op.f("ck_share_access")),
        sa.CheckConstraint("(asset_id IS NULL) <> (lightbox_id IS NULL)", name=op.f("ck_share_subject")),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_share_asset_id")),
        sa.ForeignKeyConstraint(["created_by"], ["principal.id"], name=op.f("fk_share_created_by")),
        sa.ForeignKeyConstraint(["ended_by"], ["principal.id"], name=op.f("fk_share_ended_by")),
        sa.ForeignKeyConstraint(["lightbox_id"], ["lightbox.id"], name=op.f("fk_share_lightbox_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fk_share_org_id")),
        sa.ForeignKeyConstraint(["to_org_id"], ["organisation.id"], name=op.f("fk_share_to_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_share")),
    )
    op.create_index("ix_share_asset", "share", ["asset_id", "to_org_id"], unique=False)
    op.create_index("ix_share_lightbox", "share", ["lightbox_id", "to_org_id"], unique=False)
    op.create_index("ix_share_to", "share", ["to_org_id", "ends_at"], unique=False)
    op.add_column("asset", sa.Column("approved_version_id", Id, nullable=True))
    op.add_column(
        "asset",
        sa.Column("brand_id", Id, sa.ForeignKey("brand.id", name=op.f("fk_asset_brand_id")), nullable=True),
        inline_references=True,
    )
    op.create_index("ix_asset_newest", "asset", ["created_at", "id"], unique=False)
    op.create_index("ix_lightbox_asset_asset", "lightbox_asset", ["asset_id", "lightbox_id"], unique=False)
    op.add_column("organisation", sa.Column("kind", sa.Text(), server_default="BRAND", nullable=False))
    op.add_column("organisation", sa.Column("archived_at", Instant(), nullable=True))
    op.add_column("organisation", sa.Column("revision", Id, server_default="1", nullable=False))
    op.add_column("principal", sa.Column("email", sa.Text(), nullable=True))
    op.add_column("principal", sa.Column("disabled_at", Instant(), nullable=True))
    op.add_column("principal", sa.Column("revision", Id, server_default="1", nullable=False))
    op.create_index(
        "uq_principal_email",
        "principal",
        ["email"],
        unique=True,
        sqlite_where=sa.text("email IS NOT NULL"),
        postgresql_where=sa.text("email IS NOT NULL"),
    )
    op.add_column("token", sa.Column("purpose", sa.Text(), server_default="API", nullable=False))
    op.add_column("token", sa.Column("scopes", Json, nullable=True))
    op.add_column("token", sa.Column("networks", Json, nullable=True))
    op.add_column("token", sa.Column("last_used_at", Instant(), nullable=True))
    op.add_column(
        "token",
        sa.Column("replaced_by_id", Id, sa.ForeignKey("token.id", name=op.f("fk_token_replaced_by_id")), nullable=True),
        inline_references=True,
    )
    op.execute(
        """UPDATE asset SET approved_version_id = (
          SELECT version_id FROM approval JOIN asset_version ON asset_version.id = approval.version_id
          WHERE approval.asset_id = asset.id AND revoked_at IS NULL ORDER BY number DESC LIMIT 1)""",
    )
    if op.get_bind().dialect.name == "postgresql":
        _postgres_triggers()
    else:
        _sqlite_triggers()


UNAPPROVED = """NEW.approved_version_id IS NOT NULL AND NOT EXISTS
  (SELECT 1 FROM approval WHERE version_id = NEW.approved_version_id AND asset_id = NEW.id AND revoked_at IS NULL)"""
SENTENCE = "the approved version of an asset is one whose approval stands"


def _postgres_triggers() -> None:
    op.execute(
        f"""CREATE FUNCTION asset_pointer_approved() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF {UNAPPROVED} THEN RAISE EXCEPTION '{SENTENCE}' USING ERRCODE = 'check_violation'; END IF;
          RETURN NEW;
        END $$""",
    )
    op.execute(
        """CREATE TRIGGER asset_pointer_approved BEFORE INSERT OR UPDATE OF approved_version_id ON asset
        FOR EACH ROW EXECUTE FUNCTION asset_pointer_approved()""",
    )


def _sqlite_triggers() -> None:
    for name, when in (
        ("asset_pointer_approved", "UPDATE OF approved_version_id ON asset"),
        ("asset_pointer_approved_first", "INSERT ON asset"),
    ):
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {when} WHEN {UNAPPROVED} BEGIN SELECT RAISE(ABORT, '{SENTENCE}'); END",
        )
