"""Roles: named sets of permissions."""

from __future__ import annotations

import strawberry

from domain import roles
from domain.global_ids import encode, number_of
from domain.permissions import Permission
from domain.work import Work
from schema.context import Context
from schema.errors import MutationError
from schema.fields import field, mutation
from schema.mutating import Answer
from schema.node import KINDS, Kind, Node
from schema.people.running import run
from storage.tables import RoleRow


@strawberry.type(description="A named set of permissions, given to people and teams by grants.")
class Role(Node):
    name: str
    description: str | None
    permissions: list[Permission]
    archived: bool
    revision: int

    @classmethod
    def of(cls, row: RoleRow) -> Role:
        return cls(
            id=strawberry.ID(encode("Role", row.id)),
            name=row.name,
            description=row.description,
            permissions=roles.permissions_of(row),
            archived=row.archived_at is not None,
            revision=row.revision,
        )


@strawberry.input(description="A new role, of permissions that the viewer holds everywhere.")
class RoleCreateInput:
    name: str
    permissions: list[Permission]
    description: str | None = None
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="Changes to a role, for all who hold it; what is left out stays.")
class RoleUpdateInput:
    role: strawberry.ID
    expected_revision: int
    name: str | None = None
    permissions: list[Permission] | None = strawberry.field(default=None, description="All of them from now on.")
    description: str | None = strawberry.field(default=None, description="An empty one goes.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The role that nobody is to hold any more.")
class RoleArchiveInput:
    role: strawberry.ID
    expected_revision: int
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`role` is null exactly when `errors` is not empty.")
class RolePayload:
    role: Role | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type
class RoleQueries:
    @field("The roles there are, by name; whoever has nothing to do with people sees their own.")
    def roles(self, info: strawberry.Info[Context]) -> list[Role]:
        return [Role.of(row) for row in roles.living(info.context.work)]


@strawberry.type
class RoleMutations:
    @mutation("Makes a role.")
    def role_create(self, info: strawberry.Info[Context], input: RoleCreateInput) -> RolePayload:
        def act(work: Work) -> Answer:
            return _role(roles.create(work, input.name, input.permissions, input.description))

        return run(info, input, RolePayload, act)

    @mutation("Changes a role.")
    def role_update(self, info: strawberry.Info[Context], input: RoleUpdateInput) -> RolePayload:
        def act(work: Work) -> Answer:
            row = roles.update(
                work,
                number_of("Role", input.role, ("role",)),
                input.expected_revision,
                name=input.name,
                permissions=input.permissions,
                description=input.description,
            )
            return _role(row)

        return run(info, input, RolePayload, act)

    @mutation("Puts a role away: nobody holds or is denied anything by it any more.")
    def role_archive(self, info: strawberry.Info[Context], input: RoleArchiveInput) -> RolePayload:
        def act(work: Work) -> Answer:
            return _role(roles.archive(work, number_of("Role", input.role, ("role",)), input.expected_revision))

        return run(info, input, RolePayload, act)


def _role(row: RoleRow) -> Answer:
    return {"role": ("Role", row.id)}


KINDS["Role"] = Kind(roles.by_id, Role.of)
