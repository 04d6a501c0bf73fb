"""The whole schema, put together from the features."""

from __future__ import annotations

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types

from schema import errors, glossary, node
from schema.assets import Asset, AssetQueries
from schema.audit import AuditQueries
from schema.bulk.mutations import BulkMutations, BulkQueries
from schema.bulk.types import BulkOperation
from schema.changes import ChangeQueries
from schema.crediting import CreditingMutations
from schema.custom_fields.mutations import CustomFieldMutations, CustomFieldQueries
from schema.custom_fields.types import VALUE_TYPES, CustomField
from schema.documents import DocumentMutations, DocumentQueries, TrustedDocument
from schema.exports import BulkExport, ExportMutations, ExportQueries
from schema.fetching.mutations import FetchingMutations, FetchingQueries
from schema.fetching.types import UploadSession
from schema.guests import GuestLink, GuestMutations, GuestQueries
from schema.hub import HubMutations, HubQueries, Job
from schema.inbox import InboxMutations, InboxQueries
from schema.ingest import IngestMutations
from schema.licensing.assessing import AssessingMutations, AssetRights
from schema.licensing.barring import BarringMutations, BarringQueries, Embargo, Exclusivity, Takedown
from schema.licensing.changing import LicenseMutations
from schema.licensing.deciding import DecidingQueries, RightsDecision
from schema.licensing.grants import LicenseGrant
from schema.licensing.groups import TerritoryGroup, TerritoryMutations, TerritoryQueries
from schema.licensing.licenses import License, LicenseQueries
from schema.licensing.parties import Party, PartyMutations, PartyQueries
from schema.licensing.proposals import ProposalMutations
from schema.licensing.releases import Release, ReleaseMutations, ReleaseQueries
from schema.lightboxes import Lightbox, LightboxMutations, LightboxQueries
from schema.likeness.mutations import LikenessMutations
from schema.likeness.types import LikenessQueries, NearDuplicate
from schema.limits import LimitQueries
from schema.organisations import Brand, Organisation, OrganisationMutations, OrganisationQueries
from schema.people.actors import ActorQueries, Person, ServiceAccount
from schema.people.grants import Grant, GrantMutations
from schema.people.mutations import PeopleMutations
from schema.people.roles import Role, RoleMutations, RoleQueries
from schema.people.teams import Team, TeamMutations
from schema.presets import PresetMutations, PresetQueries, RenditionPreset
from schema.products import Product, ProductMutations, ProductQueries
from schema.purchases.checking import CheckingQueries
from schema.purchases.mutations import PurchaseMutations, PurchaseQueries
from schema.purchases.types import StockPurchase, Supplier
from schema.relations import AssetRelation, RelationMutations
from schema.renditions import Rendition, RenditionMutations
from schema.scalars import SCALARS
from schema.sharing import Share, ShareMutations, ShareQueries
from schema.subscriptions import Subscription
from schema.taxonomy import Tag, TaxonomyMutations, TaxonomyQueries
from schema.templates import MetadataTemplate, TemplateMutations, TemplateQueries
from schema.tokens import Token, TokenMutations, TokenQueries
from schema.trash import LegalHold, TrashMutations, TrashQueries
from schema.usage.mutations import UsageMutations, UsageQueries
from schema.usage.types import Usage
from schema.versions import AssetVersion
from schema.vocabularies import Vocabulary, VocabularyMutations, VocabularyQueries
from schema.webhooks.mutations import WebhookMutations, WebhookQueries
from schema.webhooks.types import Webhook, WebhookDelivery

_SHARING_QUERIES = (TokenQueries, ShareQueries, GuestQueries, InboxQueries, WebhookQueries)
_SHARING_MUTATIONS = (TokenMutations, ShareMutations, GuestMutations, InboxMutations, WebhookMutations)
#: What the brand says of its assets beside what every asset says, and saying it of many at once.
_FIELD_QUERIES = (CustomFieldQueries, VocabularyQueries, TemplateQueries, BulkQueries)
_FIELD_MUTATIONS = (CustomFieldMutations, VocabularyMutations, TemplateMutations, BulkMutations)
_FIELD_TYPES = (CustomField, Vocabulary, MetadataTemplate, BulkOperation, *VALUE_TYPES)
_LICENSING_QUERIES = (
    *(LicenseQueries, PartyQueries, ReleaseQueries, BarringQueries, TerritoryQueries),
    *(DecidingQueries, ProductQueries),
)
_LICENSING_MUTATIONS = (
    *(LicenseMutations, PartyMutations, ReleaseMutations, AssessingMutations, BarringMutations),
    *(TerritoryMutations, ProposalMutations, ProductMutations),
)
_LICENSING_TYPES = (
    *(License, LicenseGrant, Party, Release, AssetRights, Embargo, Takedown, Exclusivity),
    *(TerritoryGroup, Product, RightsDecision),
)
_PEOPLE_QUERIES = (OrganisationQueries, ActorQueries, RoleQueries)
_PEOPLE_MUTATIONS = (OrganisationMutations, PeopleMutations, TeamMutations, RoleMutations, GrantMutations)
_PEOPLE_TYPES = (Organisation, Brand, Person, ServiceAccount, Team, Role, Grant)

Query = merge_types(
    "Query",
    (
        HubQueries,
        LimitQueries,
        AssetQueries,
        TaxonomyQueries,
        LightboxQueries,
        PresetQueries,
        AuditQueries,
        DocumentQueries,
        ChangeQueries,
        ExportQueries,
        TrashQueries,
        FetchingQueries,
        LikenessQueries,
        CheckingQueries,
        PurchaseQueries,
        UsageQueries,
        *_LICENSING_QUERIES,
        *_FIELD_QUERIES,
        *_SHARING_QUERIES,
        *_PEOPLE_QUERIES,
    ),
)
Mutation = merge_types(
    "Mutation",
    (
        IngestMutations,
        TaxonomyMutations,
        LightboxMutations,
        PresetMutations,
        RenditionMutations,
        CreditingMutations,
        HubMutations,
        DocumentMutations,
        ExportMutations,
        TrashMutations,
        FetchingMutations,
        RelationMutations,
        LikenessMutations,
        PurchaseMutations,
        UsageMutations,
        *_LICENSING_MUTATIONS,
        *_FIELD_MUTATIONS,
        *_SHARING_MUTATIONS,
        *_PEOPLE_MUTATIONS,
    ),
)

built = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    types=[
        Asset,
        AssetVersion,
        Rendition,
        RenditionPreset,
        Tag,
        Lightbox,
        Job,
        BulkExport,
        LegalHold,
        UploadSession,
        AssetRelation,
        NearDuplicate,
        StockPurchase,
        Supplier,
        Usage,
        Token,
        Share,
        GuestLink,
        Webhook,
        WebhookDelivery,
        TrustedDocument,
        *_LICENSING_TYPES,
        *_FIELD_TYPES,
        *_PEOPLE_TYPES,
        *errors.concrete_types(),
    ],
    config=StrawberryConfig(scalar_map=SCALARS),
)

#: The same as graphql-core knows it.
graphql_schema = built._schema  # noqa: SLF001  # Strawberry names no other way to it
#: The entries of the glossary that describe something.
DESCRIBED = glossary.describe(graphql_schema)

NODE_TYPES = frozenset(node.KINDS)


def sdl() -> str:
    """The schema in its definition language, as `schema/schema.graphql` keeps it."""
    return built.as_str().rstrip() + "\n"
