"""What assets of a kind are to say of themselves, and from which score on they may be approved."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.assets import ASSET_KINDS
from storage.tables.row import Row, one_of, only_when

PROPERTIES = ("TITLE", "DESCRIPTION", "TAGS", "BRAND", "ALT_TEXT")


class MetadataTemplateRow(Row):
    """Of an organisation and kind at most one that is not archived."""

    __tablename__ = "metadata_template"
    __table_args__ = (
        one_of("kind", ASSET_KINDS),
        CheckConstraint("gate BETWEEN 0 AND 100", name="gate"),
        Index("uq_metadata_template_living", "org_id", "kind", unique=True, **only_when("archived_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    kind: Mapped[str]
    name: Mapped[str]
    #: In per cent; none: what lacks something is told so, and nothing is refused.
    gate: Mapped[int | None]
    archived_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    revision: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": revision}


class MetadataTemplateItemRow(Row):
    """A property that every asset has, or a field of the brand's own."""

    __tablename__ = "metadata_template_item"
    __table_args__ = (
        one_of("property", PROPERTIES),
        CheckConstraint("(property IS NULL) <> (field_id IS NULL)", name="one"),
        CheckConstraint("weight BETWEEN 1 AND 100", name="weight"),
        UniqueConstraint("template_id", "property"),
        UniqueConstraint("template_id", "field_id"),
    )

    template_id: Mapped[int] = mapped_column(ForeignKey("metadata_template.id"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    property: Mapped[str | None]
    field_id: Mapped[int | None] = mapped_column(ForeignKey("custom_field.id"))
    weight: Mapped[int]
    required: Mapped[bool]
