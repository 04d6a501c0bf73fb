"""Fields of the brand's own: what they are, the vocabularies some choose from, and what they say of each asset.

That a value fits its field is the database's business: a value repeats its field's type and vocabulary, both bound by
foreign keys, and checks say which columns a type fills.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.row import Row, one_of
from storage.types import Folded

FIELD_TYPES = ("TEXT", "NUMBER", "BOOLEAN", "DATE", "CHOICE", "CHOICES", "ASSET")


class VocabularyRow(Row):
    __tablename__ = "vocabulary"
    __table_args__ = (UniqueConstraint("org_id", "folded"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    name: Mapped[str]
    folded: Mapped[str] = mapped_column(Folded)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    revision: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": revision}


class VocabularyTermRow(Row):
    """A word to choose, by its key; an archived one stays where it was chosen and is chosen no more."""

    __tablename__ = "vocabulary_term"
    __table_args__ = (UniqueConstraint("vocabulary_id", "key"), UniqueConstraint("id", "vocabulary_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    vocabulary_id: Mapped[int] = mapped_column(ForeignKey("vocabulary.id"))
    key: Mapped[str]
    #: What people read, by language; `und` for all others.
    labels: Mapped[dict[str, Any]]
    place: Mapped[int]
    archived_at: Mapped[datetime | None]


class CustomFieldRow(Row):
    __tablename__ = "custom_field"
    __table_args__ = (
        one_of("type", FIELD_TYPES),
        UniqueConstraint("org_id", "key"),
        UniqueConstraint("id", "type"),
        UniqueConstraint("id", "vocabulary_id"),
        CheckConstraint("(type IN ('CHOICE', 'CHOICES')) = (vocabulary_id IS NOT NULL)", name="vocabulary"),
        CheckConstraint("type = 'TEXT' OR NOT localised", name="localised"),
        CheckConstraint("minimum <= maximum", name="bounds"),
        CheckConstraint("(type = 'NUMBER') = (decimals IS NOT NULL)", name="decimals"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    key: Mapped[str]
    type: Mapped[str]
    names: Mapped[dict[str, Any]]
    hints: Mapped[dict[str, Any]]
    localised: Mapped[bool]
    #: Of assets that have it; none: of every kind.
    kinds: Mapped[list[Any]]
    vocabulary_id: Mapped[int | None] = mapped_column(ForeignKey("vocabulary.id"))
    #: Digits behind the point that a number may have; least and most as they are kept, of a date in days.
    decimals: Mapped[int | None]
    minimum: Mapped[int | None]
    maximum: Mapped[int | None]
    max_length: Mapped[int | None]
    #: The permission that reading and writing it needs beside those for the asset.
    needs: Mapped[str | None]
    place: Mapped[int]
    archived_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    revision: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": revision}


class AssetFieldRow(Row):
    """One thing that a field says of an asset: of a list of choices one row each, of a localised text one per language.

    `word` is what equals it, with its mark (`storage.index.facts`); `number` are millionths, 0 or 1, or days since
    1970.
    """

    __tablename__ = "asset_field"
    __table_args__ = (
        ForeignKeyConstraint(["field_id", "type"], ["custom_field.id", "custom_field.type"]),
        ForeignKeyConstraint(["field_id", "vocabulary_id"], ["custom_field.id", "custom_field.vocabulary_id"]),
        ForeignKeyConstraint(["term_id", "vocabulary_id"], ["vocabulary_term.id", "vocabulary_term.vocabulary_id"]),
        UniqueConstraint("asset_id", "field_id", "locale", "word"),
        CheckConstraint("(type = 'TEXT') = (text IS NOT NULL)", name="text"),
        CheckConstraint("(type IN ('NUMBER', 'BOOLEAN', 'DATE')) = (number IS NOT NULL)", name="number"),
        CheckConstraint("(type IN ('CHOICE', 'CHOICES')) = (term_id IS NOT NULL)", name="term"),
        CheckConstraint("(term_id IS NULL) = (vocabulary_id IS NULL)", name="vocabulary"),
        CheckConstraint("(type = 'ASSET') = (target_id IS NOT NULL)", name="target"),
        CheckConstraint("type = 'CHOICES' OR place = 0", name="one"),
        CheckConstraint("type = 'TEXT' OR locale = ''", name="locale"),
        CheckConstraint("target_id <> asset_id", name="itself"),
        Index("ix_asset_field_word", "field_id", "word", "asset_id"),
        Index("ix_asset_field_number", "field_id", "number", "asset_id"),
        Index("ix_asset_field_term", "term_id"),
        Index("ix_asset_field_target", "target_id"),
    )

    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"), primary_key=True)
    field_id: Mapped[int] = mapped_column(ForeignKey("custom_field.id"), primary_key=True)
    #: Empty for what is said in no language.
    locale: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    type: Mapped[str]
    vocabulary_id: Mapped[int | None]
    word: Mapped[str]
    text: Mapped[str | None]
    #: What a text is sorted by: the beginning of its folded form.
    folded: Mapped[str | None] = mapped_column(Folded)
    number: Mapped[int | None]
    term_id: Mapped[int | None]
    target_id: Mapped[int | None] = mapped_column(ForeignKey("asset.id"))
