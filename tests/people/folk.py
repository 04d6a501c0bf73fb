"""A hub with people in it, for tests: organisations, those who act in them, and clients that ask as they are now."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from domain import authority, identity
from domain.global_ids import decode
from domain.hub import Hub
from domain.permissions import Permission
from domain.work import BRAND_ORG_ID, HUB, Viewer
from storage.tables import EventRow, RoleRow
from tests.asking import Client
from tests.working import mutate, refused

ORG = "organisation { id name kind revision archived }"
PERSON = "person { id name email revision state } inviteUrl"
ACTOR = "principal { id name revision state }"
TEAM = "team { id name revision archived members(first: 100) { totalCount nodes { id } } }"
ROLE = "role { id name description permissions revision archived }"
GRANT = "grant { id denial assetKind expiresAt revokedAt role { name } actor { id } team { id } organisation { id } }"
BRAND = "brand { id name revision archived organisation { id } }"


@dataclass
class House:
    """Everything is made by the administrator, through GraphQL."""

    hub: Hub
    admin: Client
    made: list[int] = field(default_factory=lambda: [0])

    @property
    def top(self) -> str:
        """The brand's own organisation."""
        found: str = self.admin.ask("{ organisations(first: 1) { nodes { id } } }")["organisations"]["nodes"][0]["id"]
        return found

    def org(self, name: str = "", parent: str | None = None, kind: str = "AFFILIATE") -> str:
        return self.done("organisationCreate", ORG, name=name or self.word(), kind=kind, parent=parent or self.top)

    def person(self, org: str | None = None, role: str | None = None, name: str = "") -> str:
        """An invited person's id; `role` by name, in their organisation."""
        word = self.word()
        wish = {"email": f"{word}@example.com", "name": name or word, "organisation": org or self.top}
        if role is not None:
            wish["role"] = self.role(role)
        return self.done("personInvite", PERSON, **wish)

    def service(self, org: str | None = None, role: str | None = None) -> str:
        wish = {"name": self.word(), "organisation": org or self.top}
        if role is not None:
            wish["role"] = self.role(role)
        return self.done("serviceAccountCreate", "serviceAccount { id }", **wish)

    def team(self, org: str | None = None, *members: str) -> str:
        made = self.done("teamCreate", TEAM, organisation=org or self.top, name=self.word())
        if members:
            self.done("teamMembersAdd", TEAM, team=made, expectedRevision=1, members=list(members))
        return made

    def new_role(self, *permissions: Permission, name: str = "") -> str:
        """The id of a role of exactly these."""
        words = [each.name for each in permissions]
        return self.done("roleCreate", ROLE, name=name or self.word(), permissions=words)

    def role(self, name: str) -> str:
        """The id of the role of this name."""
        found = {each["name"]: each["id"] for each in self.admin.ask("{ roles { id name } }")["roles"]}
        id_: str = found[name]
        return id_

    def grant(self, to: str, role: str, org: str | None = None, **more: Any) -> str:
        """`role` by its id; on `org` unless another scope is given."""
        scope = more.pop("scope", {"organisation": org or self.top})
        return self.done("grantCreate", GRANT, to=holder(to), role=role, scope=scope, **more)

    def as_(self, principal: str) -> Client:
        """A client of somebody with what they hold at this moment."""
        return Client(self.hub, self.viewer(principal))

    def viewer(self, principal: str) -> Viewer:
        with self.hub.reading(HUB) as work:
            return identity.viewer_of_principal(work, number(principal))

    def manager(self, org: str | None = None, *more: Permission) -> str:
        """Somebody who looks after people in an organisation, and holds nothing else but `more`."""
        role = self.new_role(Permission.PEOPLE_VIEW, Permission.PEOPLE_MANAGE, *more)
        made = self.person(org)
        self.grant(made, role, org)
        return made

    def done(self, mutation: str, selection: str, **fields: Any) -> str:
        """The id of what an accepted mutation of the administrator's answered."""
        payload = accepted(mutate(self.admin, mutation, selection, **fields))
        entity = next(value for name, value in payload.items() if name not in {"errors", "inviteUrl"})
        found: str = entity["id"]
        return found

    def word(self) -> str:
        self.made[0] += 1
        return f"name{self.made[0]}"

    def look(self, id_: str) -> dict[str, Any]:
        """Name and revision of anything."""
        query = """query ($id: ID!) { node(id: $id) {
          ... on Organisation { name revision archived } ... on Actor { name revision state }
          ... on Team { name revision archived members { nodes { id } } } ... on Role { name revision }
          ... on Brand { name revision } ... on Grant { revokedAt } } }"""
        found: dict[str, Any] = self.admin.ask(query, id=id_)["node"]
        return found

    def revision(self, id_: str) -> int:
        found: int = self.look(id_)["revision"]
        return found

    def administrators(self) -> list[int]:
        with self.hub.reading(HUB) as work:
            return authority.administrators(work, 100)

    def events(self, *types: str) -> list[tuple[str, str, int, int, dict[str, Any]]]:
        """Type, subject, organisation and payload, oldest first."""
        rows = sa.select(EventRow).where(EventRow.type.in_(types)).order_by(EventRow.id)
        with self.hub.database.reading() as session:
            return [
                (row.type, row.subject_type, row.subject_id, row.org_id, row.payload) for row in session.scalars(rows)
            ]


def accepted(payload: dict[str, Any]) -> dict[str, Any]:
    assert payload["errors"] == [], payload
    return payload


def change(client: Client, house: House, mutation: str, place: str, id_: str, **fields: Any) -> dict[str, Any]:
    """The payload of a mutation of something at the revision that it has now."""
    selection = SELECTIONS[mutation]
    return mutate(client, mutation, selection, **{place: id_, "expectedRevision": house.revision(id_)}, **fields)


def not_done(client: Client, mutation: str, /, **fields: Any) -> tuple[str, list[str] | None]:
    """Code and path of a refusal that left every row as it was."""
    error = refused(client, mutation, SELECTIONS[mutation], **fields)
    return error["code"], error["path"]


def holder(id_: str) -> dict[str, str]:
    return {{"Person": "person", "ServiceAccount": "serviceAccount", "Team": "team"}[decode(id_)[0]]: id_}


def number(id_: str) -> int:
    return decode(id_)[1]


def admin_role(hub: Hub) -> int:
    with hub.database.reading() as session:
        return session.scalars(sa.select(RoleRow.id).where(RoleRow.name == "admin")).one()


TOP = BRAND_ORG_ID
SELECTIONS = {
    "organisationCreate": ORG,
    "organisationUpdate": ORG,
    "organisationArchive": ORG,
    "brandCreate": BRAND,
    "brandUpdate": BRAND,
    "brandArchive": BRAND,
    "personInvite": PERSON,
    "personInviteAgain": PERSON,
    "serviceAccountCreate": "serviceAccount { id name revision }",
    "principalUpdate": ACTOR,
    "principalDisable": ACTOR,
    "principalEnable": ACTOR,
    "identityLink": ACTOR,
    "identityUnlink": ACTOR,
    "teamCreate": TEAM,
    "teamUpdate": TEAM,
    "teamArchive": TEAM,
    "teamMembersAdd": TEAM,
    "teamMembersRemove": TEAM,
    "roleCreate": ROLE,
    "roleUpdate": ROLE,
    "roleArchive": ROLE,
    "grantCreate": GRANT,
    "grantRevoke": GRANT,
    "lightboxUpdate": "lightbox { id }",
    "lightboxArchive": "lightbox { id }",
    "lightboxAssetsAdd": "lightbox { id }",
    "lightboxAssetsRemove": "lightbox { id }",
}
