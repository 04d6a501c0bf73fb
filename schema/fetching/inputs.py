"""What is said of the files of upload sessions, and how it is read."""

from __future__ import annotations

from typing import Any

import strawberry

from domain.fetching import Brought, Terms
from domain.global_ids import number_of
from schema.custom_fields import inputs
from schema.custom_fields.inputs import AssetFieldInput
from schema.localised import LocalisedTextChangeInput, words_of


@strawberry.input(description="What all assets of a session are to have in common.")
class UploadTermsInput:
    name: str = strawberry.field(description="What to call the session.")
    description: str | None = strawberry.field(default=None, description="Of each asset; if not said, the file's own.")
    tags: list[str] | None = strawberry.field(default=None, description="By name; unknown ones are made.")
    organisation: strawberry.ID | None = strawberry.field(
        default=None, description="Whose the assets are to be; the viewer's own organisation's if not said."
    )
    brand: strawberry.ID | None = strawberry.field(
        default=None, description="A brand of that organisation or of one above it."
    )
    own_work: bool = strawberry.field(
        default=False, description="Whether each is declared the own work of whose it is to be."
    )
    fields: list[AssetFieldInput] | None = strawberry.field(
        default=None, description="What fields of the brand's own say of each."
    )
    titles: list[LocalisedTextChangeInput] | None = strawberry.field(
        default=None, description="What each is called in other languages."
    )
    alt_texts: list[LocalisedTextChangeInput] | None = strawberry.field(
        default=None, description="What stands in for each picture."
    )
    decorative: bool | None = strawberry.field(default=None, description="Whether each is only decoration.")
    require_complete: bool = strawberry.field(
        default=False,
        description="Whether a file is refused of which less is said here than the gate of its asset's template asks "
        "for. If not, it becomes a draft, which is completed before it is approved.",
    )


@strawberry.input(description="A session to be opened.")
class UploadSessionOpenInput:
    terms: UploadTermsInput
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="A finished upload.")
class UploadBroughtInput:
    upload: strawberry.ID = strawberry.field(description="The last part of the upload's address.")
    title: str | None = strawberry.field(default=None, description="If not said, the file's own, else its name.")
    description: str | None = strawberry.field(default=None, description="If not said, the session's.")
    tags: list[str] | None = strawberry.field(default=None, description="By name, beside the session's.")
    fields: list[AssetFieldInput] | None = strawberry.field(
        default=None,
        description="What fields of the brand's own say; those that are not named say what the session's do.",
    )
    titles: list[LocalisedTextChangeInput] | None = strawberry.field(
        default=None, description="What it is called in other languages, beside or instead of the session's."
    )
    alt_texts: list[LocalisedTextChangeInput] | None = strawberry.field(
        default=None, description="What stands in for the picture, beside or instead of the session's."
    )
    decorative: bool | None = strawberry.field(
        default=None, description="Whether it is only decoration; if not said, as the session has it."
    )


@strawberry.input(description="Finished uploads for an open session.")
class UploadSessionAddInput:
    session: strawberry.ID
    uploads: list[UploadBroughtInput] = strawberry.field(description="At most 100.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The session to close.")
class UploadSessionCloseInput:
    session: strawberry.ID
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The session to give up.")
class UploadSessionCancelInput:
    session: strawberry.ID
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="Addresses whose files are to be brought.")
class ImportFromUrlsInput:
    terms: UploadTermsInput
    addresses: list[str] = strawberry.field(description="At most 100, https: and public.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="A ZIP whose files are to be brought.")
class ImportFromZipInput:
    terms: UploadTermsInput
    upload: strawberry.ID = strawberry.field(description="The ZIP itself, a finished upload.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="A bucket whose files are to be brought.")
class ImportFromBucketInput:
    terms: UploadTermsInput
    bucket: str = strawberry.field(description="Its name in the hub's settings.")
    prefix: str = strawberry.field(default="", description="Only what has a key that begins so.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


def terms_of(wanted: UploadTermsInput) -> Terms:
    def number(type_: str, given: Any, path: str) -> int | None:
        return None if given is None else number_of(type_, given, ("terms", path))

    return Terms(
        name=wanted.name,
        description=wanted.description,
        tags=wanted.tags or (),
        org_id=number("Organisation", wanted.organisation, "organisation"),
        brand_id=number("Brand", wanted.brand, "brand"),
        is_own_work=wanted.own_work,
        fields=inputs.given(wanted.fields),
        words=words_of(wanted.titles, wanted.alt_texts, wanted.decorative),
        requires_complete=wanted.require_complete,
    )


def brought_of(wanted: UploadBroughtInput) -> Brought:
    return Brought(
        wanted.upload,
        wanted.title,
        description=wanted.description,
        tags=wanted.tags or (),
        fields=inputs.given(wanted.fields),
        words=words_of(wanted.titles, wanted.alt_texts, wanted.decorative),
    )
