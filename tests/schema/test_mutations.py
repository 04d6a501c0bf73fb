"""What holds for every mutation there is, read from the schema itself so that a new one cannot slip past."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import graphql
import pytest

from domain.global_ids import decode, encode
from domain.hub import Hub
from schema import built
from tests.asking import ERROR_FIELDS, Client
from tests.assets.acts import everything, unchanged
from tests.schema import (
    samples_documents,
    samples_exports,
    samples_fields,
    samples_licensing,
    samples_lifecycle,
    samples_likeness,
    samples_people,
    samples_purchases,
    samples_renditions,
    samples_sharing,
    samples_usage,
    samples_webhooks,
)
from tests.schema.samples import SAMPLES, Brand

SCHEMA = graphql.build_schema(built.sdl())
assert SCHEMA.mutation_type is not None
MUTATIONS = SCHEMA.mutation_type.fields
#: Why a mutation that changes something does without `expectedRevision`.
UNREVISED = {
    "assetVersionApprove": "the digest says what was looked at",
    "assetVersionApprovalRevoke": "it takes back whatever approval stands, or conflicts",
    "renditionRequest": "asking for what is there already answers with it",
    "renditionRetry": "a rendition has a state instead of a revision",
    "jobRetry": "a job has a state instead of a revision",
    **samples_people.UNREVISED,
    **samples_renditions.UNREVISED,
    **samples_sharing.UNREVISED,
    **samples_webhooks.UNREVISED,
    **samples_documents.UNREVISED,
    **samples_exports.UNREVISED,
    **samples_fields.UNREVISED,
    **samples_licensing.UNREVISED,
    **samples_lifecycle.UNREVISED,
    **samples_likeness.UNREVISED,
    **samples_purchases.UNREVISED,
    **samples_usage.UNREVISED,
}
COMMON = {"errors", "clientMutationId"}
#: Where an id of nothing, if it could be one, is no mistake: what is not inside is out already.
LENIENT = {("lightboxAssetsRemove", "assets")}


@pytest.fixture
def brand(hub: Hub, client: Client) -> Brand:
    return Brand(hub, client)


def test_every_mutation_has_a_sample() -> None:
    assert set(SAMPLES) == set(MUTATIONS)


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_takes_one_input_that_can_be_repeated(name: str) -> None:
    (argument,) = MUTATIONS[name].args.items()
    assert (argument[0], str(argument[1].type)) == ("input", f"{name[0].upper()}{name[1:]}Input!")
    fields = inputs(name)
    assert (str(fields["idempotencyKey"].type), str(fields["clientMutationId"].type)) == ("String", "String")
    assert MUTATIONS[name].description


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_that_changes_something_says_at_which_revision(name: str) -> None:
    makes_new = name.endswith("Create")
    if name in UNREVISED or makes_new:
        assert "expectedRevision" not in inputs(name)
    else:
        assert str(inputs(name)["expectedRevision"].type) == "Int!"


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_payload_has_nullable_entities_and_typed_errors(name: str) -> None:
    fields = payload_fields(name)
    assert str(fields["errors"].type) == "[MutationError!]!"
    assert str(fields["clientMutationId"].type) == "String"
    assert entities(name)
    assert all(graphql.is_nullable_type(fields[each].type) for each in entities(name))


def test_every_error_is_a_mutation_error_and_says_no_less() -> None:
    base = SCHEMA.type_map["MutationError"]
    assert isinstance(base, graphql.GraphQLInterfaceType)
    kinds = SCHEMA.get_possible_types(base)
    assert {kind.name for kind in kinds} == {
        f"{word}Error"
        for word in (
            *("Conflict", "DuplicateAsset", "FileRefused", "IdempotencyMismatch", "InUse", "NotAllowed", "NotFound"),
            *("Incomplete", "RightsNotAssessed"),
            *("AlreadyLicensed", "AlreadyRequested", "LooksAlike", "RightsDenied"),
            *("StaleRevision", "StaleSubject", "StorageFull", "StorageUnavailable", "Validation"),
        )
    }
    assert {name: str(field.type) for name, field in base.fields.items()} == {
        "code": "ErrorCode!",
        "message": "String!",
        "path": "[String!]",
    }


def test_an_accepted_mutation_answers_an_entity_and_no_errors_and_its_repetition_the_same(brand: Brand) -> None:
    for name, sample in SAMPLES.items():
        fields = sample(brand)
        payload = asked(brand.client, name, fields, idempotencyKey=f"{name} once", clientMutationId="echo")
        assert (payload["errors"], payload["clientMutationId"]) == ([], "echo"), name
        there = [payload[each] for each in entities(name) if each not in {"duplicateOf", "rolloutJob"}]
        assert there, name
        assert None not in there, name
        with unchanged(brand.hub):
            again = asked(brand.client, name, fields, idempotencyKey=f"{name} once", clientMutationId="echo")
        assert again == payload, name


def test_a_made_up_id_is_not_found_and_changes_nothing(brand: Brand) -> None:
    """In every place that takes an id, of every mutation, whatever else is right: four sorts of wrong ids."""
    found = []
    for name, sample in SAMPLES.items():
        fields = sample(brand)
        before = everything(brand.hub)
        for place, wrong in wrong_ids(name, fields):
            payload = asked(brand.client, name, {**fields, place: wrong}, idempotencyKey="refused")
            found.append((name, place, wrong, told(name, payload)))
        assert everything(brand.hub) == before, name
    assert len(found) == 4 * sum(len(id_places(name)) for name in MUTATIONS)
    assert [each for each in found if each[3] != ("NotFoundError", "NOT_FOUND", [each[1]])] == []


def test_a_stale_revision_is_refused_by_every_mutation_that_takes_one(brand: Brand) -> None:
    for name, sample in SAMPLES.items():
        if "expectedRevision" not in inputs(name):
            continue
        fields = sample(brand)
        for wrong in (fields["expectedRevision"] + 1, fields["expectedRevision"] - 1):
            with unchanged(brand.hub):
                payload = asked(brand.client, name, {**fields, "expectedRevision": wrong})
            assert told(name, payload) == ("StaleRevisionError", "STALE_REVISION", ["expectedRevision"]), name
            assert payload["errors"][0]["current"] == fields["expectedRevision"], name


def test_a_bad_idempotency_key_is_refused_by_every_mutation(brand: Brand) -> None:
    for name, sample in SAMPLES.items():
        fields = sample(brand)
        for key in ("", "x" * 201, "a\u0000b"):
            with unchanged(brand.hub):
                payload = asked(brand.client, name, fields, idempotencyKey=key)
            assert told(name, payload) == ("ValidationError", "INVALID", ["idempotencyKey"]), name


def wrong_ids(name: str, fields: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for place in id_places(name):
        many = isinstance(fields[place], list)
        given = fields[place][0] if many else fields[place]
        type_ = "Asset" if place == "upload" else decode(given)[0]
        other = "Tag" if type_ != "Tag" else "Asset"
        unknown = f"{given}=A" if (name, place) in LENIENT else encode(type_, 999_999)
        for wrong in (unknown, encode(other, 1), f"{given}!", "\u0000"):
            yield place, [wrong] if many else wrong


def told(name: str, payload: dict[str, Any]) -> tuple[str, str, list[str]]:
    """Type, code and path of the one error beside which every entity is null."""
    (error,) = payload["errors"]
    assert error["message"].endswith("."), error
    assert {payload[each] is None for each in entities(name)} == {True}, name
    return error["__typename"], error["code"], error["path"]


def asked(client: Client, name: str, fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    selection = " ".join(f"{each} {{ id }}" for each in entities(name))
    query = f"""mutation ($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) {{
      {selection} clientMutationId errors {{ __typename code message path {ERROR_FIELDS} }} }} }}"""
    payload: dict[str, Any] = client.ask(query, input={**fields, **more})[name]
    return payload


def inputs(name: str) -> dict[str, graphql.GraphQLInputField]:
    input_type = graphql.get_named_type(MUTATIONS[name].args["input"].type)
    assert isinstance(input_type, graphql.GraphQLInputObjectType)
    return dict(input_type.fields)


def id_places(name: str) -> list[str]:
    """Without those that the sample leaves out, because the input takes one of several."""
    ids = [place for place, field in inputs(name).items() if graphql.get_named_type(field.type).name == "ID"]
    return [place for place in ids if (name, place) not in samples_sharing.ONE_OF]


def payload_fields(name: str) -> dict[str, graphql.GraphQLField]:
    payload_type = graphql.get_named_type(MUTATIONS[name].type)
    assert isinstance(payload_type, graphql.GraphQLObjectType)
    return dict(payload_type.fields)


def entities(name: str) -> list[str]:
    """What the payload holds besides the errors; a secret that is shown once is none."""
    named = payload_fields(name).items()
    return [
        each
        for each, field in named
        if each not in COMMON and graphql.is_composite_type(graphql.get_named_type(field.type))
    ]
