"""The whole schema, put together from the features."""

from __future__ import annotations

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types

from schema import errors, node
from schema.assets import Asset, AssetQueries
from schema.hub import HubMutations, HubQueries, Job
from schema.ingest import IngestMutations
from schema.lightboxes import Lightbox, LightboxMutations, LightboxQueries
from schema.renditions import Rendition, RenditionMutations, RenditionPreset, RenditionQueries
from schema.scalars import SCALARS
from schema.taxonomy import Tag, TaxonomyMutations, TaxonomyQueries
from schema.versions import AssetVersion

Query = merge_types("Query", (HubQueries, AssetQueries, TaxonomyQueries, LightboxQueries, RenditionQueries))
Mutation = merge_types(
    "Mutation", (IngestMutations, TaxonomyMutations, LightboxMutations, RenditionMutations, HubMutations)
)

built = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    types=[Asset, AssetVersion, Rendition, RenditionPreset, Tag, Lightbox, Job, *errors.concrete_types()],
    config=StrawberryConfig(scalar_map=SCALARS),
)

NODE_TYPES = frozenset(node.KINDS)


def sdl() -> str:
    """The schema in its definition language, as `schema/schema.graphql` keeps it."""
    return built.as_str().rstrip() + "\n"
