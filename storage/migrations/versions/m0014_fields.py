"""Fields of the brand's own, templates, operations on many assets, words in other languages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.types import Folded, Id, Instant, Json

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _fields()
    _said()
    _templates()
    _bulk()


def _fields() -> None:
    op.create_table(
        "vocabulary",
        sa.Column("id", Id, nullable=False),
        sa.Column("org_id", Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("folded", Folded, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("revision", Id, nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fk_vocabulary_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vocabulary")),
        sa.UniqueConstraint("org_id", "folded", name=op.f("uq_vocabulary_org_id_folded")),
    )
    op.create_table(
        "vocabulary_term",
        sa.Column("id", Id, nullable=False),
        sa.Column("vocabulary_id", Id, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("labels", Json, nullable=False),
        sa.Column("place", Id, nullable=False),
        sa.Column("archived_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["vocabulary_id"], ["vocabulary.id"], name=op.f("fk_vocabulary_term_vocabulary_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vocabulary_term")),
        sa.UniqueConstraint("id", "vocabulary_id", name=op.f("uq_vocabulary_term_id_vocabulary_id")),
        sa.UniqueConstraint("vocabulary_id", "key", name=op.f("uq_vocabulary_term_vocabulary_id_key")),
    )
    op.create_table(
        "custom_field",
        sa.Column("id", Id, nullable=False),
        sa.Column("org_id", Id, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("names", Json, nullable=False),
        sa.Column("hints", Json, nullable=False),
        sa.Column("localised", sa.Boolean(), nullable=False),
        sa.Column("kinds", Json, nullable=False),
        sa.Column("vocabulary_id", Id, nullable=True),
        sa.Column("decimals", Id, nullable=True),
        sa.Column("minimum", Id, nullable=True),
        sa.Column("maximum", Id, nullable=True),
        sa.Column("max_length", Id, nullable=True),
        sa.Column("needs", sa.Text(), nullable=True),
        sa.Column("place", Id, nullable=False),
        sa.Column("archived_at", Instant(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("revision", Id, nullable=False),
        sa.CheckConstraint("minimum <= maximum", name=op.f("ck_custom_field_bounds")),
        sa.CheckConstraint("(type = 'NUMBER') = (decimals IS NOT NULL)", name=op.f("ck_custom_field_decimals")),
        sa.CheckConstraint("type = 'TEXT' OR NOT localised", name=op.f("ck_custom_field_localised")),
        sa.CheckConstraint(
            "type IN ('TEXT', 'NUMBER', 'BOOLEAN', 'DATE', 'CHOICE', 'CHOICES', 'ASSET')",
            name=op.f("ck_custom_field_type"),
        ),
        sa.CheckConstraint(
            "(type IN ('CHOICE', 'CHOICES')) = (vocabulary_id IS NOT NULL)", name=op.f("ck_custom_field_vocabulary")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fk_custom_field_org_id")),
        sa.ForeignKeyConstraint(["vocabulary_id"], ["vocabulary.id"], name=op.f("fk_custom_field_vocabulary_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custom_field")),
        sa.UniqueConstraint("id", "type", name=op.f("uq_custom_field_id_type")),
        sa.UniqueConstraint("id", "vocabulary_id", name=op.f("uq_custom_field_id_vocabulary_id")),
        sa.UniqueConstraint("org_id", "key", name=op.f("uq_custom_field_org_id_key")),
    )


def _said() -> None:
    op.create_table(
        "asset_field",
        sa.Column("asset_id", Id, nullable=False),
        sa.Column("field_id", Id, nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("place", Id, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("vocabulary_id", Id, nullable=True),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("number", Id, nullable=True),
        sa.Column("term_id", Id, nullable=True),
        sa.Column("target_id", Id, nullable=True),
        sa.CheckConstraint("target_id <> asset_id", name=op.f("ck_asset_field_itself")),
        sa.CheckConstraint("type = 'TEXT' OR locale = ''", name=op.f("ck_asset_field_locale")),
        sa.CheckConstraint(
            "(type IN ('NUMBER', 'BOOLEAN', 'DATE')) = (number IS NOT NULL)", name=op.f("ck_asset_field_number")
        ),
        sa.CheckConstraint("type = 'CHOICES' OR place = 0", name=op.f("ck_asset_field_one")),
        sa.CheckConstraint("(type = 'ASSET') = (target_id IS NOT NULL)", name=op.f("ck_asset_field_target")),
        sa.CheckConstraint("(type IN ('CHOICE', 'CHOICES')) = (term_id IS NOT NULL)", name=op.f("ck_asset_field_term")),
        sa.CheckConstraint("(type = 'TEXT') = (text IS NOT NULL)", name=op.f("ck_asset_field_text")),
        sa.CheckConstraint("(term_id IS NULL) = (vocabulary_id IS NULL)", name=op.f("ck_asset_field_vocabulary")),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_asset_field_asset_id")),
        sa.ForeignKeyConstraint(["field_id"], ["custom_field.id"], name=op.f("fk_asset_field_field_id")),
        sa.ForeignKeyConstraint(
            ["field_id", "type"], ["custom_field.id", "custom_field.type"], name=op.f("fk_asset_field_field_id_type")
        ),
        sa.ForeignKeyConstraint(
            ["field_id", "vocabulary_id"],
            ["custom_field.id", "custom_field.vocabulary_id"],
            name=op.f("fk_asset_field_field_id_vocabulary_id"),
        ),
        sa.ForeignKeyConstraint(["target_id"], ["asset.id"], name=op.f("fk_asset_field_target_id")),
        sa.ForeignKeyConstraint(
            ["term_id", "vocabulary_id"],
            ["vocabulary_term.id", "vocabulary_term.vocabulary_id"],
            name=op.f("fk_asset_field_term_id_vocabulary_id"),
        ),
        sa.PrimaryKeyConstraint("asset_id", "field_id", "locale", "place", name=op.f("pk_asset_field")),
        sa.UniqueConstraint(
            "asset_id", "field_id", "locale", "word", name=op.f("uq_asset_field_asset_id_field_id_locale_word")
        ),
    )
    op.create_index("ix_asset_field_number", "asset_field", ["field_id", "number", "asset_id"], unique=False)
    op.create_index("ix_asset_field_target", "asset_field", ["target_id"], unique=False)
    op.create_index("ix_asset_field_term", "asset_field", ["term_id"], unique=False)
    op.create_index("ix_asset_field_word", "asset_field", ["field_id", "word", "asset_id"], unique=False)
    op.create_table(
        "asset_text",
        sa.Column("asset_id", Id, nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.CheckConstraint("locale <> '' OR purpose = 'ALT'", name=op.f("ck_asset_text_decorated")),
        sa.CheckConstraint("(text = '') = (locale = '')", name=op.f("ck_asset_text_decoration")),
        sa.CheckConstraint("purpose IN ('TITLE', 'ALT')", name=op.f("ck_asset_text_purpose")),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_asset_text_asset_id")),
        sa.PrimaryKeyConstraint("asset_id", "purpose", "locale", name=op.f("pk_asset_text")),
    )


def _templates() -> None:
    op.create_table(
        "metadata_template",
        sa.Column("id", Id, nullable=False),
        sa.Column("org_id", Id, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("gate", Id, nullable=True),
        sa.Column("archived_at", Instant(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("revision", Id, nullable=False),
        sa.CheckConstraint("gate BETWEEN 0 AND 100", name=op.f("ck_metadata_template_gate")),
        sa.CheckConstraint(
            "kind IN ('IMAGE', 'VIDEO', 'AUDIO', 'DOCUMENT', 'TEMPLATE', 'FONT', 'LOGO', 'COPY', 'ARCHIVE', 'DATASET')",
            name=op.f("ck_metadata_template_kind"),
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fk_metadata_template_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_metadata_template")),
    )
    op.create_index(
        "uq_metadata_template_living",
        "metadata_template",
        ["org_id", "kind"],
        unique=True,
        sqlite_where=sa.text("archived_at IS NULL"),
        postgresql_where=sa.text("archived_at IS NULL"),
    )
    op.create_table(
        "metadata_template_item",
        sa.Column("template_id", Id, nullable=False),
        sa.Column("place", Id, autoincrement=False, nullable=False),
        sa.Column("property", sa.Text(), nullable=True),
        sa.Column("field_id", Id, nullable=True),
        sa.Column("weight", Id, nullable=False),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.CheckConstraint("(property IS NULL) <> (field_id IS NULL)", name=op.f("ck_metadata_template_item_one")),
        sa.CheckConstraint(
            "property IN ('TITLE', 'DESCRIPTION', 'TAGS', 'BRAND', 'ALT_TEXT')",
            name=op.f("ck_metadata_template_item_property"),
        ),
        sa.CheckConstraint("weight BETWEEN 1 AND 100", name=op.f("ck_metadata_template_item_weight")),
        sa.ForeignKeyConstraint(["field_id"], ["custom_field.id"], name=op.f("fk_metadata_template_item_field_id")),
        sa.ForeignKeyConstraint(
            ["template_id"], ["metadata_template.id"], name=op.f("fk_metadata_template_item_template_id")
        ),
        sa.PrimaryKeyConstraint("template_id", "place", name=op.f("pk_metadata_template_item")),
        sa.UniqueConstraint("template_id", "field_id", name=op.f("uq_metadata_template_item_template_id_field_id")),
        sa.UniqueConstraint("template_id", "property", name=op.f("uq_metadata_template_item_template_id_property")),
    )


def _bulk() -> None:
    op.create_table(
        "bulk_operation",
        sa.Column("id", Id, nullable=False),
        sa.Column("org_id", Id, nullable=False),
        sa.Column("principal_id", Id, nullable=False),
        sa.Column("token_id", Id, nullable=True),
        sa.Column("job_id", Id, nullable=True),
        sa.Column("undoes_id", Id, nullable=True),
        sa.Column("changes", Json, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("total", Id, nullable=False),
        sa.Column("changed", Id, nullable=False),
        sa.Column("unchanged", Id, nullable=False),
        sa.Column("refused", Id, nullable=False),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("failure_message", sa.Text(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.CheckConstraint("(undoes_id IS NULL) = (changes IS NOT NULL)", name=op.f("ck_bulk_operation_changes")),
        sa.CheckConstraint("changed >= 0 AND unchanged >= 0 AND refused >= 0", name=op.f("ck_bulk_operation_counts")),
        sa.CheckConstraint(
            "state <> 'DONE' OR changed + unchanged + refused = total", name=op.f("ck_bulk_operation_done")
        ),
        sa.CheckConstraint("(state = 'FAILED') = (failure_code IS NOT NULL)", name=op.f("ck_bulk_operation_failure")),
        sa.CheckConstraint(
            "state IN ('QUEUED', 'RUNNING', 'DONE', 'FAILED', 'CANCELLED')", name=op.f("ck_bulk_operation_state")
        ),
        sa.CheckConstraint("changed + unchanged + refused <= total", name=op.f("ck_bulk_operation_total")),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fk_bulk_operation_org_id")),
        sa.ForeignKeyConstraint(["principal_id"], ["principal.id"], name=op.f("fk_bulk_operation_principal_id")),
        sa.ForeignKeyConstraint(["token_id"], ["token.id"], name=op.f("fk_bulk_operation_token_id")),
        sa.ForeignKeyConstraint(["undoes_id"], ["bulk_operation.id"], name=op.f("fk_bulk_operation_undoes_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_operation")),
    )
    op.create_index("ix_bulk_operation_principal", "bulk_operation", ["principal_id", "id"], unique=False)
    op.create_index(
        "uq_bulk_operation_undoes",
        "bulk_operation",
        ["undoes_id"],
        unique=True,
        sqlite_where=sa.text("state <> 'FAILED' AND state <> 'CANCELLED'"),
        postgresql_where=sa.text("state <> 'FAILED' AND state <> 'CANCELLED'"),
    )
    op.create_table(
        "bulk_item",
        sa.Column("operation_id", Id, nullable=False),
        sa.Column("asset_id", Id, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("before", Json, nullable=True),
        sa.Column("after", Json, nullable=True),
        sa.CheckConstraint("(state = 'CHANGED') = (after IS NOT NULL)", name=op.f("ck_bulk_item_after")),
        sa.CheckConstraint("(state = 'CHANGED') = (before IS NOT NULL)", name=op.f("ck_bulk_item_before")),
        sa.CheckConstraint("(state = 'REFUSED') = (code IS NOT NULL)", name=op.f("ck_bulk_item_code")),
        sa.CheckConstraint("state IN ('WAITING', 'CHANGED', 'UNCHANGED', 'REFUSED')", name=op.f("ck_bulk_item_state")),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_bulk_item_asset_id")),
        sa.ForeignKeyConstraint(["operation_id"], ["bulk_operation.id"], name=op.f("fk_bulk_item_operation_id")),
        sa.PrimaryKeyConstraint("operation_id", "asset_id", name=op.f("pk_bulk_item")),
    )
    op.create_index("ix_bulk_item_state", "bulk_item", ["operation_id", "state", "asset_id"], unique=False)
