"""The first house: organisations, assets, versions, renditions, tags, lightboxes, events, jobs.

Beyond the tables it holds the rules that only triggers can keep on both databases: a version's bytes and story never
change, an asset's pointer moves only with its revision and only to a version of its own, events are append-only.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.types import EPOCH, Folded, Id, Instant, Json

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "blob",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("byte_size", Id, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.CheckConstraint("byte_size >= 0", name=op.f("ck_blob_size")),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_blob_digest")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_blob")),
    )
    op.create_table(
        "cron_slot",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("slot", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", "slot", name=op.f("pk_cron_slot")),
    )
    op.create_table(
        "organisation",
        sa.Column("id", Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
        sa.UniqueConstraint("path", name=op.f("uq_organisation_path")),
    )
    op.create_table(
        "job",
        sa.Column("id", Id, nullable=False),
        sa.Column("org_id", Id, nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payload", Json, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("priority", Id, nullable=False),
        sa.Column("run_at", Instant(), nullable=False),
        sa.Column("attempt", Id, nullable=False),
        sa.Column("max_attempts", Id, nullable=False),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("unique_key", sa.Text(), nullable=True),
        sa.Column("progress_done", Id, nullable=False),
        sa.Column("progress_total", Id, nullable=True),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("failure_message", sa.Text(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.CheckConstraint("state IN ('READY', 'RUNNING', 'DONE', 'DEAD')", name=op.f("ck_job_state")),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fk_job_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    op.create_index(
        "ix_job_ended",
        "job",
        ["state", "finished_at"],
        unique=False,
        sqlite_where=sa.text("state = 'DONE' OR state = 'DEAD'"),
        postgresql_where=sa.text("state = 'DONE' OR state = 'DEAD'"),
    )
    op.create_index(
        "ix_job_ready",
        "job",
        ["queue", sa.text("priority DESC"), "run_at", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'READY'"),
        postgresql_where=sa.text("state = 'READY'"),
    )
    op.create_index(
        "ix_job_lease",
        "job",
        ["lease_until"],
        unique=False,
        sqlite_where=sa.text("state = 'RUNNING'"),
        postgresql_where=sa.text("state = 'RUNNING'"),
    )
    op.create_index(
        "uq_job_unique_key",
        "job",
        ["unique_key"],
        unique=True,
        sqlite_where=sa.text("state IN ('READY', 'RUNNING') AND unique_key IS NOT NULL"),
        postgresql_where=sa.text("state IN ('READY', 'RUNNING') AND unique_key IS NOT NULL"),
    )
    op.create_table(
        "principal",
        sa.Column("id", Id, nullable=False),
        sa.Column("org_id", Id, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_administrator", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.CheckConstraint("kind IN ('PERSON', 'SERVICE')", name=op.f("ck_principal_kind")),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fk_principal_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_principal")),
    )
    op.create_index(op.f("ix_principal_org_id"), "principal", ["org_id"], unique=False)
    op.create_table(
        "rendition_preset",
        sa.Column("id", Id, nullable=False),
        sa.Column("org_id", Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("width", Id, nullable=False),
        sa.Column("height", Id, nullable=False),
        sa.Column("fit", sa.Text(), nullable=False),
        sa.Column("quality", Id, nullable=False),
        sa.Column("background", sa.Text(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("params_digest", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("archived_at", Instant(), nullable=True),
        sa.Column("revision", Id, nullable=False),
        sa.CheckConstraint("fit IN ('CONTAIN', 'COVER')", name=op.f("ck_rendition_preset_fit")),
        sa.CheckConstraint("format IN ('WEBP', 'JPEG', 'AVIF', 'PNG')", name=op.f("ck_rendition_preset_format")),
        sa.CheckConstraint("quality BETWEEN 1 AND 100", name=op.f("ck_rendition_preset_quality")),
        sa.CheckConstraint(
            "width BETWEEN 1 AND 16383 AND height BETWEEN 1 AND 16383", name=op.f("ck_rendition_preset_box")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fk_rendition_preset_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rendition_preset")),
    )
    op.create_index(
        "uq_rendition_preset_name",
        "rendition_preset",
        ["org_id", "name"],
        unique=True,
        sqlite_where=sa.text("archived_at IS NULL"),
        postgresql_where=sa.text("archived_at IS NULL"),
    )
    op.create_table(
        "tag",
        sa.Column("id", Id, nullable=False),
        sa.Column("org_id", Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("folded", Folded, nullable=False),
        sa.Column("parent_id", Id, nullable=True),
        sa.Column("merged_into_id", Id, nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("revision", Id, nullable=False),
        sa.CheckConstraint("parent_id <> id", name=op.f("ck_tag_own_parent")),
        sa.ForeignKeyConstraint(["merged_into_id"], ["tag.id"], name=op.f("fk_tag_merged_into_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fk_tag_org_id")),
        sa.ForeignKeyConstraint(["parent_id"], ["tag.id"], name=op.f("fk_tag_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tag")),
    )
    op.create_index("ix_tag_name", "tag", ["org_id", "folded", "id"], unique=False)
    op.create_index(op.f("ix_tag_parent_id"), "tag", ["parent_id"], unique=False)
    op.create_table(
        "asset",
        sa.Column("id", Id, nullable=False),
        sa.Column("org_id", Id, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("title_folded", Folded, nullable=False),
        sa.Column("title_origin", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("description_origin", sa.Text(), nullable=False),
        sa.Column("lifecycle", sa.Text(), nullable=False),
        sa.Column("lifecycle_before_archive", sa.Text(), nullable=True),
        sa.Column("current_version_id", Id, nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", Id, nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("revision", Id, nullable=False),
        sa.CheckConstraint(
            "description_origin IN ('FILE_NAME', 'METADATA', 'FOLDER', 'USER')",
            name=op.f("ck_asset_description_origin"),
        ),
        sa.CheckConstraint(
            "kind IN ('IMAGE', 'VIDEO', 'AUDIO', 'DOCUMENT', 'TEMPLATE', 'FONT', 'LOGO', 'COPY', 'ARCHIVE', 'DATASET')",
            name=op.f("ck_asset_kind"),
        ),
        sa.CheckConstraint(
            "lifecycle IN ('DRAFT', 'IN_REVIEW', 'CHANGES_REQUESTED', 'APPROVED', 'PUBLISHED', 'WITHDRAWN', 'EXPIRED', "
            "'ARCHIVED', 'QUARANTINED')",
            name=op.f("ck_asset_lifecycle"),
        ),
        sa.CheckConstraint(
            "title_origin IN ('FILE_NAME', 'METADATA', 'FOLDER', 'USER')", name=op.f("ck_asset_title_origin")
        ),
        sa.ForeignKeyConstraint(["created_by"], ["principal.id"], name=op.f("fk_asset_created_by")),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fk_asset_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asset")),
    )
    op.create_index("ix_asset_created", "asset", ["org_id", "created_at", "id"], unique=False)
    op.create_index(op.f("ix_asset_current_version_id"), "asset", ["current_version_id"], unique=False)
    op.create_index("ix_asset_title", "asset", ["org_id", "title_folded", "id"], unique=False)
    op.create_index("ix_asset_updated", "asset", ["org_id", "updated_at", "id"], unique=False)
    op.create_table(
        "event",
        sa.Column("id", Id, nullable=False),
        sa.Column("seq", Id, nullable=True),
        sa.Column("org_id", Id, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject_id", Id, nullable=False),
        sa.Column("payload", Json, nullable=False),
        sa.Column("actor_id", Id, nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("occurred_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["principal.id"], name=op.f("fk_event_actor_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fk_event_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("seq", name=op.f("uq_event_seq")),
    )
    op.create_index("ix_event_subject", "event", ["subject_type", "subject_id", "id"], unique=False)
    op.create_index(
        "ix_event_unnumbered",
        "event",
        ["id"],
        unique=False,
        sqlite_where=sa.text("seq IS NULL"),
        postgresql_where=sa.text("seq IS NULL"),
    )
    op.create_table(
        "idempotency_key",
        sa.Column("principal_id", Id, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("mutation", sa.Text(), nullable=False),
        sa.Column("request_digest", sa.Text(), nullable=False),
        sa.Column("answer", Json, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["principal_id"], ["principal.id"], name=op.f("fk_idempotency_key_principal_id")),
        sa.PrimaryKeyConstraint("principal_id", "key", name=op.f("pk_idempotency_key")),
    )
    op.create_index(op.f("ix_idempotency_key_created_at"), "idempotency_key", ["created_at"], unique=False)
    op.create_table(
        "lightbox",
        sa.Column("id", Id, nullable=False),
        sa.Column("org_id", Id, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", Id, nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("archived_at", Instant(), nullable=True),
        sa.Column("revision", Id, nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["principal.id"], name=op.f("fk_lightbox_created_by")),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fk_lightbox_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lightbox")),
    )
    op.create_index("ix_lightbox_created", "lightbox", ["org_id", "created_at", "id"], unique=False)
    op.create_table(
        "tag_synonym",
        sa.Column("id", Id, nullable=False),
        sa.Column("org_id", Id, nullable=False),
        sa.Column("tag_id", Id, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fk_tag_synonym_org_id")),
        sa.ForeignKeyConstraint(["tag_id"], ["tag.id"], name=op.f("fk_tag_synonym_tag_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tag_synonym")),
        sa.UniqueConstraint("org_id", "folded", name=op.f("uq_tag_synonym_org_id_folded")),
    )
    op.create_index(op.f("ix_tag_synonym_tag_id"), "tag_synonym", ["tag_id"], unique=False)
    op.create_table(
        "token",
        sa.Column("id", Id, nullable=False),
        sa.Column("principal_id", Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["principal_id"], ["principal.id"], name=op.f("fk_token_principal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_token_digest")),
    )
    op.create_index(op.f("ix_token_principal_id"), "token", ["principal_id"], unique=False)
    op.create_table(
        "upload",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("org_id", Id, nullable=False),
        sa.Column("principal_id", Id, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("length", Id, nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("expected_sha256", sa.Text(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.CheckConstraint("(state = 'COMPLETE') = (sha256 IS NOT NULL)", name=op.f("ck_upload_digest")),
        sa.CheckConstraint("state IN ('OPEN', 'COMPLETE')", name=op.f("ck_upload_state")),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fk_upload_org_id")),
        sa.ForeignKeyConstraint(["principal_id"], ["principal.id"], name=op.f("fk_upload_principal_id")),
        sa.ForeignKeyConstraint(["sha256"], ["blob.sha256"], name=op.f("fk_upload_sha256")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
    )
    op.create_index(op.f("ix_upload_expires_at"), "upload", ["expires_at"], unique=False)
    op.create_table(
        "asset_tag",
        sa.Column("asset_id", Id, nullable=False),
        sa.Column("tag_id", Id, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.CheckConstraint("origin IN ('FILE_NAME', 'METADATA', 'FOLDER', 'USER')", name=op.f("ck_asset_tag_origin")),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_asset_tag_asset_id")),
        sa.ForeignKeyConstraint(["tag_id"], ["tag.id"], name=op.f("fk_asset_tag_tag_id")),
        sa.PrimaryKeyConstraint("asset_id", "tag_id", name=op.f("pk_asset_tag")),
    )
    op.create_index("ix_asset_tag_tag", "asset_tag", ["tag_id", "asset_id"], unique=False)
    op.create_table(
        "asset_version",
        sa.Column("id", Id, nullable=False),
        sa.Column("asset_id", Id, nullable=False),
        sa.Column("number", Id, nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("byte_size", Id, nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("change_note", sa.Text(), nullable=True),
        sa.Column("made_from_id", Id, nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", Id, nullable=False),
        sa.Column("analysis_state", sa.Text(), nullable=False),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("failure_message", sa.Text(), nullable=True),
        sa.Column("width", Id, nullable=True),
        sa.Column("height", Id, nullable=True),
        sa.Column("captured_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "analysis_state IN ('QUEUED', 'RUNNING', 'READY', 'FAILED')",
            name=op.f("ck_asset_version_analysis_state"),
        ),
        sa.CheckConstraint("number >= 1", name=op.f("ck_asset_version_number")),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_asset_version_asset_id")),
        sa.ForeignKeyConstraint(["created_by"], ["principal.id"], name=op.f("fk_asset_version_created_by")),
        sa.ForeignKeyConstraint(["made_from_id"], ["asset_version.id"], name=op.f("fk_asset_version_made_from_id")),
        sa.ForeignKeyConstraint(["sha256"], ["blob.sha256"], name=op.f("fk_asset_version_sha256")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asset_version")),
        sa.UniqueConstraint("asset_id", "number", name=op.f("uq_asset_version_asset_id_number")),
    )
    op.create_index("ix_asset_version_sha256", "asset_version", ["sha256", "asset_id"], unique=False)
    op.create_table(
        "import_entry",
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("org_id", Id, nullable=False),
        sa.Column("byte_size", Id, nullable=False),
        sa.Column("modified_ns", Id, nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("asset_id", Id, nullable=False),
        sa.Column("finished_at", Instant(), nullable=False),
        sa.CheckConstraint("outcome IN ('NEW', 'DUPLICATE')", name=op.f("ck_import_entry_outcome")),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_import_entry_asset_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fk_import_entry_org_id")),
        sa.PrimaryKeyConstraint("path", name=op.f("pk_import_entry")),
    )
    op.create_table(
        "lightbox_asset",
        sa.Column("lightbox_id", Id, nullable=False),
        sa.Column("asset_id", Id, nullable=False),
        sa.Column("position", Id, nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("added_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_lightbox_asset_asset_id")),
        sa.ForeignKeyConstraint(["lightbox_id"], ["lightbox.id"], name=op.f("fk_lightbox_asset_lightbox_id")),
        sa.PrimaryKeyConstraint("lightbox_id", "asset_id", name=op.f("pk_lightbox_asset")),
    )
    op.create_index(
        "ix_lightbox_asset_position", "lightbox_asset", ["lightbox_id", "position", "asset_id"], unique=False
    )
    op.create_table(
        "approval",
        sa.Column("id", Id, nullable=False),
        sa.Column("org_id", Id, nullable=False),
        sa.Column("asset_id", Id, nullable=False),
        sa.Column("version_id", Id, nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("approved_at", Instant(), nullable=False),
        sa.Column("approved_by", Id, nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.Column("revoked_by", Id, nullable=True),
        sa.ForeignKeyConstraint(["approved_by"], ["principal.id"], name=op.f("fk_approval_approved_by")),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_approval_asset_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fk_approval_org_id")),
        sa.ForeignKeyConstraint(["revoked_by"], ["principal.id"], name=op.f("fk_approval_revoked_by")),
        sa.ForeignKeyConstraint(["version_id"], ["asset_version.id"], name=op.f("fk_approval_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval")),
    )
    op.create_index(op.f("ix_approval_asset_id"), "approval", ["asset_id"], unique=False)
    op.create_index(
        "uq_approval_standing",
        "approval",
        ["version_id"],
        unique=True,
        sqlite_where=sa.text("revoked_at IS NULL"),
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.create_table(
        "metadata",
        sa.Column("version_id", Id, nullable=False),
        sa.Column("namespace", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", Json, nullable=False),
        sa.ForeignKeyConstraint(["version_id"], ["asset_version.id"], name=op.f("fk_metadata_version_id")),
        sa.PrimaryKeyConstraint("version_id", "namespace", "name", name=op.f("pk_metadata")),
    )
    op.create_table(
        "rendition",
        sa.Column("id", Id, nullable=False),
        sa.Column("org_id", Id, nullable=False),
        sa.Column("version_id", Id, nullable=False),
        sa.Column("preset_id", Id, nullable=False),
        sa.Column("params_digest", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=True),
        sa.Column("width", Id, nullable=True),
        sa.Column("height", Id, nullable=True),
        sa.Column("byte_size", Id, nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("failure_message", sa.Text(), nullable=True),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.CheckConstraint("(state = 'FAILED') = (failure_code IS NOT NULL)", name=op.f("ck_rendition_failure")),
        sa.CheckConstraint("(state = 'READY') = (sha256 IS NOT NULL)", name=op.f("ck_rendition_bytes")),
        sa.CheckConstraint("state IN ('QUEUED', 'RUNNING', 'READY', 'FAILED')", name=op.f("ck_rendition_state")),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fk_rendition_org_id")),
        sa.ForeignKeyConstraint(["preset_id"], ["rendition_preset.id"], name=op.f("fk_rendition_preset_id")),
        sa.ForeignKeyConstraint(["sha256"], ["blob.sha256"], name=op.f("fk_rendition_sha256")),
        sa.ForeignKeyConstraint(["version_id"], ["asset_version.id"], name=op.f("fk_rendition_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rendition")),
        sa.UniqueConstraint(
            "version_id",
            "preset_id",
            "params_digest",
            name=op.f("uq_rendition_version_id_preset_id_params_digest"),
        ),
    )
    op.create_index("ix_rendition_preset", "rendition", ["preset_id", "params_digest"], unique=False)
    op.create_index("ix_rendition_sha256", "rendition", ["sha256"], unique=False)
    _found()
    if op.get_bind().dialect.name == "postgresql":
        _postgres_triggers()
    else:
        _sqlite_triggers()


def _found() -> None:
    """Organisation 1 is the brand itself; everything else stands below it."""
    organisation = sa.table(
        "organisation",
        sa.column("id"),
        sa.column("name"),
        sa.column("path"),
        sa.column("created_at", Instant()),
    )
    op.bulk_insert(organisation, [{"id": 1, "name": "Brand", "path": "/1/", "created_at": EPOCH}])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SELECT setval(pg_get_serial_sequence('organisation', 'id'), 1)")


FROZEN = (
    "id",
    "asset_id",
    "number",
    "sha256",
    "byte_size",
    "file_name",
    "media_type",
    "change_note",
    "made_from_id",
    "created_at",
    "created_by",
)
CHANGED = " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in FROZEN)
STRAY = """NEW.current_version_id IS NOT NULL AND NOT EXISTS
  (SELECT 1 FROM asset_version WHERE id = NEW.current_version_id AND asset_id = NEW.id)"""
MOVED = """OLD.current_version_id IS NOT NULL AND NEW.revision <= OLD.revision
  AND NEW.current_version_id IS DISTINCT FROM OLD.current_version_id"""
RENUMBERED = " OR ".join(
    ["(OLD.seq IS NOT NULL AND NEW.seq IS DISTINCT FROM OLD.seq)"]
    + [
        f"NEW.{column} IS DISTINCT FROM OLD.{column}"
        for column in (
            "id",
            "org_id",
            "type",
            "subject_type",
            "subject_id",
            "payload",
            "actor_id",
            "request_id",
            "occurred_at",
        )
    ],
)


def _postgres_triggers() -> None:
    rules = (
        ("asset_version_frozen", "asset_version", "UPDATE", CHANGED, "a version never changes"),
        ("asset_version_kept", "asset_version", "DELETE", "TRUE", "a version is never deleted"),
        ("asset_pointer_moves", "asset", "UPDATE", MOVED, "the current version moves only with the revision"),
        ("asset_pointer_own", "asset", "INSERT OR UPDATE", STRAY, "the current version belongs to the asset"),
        ("event_frozen", "event", "UPDATE", RENUMBERED, "an event never changes"),
        ("event_kept", "event", "DELETE", "TRUE", "an event is never deleted"),
    )
    for name, table, when, broken, sentence in rules:
        op.execute(
            f"""CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
              IF {broken} THEN RAISE EXCEPTION '{sentence}' USING ERRCODE = 'check_violation'; END IF;
              RETURN NEW;
            END $$""",
        )
        op.execute(f"CREATE TRIGGER {name} BEFORE {when} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")


def _sqlite_triggers() -> None:
    rules = (
        ("asset_version_frozen", "UPDATE ON asset_version", CHANGED, "a version never changes"),
        ("asset_version_kept", "DELETE ON asset_version", "1", "a version is never deleted"),
        ("asset_pointer_moves", "UPDATE ON asset", MOVED, "the current version moves only with the revision"),
        ("asset_pointer_own", "UPDATE ON asset", STRAY, "the current version belongs to the asset"),
        ("asset_pointer_first", "INSERT ON asset", STRAY, "the current version belongs to the asset"),
        ("event_frozen", "UPDATE ON event", RENUMBERED, "an event never changes"),
        ("event_kept", "DELETE ON event", "1", "an event is never deleted"),
    )
    for name, when, broken, sentence in rules:
        op.execute(f"CREATE TRIGGER {name} BEFORE {when} WHEN {broken} BEGIN SELECT RAISE(ABORT, '{sentence}'); END")
