"""The whole schema, put together from the features."""

from __future__ import annotations

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types

from schema import errors, glossary, node
from schema.assets import Asset, AssetQueries
from schema.audit import AuditQueries
from schema.changes import ChangeQueries
from schema.documents import DocumentMutations, DocumentQueries, TrustedDocument
from schema.exports import BulkExport, ExportMutations, ExportQueries
from schema.guests import GuestLink, GuestMutations, GuestQueries
from schema.hub import HubMutations, HubQueries, Job
from schema.inbox import InboxMutations, InboxQueries
from schema.ingest import IngestMutations
from schema.lightboxes import Lightbox, LightboxMutations, LightboxQueries
from schema.limits import LimitQueries
from schema.organisations import Brand, Organisation, OrganisationMutations, OrganisationQueries
from schema.people.actors import ActorQueries, Person, ServiceAccount
from schema.people.grants import Grant, GrantMutations
from schema.people.mutations import PeopleMutations
from schema.people.roles import Role, RoleMutations, RoleQueries
from schema.people.teams import Team, TeamMutations
from schema.renditions import Rendition, RenditionMutations, RenditionPreset, RenditionQueries
from schema.scalars import SCALARS
from schema.sharing import Share, ShareMutations, ShareQueries
from schema.subscriptions import Subscription
from schema.taxonomy import Tag, TaxonomyMutations, TaxonomyQueries
from schema.tokens import Token, TokenMutations, TokenQueries
from schema.versions import AssetVersion
from schema.webhooks.mutations import WebhookMutations, WebhookQueries
from schema.webhooks.types import Webhook, WebhookDelivery

_SHARING_QUERIES = (TokenQueries, ShareQueries, GuestQueries, InboxQueries, WebhookQueries)
_SHARING_MUTATIONS = (TokenMutations, ShareMutations, GuestMutations, InboxMutations, WebhookMutations)
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
        RenditionQueries,
        AuditQueries,
        DocumentQueries,
        ChangeQueries,
        ExportQueries,
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
        RenditionMutations,
        HubMutations,
        DocumentMutations,
        ExportMutations,
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
        Token,
        Share,
        GuestLink,
        Webhook,
        WebhookDelivery,
        TrustedDocument,
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
