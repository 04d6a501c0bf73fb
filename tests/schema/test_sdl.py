"""The schema as text: what reviewers see, what others rely on, and what every part of it must have."""

from __future__ import annotations

from pathlib import Path

import graphql
import pytest

from schema import built
from tests.schema.breaking import breaking, dangerous

SNAPSHOT = Path(__file__).parents[2] / "schema" / "schema.graphql"
SPINE = (Path(__file__).parent / "spine.graphql").read_text()
SCHEMA = graphql.build_schema(built.sdl())
OURS = {name: kind for name, kind in SCHEMA.type_map.items() if not name.startswith("__")}
#: Types that GraphQL itself or Relay describes.
SPOKEN_FOR = {"Query", "Mutation", "String", "Int", "Float", "Boolean", "ID"}


def test_the_snapshot_is_the_schema() -> None:
    """Write it anew with: uv run python -m server sdl > schema/schema.graphql"""
    assert SNAPSHOT.read_text() == built.sdl()


def test_the_schema_breaks_nobody_who_asks_by_the_snapshot() -> None:
    assert breaking(SNAPSHOT.read_text(), built.sdl()) == []


SMALL = "type Query { a: Int! z: Int b(c: E): String } enum E { X Y }"


@pytest.mark.parametrize(
    ("after", "sentence"),
    [
        (SMALL.replace("a: Int! ", ""), "Field Query.a was removed."),
        (SMALL.replace("a: Int!", "a: Int"), "Field Query.a changed type from Int! to Int."),
        (SMALL.replace("c: E", "c: E!"), "Argument Query.b(c:) has changed type from E to E!."),
        (SMALL.replace("c: E", "c: E, d: Int!"), "A required argument Query.b(d:) was added."),
        (SMALL.replace("X Y", "X"), "Enum value E.Y was removed."),
    ],
)
def test_what_breaks_a_client_is_found(after: str, sentence: str) -> None:
    assert breaking(SMALL, after) == [sentence]


def test_what_is_only_added_breaks_nobody() -> None:
    richer = SMALL.replace("X Y", "X Y Z").replace("b(c: E)", "b(c: E, d: Int)") + " type New { z: Int }"
    assert breaking(SMALL, richer) == []
    assert dangerous(SMALL, richer) == [
        "An optional argument Query.b(d:) was added.",
        "Enum value E.Z was added.",
    ]


def test_everything_that_others_rely_on_by_name_is_there() -> None:
    """Types, fields with their types, arguments with theirs, and values of enums."""
    missing = []
    for definition in graphql.parse(SPINE).definitions:
        assert isinstance(definition, graphql.TypeDefinitionNode)
        missing += differences(definition)
    assert missing == []


def test_everything_is_described() -> None:
    bare = {name for name, kind in OURS.items() if not kind.description and not name.endswith("Edge")}
    assert bare - SPOKEN_FOR == set()


