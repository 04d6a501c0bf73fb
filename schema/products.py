"""Products over GraphQL: what licences and uses may be limited to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from domain import organisations, pages, products
from domain.global_ids import encode, number_of
from domain.work import Work
from schema.connections import Asked, Connection, listed, page_of
from schema.context import Context
from schema.errors import MutationError
from schema.fields import field, mutation
from schema.mapped import TABLES, GlobalId, One, Table, column
from schema.mutating import Answer, run
from schema.node import KINDS, Kind, Node, fetch
from schema.paging import After, Before, First, Last
from schema.scalars import Instant
from storage.tables import ProductRow

if TYPE_CHECKING:
    from schema.organisations import Organisation


@strawberry.type(description="What an organisation makes or sells: licences and uses may be for it alone.")
class Product(Node):
    row: strawberry.Private[ProductRow]
    id: strawberry.ID = column(GlobalId("Product", ProductRow.id))
    code: str = column(ProductRow.code, "Such as a stock number or a GTIN; unique in its organisation, never changes.")
    name: str = column(ProductRow.name)
    created_at: Instant = column(ProductRow.created_at)
    archived_at: Instant | None = column(ProductRow.archived_at, "Since when nothing new is licensed for it.")
    revision: int = column(ProductRow.revision)

    @classmethod
    def of(cls, row: ProductRow) -> Product:
        return cls(
            row=row,
            id=strawberry.ID(encode("Product", row.id)),
            code=row.code,
            name=row.name,
            created_at=row.created_at,
            archived_at=row.archived_at,
            revision=row.revision,
        )

    @field(
        "Whose it is; null where the viewer may not know of it.",
        mapped=One("Organisation", organisations.seen, ProductRow.org_id, stamped=False),
    )
    async def organisation(
        self, info: strawberry.Info[Context]
    ) -> Annotated[Organisation, strawberry.lazy("schema.organisations")] | None:
        found: Organisation | None = await fetch(info.context, "Organisation", self.row.org_id)
        return found


@strawberry.input(description="A new product.")
class ProductCreateInput:
    code: str = strawberry.field(
        description="1 to 60 letters, digits, points, hyphens, underlines and slashes; it never changes."
    )
    name: str
    organisation: strawberry.ID | None = strawberry.field(
        default=None, description="Whose it is; the viewer's own if not said."
    )
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="Changes to a product; what is not given stays.")
class ProductUpdateInput:
    product: strawberry.ID
    expected_revision: int
    name: str | None = None
    archived: bool | None = strawberry.field(default=None, description="Whether nothing new is licensed for it.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`product` is null exactly when `errors` is not empty.")
class ProductPayload:
    product: Product | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


def _products(work: Work, codes: list[str] | None = None, archived: bool = False) -> Asked:  # an argument of the field
    these = tuple(codes or ())
    return Asked(pages.scope_of("products", these, archived), lambda: products.listed(work, these, archived=archived))


@strawberry.type
class ProductQueries:
    @field(
        "Products by code: the brand's own for all who may know of licences or record uses, others where they do.",
        mapped=listed("Product", _products),
    )
    def products(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        codes: list[str] | None = None,
        archived: bool = False,  # an argument of the field
    ) -> Connection[Product]:
        asked = _products(info.context.work, codes, archived)
        return page_of(info, asked, Product.of, first=first, after=after, last=last, before=before)


@strawberry.type
class ProductMutations:
    @mutation("Makes a product. Needs LICENSE_MANAGE.")
    def product_create(self, info: strawberry.Info[Context], input: ProductCreateInput) -> ProductPayload:
        def act(work: Work) -> Answer:
            given = input.organisation
            home = None if given is None else number_of("Organisation", given, ("organisation",))
            return {"product": ("Product", products.create(work, input.code, input.name, home).id)}

        return run(info, input, ProductPayload, act)

    @mutation("Changes a product's name, and puts it away or brings it back. Needs LICENSE_MANAGE.")
    def product_update(self, info: strawberry.Info[Context], input: ProductUpdateInput) -> ProductPayload:
        def act(work: Work) -> Answer:
            number, revision = number_of("Product", input.product, ("product",)), input.expected_revision
            row = products.update(work, number, revision, name=input.name, is_archived=input.archived)
            return {"product": ("Product", row.id)}

        return run(info, input, ProductPayload, act)


KINDS["Product"] = Kind(products.by_id, Product.of)
TABLES["Product"] = Table(products.seen, ProductRow.id, sight=products.sight)
