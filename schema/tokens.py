"""Bearer tokens over GraphQL: what makes one work is answered once, by the mutation that made it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from domain import identity, pages
from domain.global_ids import encode, number_of
from domain.identity import NewToken
from domain.permissions import Permission
from domain.work import Work
from schema.context import Context
from schema.errors import MutationError
from schema.fields import field, mutation
from schema.mutating import Answer, run
from schema.node import KINDS, Kind, Node, fetch
from schema.paging import After, Before, First, Last, PageInfo, cursors, page_info, total
from schema.scalars import Instant
from storage.tables import TokenRow

if TYPE_CHECKING:
    from schema.people.actors import Actor


@strawberry.type(description="A bearer token, without what makes it work.")
class Token(Node):
    row: strawberry.Private[TokenRow]
    name: str
    prefix: str = strawberry.field(description="How it begins, so that a person recognises it.")
    scopes: list[Permission] | None = strawberry.field(
        description="Permissions that it is limited to; null for all that its owner holds."
    )
    networks: list[str] | None = strawberry.field(description="Networks it works from; null for any.")
    created_at: Instant
    expires_at: Instant | None
    revoked_at: Instant | None
    last_used_at: Instant | None = strawberry.field(description="When it was last used, to about a minute.")

    @classmethod
    def of(cls, row: TokenRow) -> Token:
        known = {each.value: each for each in Permission}
        return cls(
            row=row,
            id=strawberry.ID(encode("Token", row.id)),
            name=row.name,
            prefix=row.prefix,
            scopes=None if row.scopes is None else [known[each] for each in row.scopes if each in known],
            networks=row.networks,
            created_at=row.created_at,
            expires_at=row.expires_at,
            revoked_at=row.revoked_at,
            last_used_at=row.last_used_at,
        )

    @field("The name of whoever it speaks for.")
    async def owner_name(self, info: strawberry.Info[Context]) -> str:
        found = await info.context.load(identity.owners, self.row.principal_id)
        assert found is not None, "a token has an owner"
        return found.name

    @field("For whom it speaks; null where the viewer may not know of them.")
    async def owner(
        self, info: strawberry.Info[Context]
    ) -> Annotated[Actor, strawberry.lazy("schema.people.actors")] | None:
        row = await info.context.load(identity.owners, self.row.principal_id)
        assert row is not None, "a token has an owner"
        type_ = "Person" if row.kind == "PERSON" else "ServiceAccount"
        found: Actor | None = await fetch(info.context, type_, row.id)
        return found

    @field("Whether it speaks for the viewer.")
    def is_mine(self, info: strawberry.Info[Context]) -> bool:
        return self.row.principal_id == info.context.viewer.principal_id

    @field("The token that takes its place; null where there is none.")
    async def replaced_by(self, info: strawberry.Info[Context]) -> Token | None:
        if self.row.replaced_by_id is None:
            return None
        found = await info.context.load(identity.tokens_by_id, self.row.replaced_by_id)
        return None if found is None else Token.of(found)


@strawberry.type
class TokenEdge:
    node: Token
    cursor: str


@strawberry.type(description="A page of tokens, newest first.")
class TokenConnection:
    slice: strawberry.Private[pages.Slice[TokenRow]]

    @strawberry.field
    def edges(self, info: strawberry.Info[Context]) -> list[TokenEdge]:
        marks = cursors(info.context.work, self.slice)
        return [TokenEdge(node=Token.of(row), cursor=mark) for row, mark in zip(self.slice.rows, marks, strict=True)]

    @strawberry.field
    def nodes(self) -> list[Token]:
        return [Token.of(row) for row in self.slice.rows]

    @strawberry.field
    def page_info(self, info: strawberry.Info[Context]) -> PageInfo:
        return page_info(info.context.work, self.slice)

    @total
    def total_count(self, info: strawberry.Info[Context]) -> int:
        return identity.token_count(info.context.work)


@strawberry.input(description="A new token; what is not said is as far as the token goes that you use now.")
class TokenCreateInput:
    name: str
    scopes: list[Permission] | None = strawberry.field(default=None, description="Permissions it is limited to.")
    networks: list[str] | None = strawberry.field(
        default=None, description="Networks it works from, such as 192.0.2.0/24 or 2001:db8::/32; at most 50."
    )
    expires_at: Instant | None = strawberry.field(default=None, description="Within ten years.")
    service_account: strawberry.ID | None = strawberry.field(
        default=None, description="For whom it speaks, if not for you: needs TOKEN_MANAGE in its organisation."
    )
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The token to put another in the place of.")
class TokenRotateInput:
    token: strawberry.ID
    overlap_hours: int = strawberry.field(description="Hours that the old one still works: 0 to 168.")
    expires_at: Instant | None = strawberry.field(
        default=None, description="When the new one expires; if not said, when the old one would have."
    )
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The token that is not to work any more.")
class TokenRevokeInput:
    token: strawberry.ID
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`token` is null exactly when `errors` is not empty.")
class TokenSecretPayload:
    token: Token | None
    secret: str | None = strawberry.field(
        description="What makes it work. Shown this once: a repetition by `idempotencyKey` is answered without it."
    )
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type(description="`token` is null exactly when `errors` is not empty.")
class TokenPayload:
    token: Token | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type
class TokenQueries:
    @field("The viewer's own tokens, and those of every organisation where they hold TOKEN_MANAGE; newest first.")
    def tokens(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> TokenConnection:
        work = info.context.work
        scope = pages.scope_of("tokens")
        wanted = pages.paging(work, scope, first=first, after=after, last=last, before=before)
        return TokenConnection(slice=identity.token_page(work, wanted))


@strawberry.type
class TokenMutations:
    @mutation("Makes a token and shows its secret, this once.")
    def token_create(self, info: strawberry.Info[Context], input: TokenCreateInput) -> TokenSecretPayload:
        def make(work: Work) -> NewToken:
            account = input.service_account
            return identity.create_token(
                work,
                input.name,
                expires_at=input.expires_at,
                scopes=input.scopes,
                networks=input.networks,
                principal_id=None if account is None else number_of("ServiceAccount", account, ("serviceAccount",)),
            )

        return _shown(info, input, make)

    @mutation("Makes a successor of a token and shows its secret, this once; the old one goes on for a while.")
    def token_rotate(self, info: strawberry.Info[Context], input: TokenRotateInput) -> TokenSecretPayload:
        def make(work: Work) -> NewToken:
            number = number_of("Token", input.token, ("token",))
            return identity.rotate_token(work, number, input.overlap_hours, input.expires_at)

        return _shown(info, input, make)

    @mutation("Makes a token stop working at once.")
    def token_revoke(self, info: strawberry.Info[Context], input: TokenRevokeInput) -> TokenPayload:
        def act(work: Work) -> Answer:
            return {"token": ("Token", identity.revoke_token(work, number_of("Token", input.token, ("token",))).id)}

        return run(info, input, TokenPayload, act)


def _shown(info: strawberry.Info[Context], input: Any, make: Callable[[Work], NewToken]) -> TokenSecretPayload:
    """The secret goes from the act to the answer and is kept nowhere."""
    made: list[NewToken] = []

    def act(work: Work) -> Answer:
        made.append(make(work))
        return {"token": ("Token", made[-1].id)}

    payload = run(info, input, TokenSecretPayload, act)
    if made and not payload.errors:
        payload.secret = made[-1].secret
    return payload


KINDS["Token"] = Kind(identity.tokens_by_id, Token.of)