def test_every_list_of_things_with_ids_is_a_connection_or_bounded() -> None:
    """A connection's page has at most 100; each other list is named here with what bounds it."""
    plain = {
        f"{name}.{field}"
        for name, kind in OURS.items()
        if isinstance(kind, graphql.GraphQLObjectType) and not name.endswith("Connection")
        for field, told in kind.fields.items()
        if "[" in str(told.type) and isinstance(graphql.get_named_type(told.type), graphql.GraphQLObjectType)
    }
    bounded = {
        "Query.assetsWithDigest": "100 holders",
        "Query.renditionPresets": "50 presets",
        "Query.uploadSessionPreview": "100 uploads",
        "Query.suggest": "at most 20 suggestions",
        "Asset.tags": "200 tags of an asset",
        "Asset.shares": "200 standing shares",
        "Lightbox.shares": "200 standing shares",
        "AssetVersion.metadata": "what one file says, cut by the reader",
        "AssetVersion.renditions": "50 presets",
        "AssetEdge.textMatches": "one per searched field",
        "TextMatch.fragments": "three fragments",
        "Facet.values": "the most frequent values",
        "Tag.children": "the tags of one level",
        "Query.roles": "200 roles",
        "Organisation.brands": "100 brands",
        "Person.identities": "20 identities, and one more for each invitation taken up",
        "Person.teams": "50 teams",
        "ServiceAccount.identities": "20 identities",
        "ServiceAccount.teams": "50 teams",
        "WebhookDelivery.attempts": "the last 50 attempts",
        "DocumentsPayload.documents": "as many as were sent at once",
        "RenditionEvent.renditions": "50 presets",
        "Asset.similar": "at most 100 alike",
        "SimilarToUpload.similar": "at most 100 alike",
        "NearDuplicate.assets": "two assets",
        "NearDuplicateCluster.assets": "100 assets",
        "Asset.licenses": "200 licences of an asset",
        "Asset.rights": "200 standing assessments",
        "Asset.embargoes": "50 embargoes",
        "Asset.takedowns": "50 takedowns that stand",
        "Asset.exclusivities": "50 exclusivities",
        "AssetVersion.components": "200 parts",
        "AssetVersion.rights": "200 standing assessments",
        "License.grants": "50 grants",
        "License.endUsers": "100 organisations",
        "License.seated": "as many as it has seats",
        "LicenseGrant.caps": "20 caps",
        "LicenseGrant.duties": "20 duties",
        "LicenseGrant.products": "200 products",
        "Release.grants": "50 grants",
        "TerritoryGroup.members": "500 members",
        "KnownTerritoryGroup.members": "what treaties say",
        "Query.territoryGroups": "200 groups",
        "Query.knownTerritoryGroups": "what everybody knows",
        "Query.licenseTemplates": "the templates there are",
        "LicenseProposal.parties": "20 of each role",
        "LicenseProposal.duties": "one of a kind",
        "LicenseProposal.usages": "100 usages",
        "LicenseProposal.constraints": "20 of each place in a file",
        "LicenseProposal.sources": "20 of each place in a file",
        "ProposedUsage.items": "676 items, as two letters count",
        "RightsDecision.reasons": "what licences say of 500 territories",
        "RightsDecision.duties": "20 duties of a grant",
        "RightsDecision.remaining": "20 caps of a grant",
        "RightsDecision.alternatives": "one of a kind, three other pictures",
        "RightsDecision.basis": "the grants there are",
        "RightsAlternative.windows": "two at most",
        "RightsMatrix.cells": "400 cells",
        "Asset.holds": "those that stand",
        "Asset.relations": "200 relations",
        "Asset.usedIn": "100 of a kind",
        "InUseError.uses": "100 of a kind",
        "Asset.titles": "one per language, of which there are at most 50",
        "Asset.altTexts": "one per language, of which there are at most 50",
        "CustomField.names": "one per language, of which there are at most 50",
        "TextFieldValue.texts": "one per language, of which there are at most 50",
        "VocabularyTerm.labels": "one per language, of which there are at most 50",
        "AssetCompleteness.lacking": "50 items of a template",
        "MetadataTemplate.items": "50 items of a template",
        "BulkExample.changes": "what one request changes of one asset",
        "BulkItem.changes": "what one request changes of one asset",
        "BulkPreview.refusals": "one per code",
        "BulkPreview.examples": "20 examples",
        "BulkRefusal.examples": "5 examples",
        "ChoicesFieldValue.choices": "what one value chooses",
        "CustomFieldFacet.values": "50 words",
        "Query.assetMerges": "the latest 100",
        "Query.customFields": "200 fields",
        "Query.vocabularies": "100 vocabularies",
        "Query.metadataTemplates": "500 templates",
        "Vocabulary.terms": "500 words",
        "RenditionPreset.versions": "the newest versions",
        "LooksAlikeError.assets": "20 look-alikes",
        "PurchaseCheck.findings": "20 of a kind",
        "Query.avoidedSpendTotals": "one per currency",
        "Query.suppliers": "200 suppliers",
        "Supplier.urlPatterns": "20 patterns",
        "RecallSimulation.channels": "one per channel",
        "RecallSimulation.replacements": "20 uses",
        "Usage.records": "what one use takes, in at most 400 periods of each cap",
    }
    assert plain == set(bounded)


@pytest.mark.parametrize("name", ["Asset", "AssetVersion", "Rendition", "RenditionPreset", "Tag", "Lightbox", "Job"])
def test_whatever_has_an_id_is_a_node(name: str) -> None:
    kind = OURS[name]
    assert isinstance(kind, graphql.GraphQLObjectType)
    assert "Node" in {each.name for each in kind.interfaces}
    assert name in built.NODE_TYPES


def test_nothing_with_an_id_was_forgotten() -> None:
    with_id = {n for n, k in OURS.items() if isinstance(k, graphql.GraphQLObjectType) and "id" in k.fields}
    assert with_id == built.NODE_TYPES


def test_quantities_that_outgrow_32_bits_are_big() -> None:
    for name, kind in OURS.items():
        if isinstance(kind, graphql.GraphQLObjectType):
            for field, told in kind.fields.items():
                if "byte" in field.lower() and graphql.get_named_type(told.type).name != "Boolean":
                    assert graphql.get_named_type(told.type).name == "BigInt", f"{name}.{field}"
                # Places in a picture and a film are no quantities that anybody counts.
                may = field in {"score", "x", "y", "atSeconds"}
                assert graphql.get_named_type(told.type).name != "Float" or may, f"{name}.{field}"


def differences(wanted: graphql.TypeDefinitionNode) -> list[str]:
    name = wanted.name.value
    kind = OURS.get(name)
    if kind is None:
        return [name]
    if isinstance(wanted, graphql.EnumTypeDefinitionNode):
        assert isinstance(kind, graphql.GraphQLEnumType)
        return [f"{name}.{each.name.value}" for each in wanted.values or () if each.name.value not in kind.values]
    assert isinstance(
        wanted,
        graphql.ObjectTypeDefinitionNode | graphql.InterfaceTypeDefinitionNode | graphql.InputObjectTypeDefinitionNode,
    )
    assert isinstance(kind, graphql.GraphQLObjectType | graphql.GraphQLInterfaceType | graphql.GraphQLInputObjectType)
    missing = []
    for field in wanted.fields or ():
        there = kind.fields.get(field.name.value)
        if there is None or str(there.type) != graphql.print_ast(field.type):
            missing.append(f"{name}.{field.name.value}: {None if there is None else there.type}")
        for argument in getattr(field, "arguments", None) or ():
            known = getattr(there, "args", {}).get(argument.name.value)
            if known is None or str(known.type) != graphql.print_ast(argument.type):
                missing.append(f"{name}.{field.name.value}({argument.name.value})")
    return missing
