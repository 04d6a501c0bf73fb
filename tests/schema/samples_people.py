"""Acceptable inputs for mutations of organisations, brands, people, teams, roles and grants."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from domain.global_ids import encode
from domain.work import BRAND_ORG_ID
from tests.asking import ISSUER
from tests.assets import acts

if TYPE_CHECKING:
    from tests.schema.samples import Brand

#: Why they do without `expectedRevision`.
UNREVISED: Final = {
    "personInvite": "it names somebody new",
    "personInviteAgain": "a newer invitation ends the earlier ones",
    "grantRevoke": "a grant stands or was taken back",
    "identityLink": "a pair is somebody's or nobody's",
    "identityUnlink": "a pair is somebody's or nobody's",
}
TOP: Final = encode("Organisation", BRAND_ORG_ID)


def organisation(brand: Brand, parent: str = TOP) -> dict[str, Any]:
    return brand.one("organisationCreate", "organisation", name=word(brand), kind="AGENCY", parent=parent)


def own_brand(brand: Brand) -> dict[str, Any]:
    return brand.one("brandCreate", "brand", organisation=TOP, name=word(brand))


def person(brand: Brand) -> dict[str, Any]:
    wish = {"email": f"{word(brand)}@example.com", "name": "Somebody", "organisation": TOP}
    return brand.one("personInvite", "person", **wish)


def out(brand: Brand) -> dict[str, Any]:
    """Somebody who is shut out."""
    return brand.one("principalDisable", "principal", **revised("principal", person(brand)))


def service(brand: Brand) -> dict[str, Any]:
    return brand.one("serviceAccountCreate", "serviceAccount", name=word(brand), organisation=TOP)


def role(brand: Brand) -> dict[str, Any]:
    return brand.one("roleCreate", "role", name=word(brand), permissions=["ASSET_VIEW"])


def team(brand: Brand, *members: dict[str, Any]) -> dict[str, Any]:
    made = brand.one("teamCreate", "team", organisation=TOP, name=word(brand))
    if not members:
        return made
    return brand.one("teamMembersAdd", "team", **revised("team", made, members=[each["id"] for each in members]))


def grant(brand: Brand) -> str:
    query = "mutation ($input: GrantCreateInput!) { grantCreate(input: $input) { grant { id } errors { message } } }"
    given: str = acts.accepted(brand.client.ask(query, input=_grant(brand))["grantCreate"])["grant"]["id"]
    return given


def nodes(brand: Brand) -> dict[str, str]:
    """One of each by type."""
    made = {"Organisation": organisation, "Brand": own_brand, "Person": person, "ServiceAccount": service}
    found = {type_: make(brand)["id"] for type_, make in {**made, "Team": team, "Role": role}.items()}
    return {**found, "Grant": grant(brand)}


def word(brand: Brand) -> str:
    brand.made[0] += 1
    return f"word{brand.made[0]}"


def revised(place: str, entity: dict[str, Any], /, **fields: Any) -> dict[str, Any]:
    return {place: entity["id"], "expectedRevision": entity["revision"], **fields}


def _grant(brand: Brand) -> dict[str, Any]:
    return {"to": {"person": person(brand)["id"]}, "role": role(brand)["id"], "scope": {"organisation": TOP}}


def _invite(brand: Brand) -> dict[str, Any]:
    there = {"organisation": organisation(brand)["id"], "role": role(brand)["id"]}
    return {"email": f"{word(brand)}@example.com", "name": "New", **there}


def _identity(brand: Brand) -> dict[str, Any]:
    return {"principal": service(brand)["id"], "issuer": ISSUER, "subject": f"robot-{word(brand)}"}


def _linked(brand: Brand) -> dict[str, Any]:
    identity = _identity(brand)
    brand.one("identityLink", "principal", **identity)
    return identity


def _join(brand: Brand) -> dict[str, Any]:
    return revised("team", team(brand), members=[person(brand)["id"]])


def _leave(brand: Brand) -> dict[str, Any]:
    inside = person(brand)
    return revised("team", team(brand, inside), members=[inside["id"]])


def _bring(brand: Brand) -> dict[str, Any]:
    return {"upload": brand.upload(), "organisation": organisation(brand)["id"], "brand": own_brand(brand)["id"]}


def _change(brand: Brand) -> dict[str, Any]:
    asset = brand.asset(tags=["sea"])
    told = {"removeTags": [asset["tags"][0]["id"]], "brand": own_brand(brand)["id"]}
    return revised("asset", asset, title="New", **told)


SAMPLES: Final[dict[str, Callable[[Brand], dict[str, Any]]]] = {
    "assetCreate": _bring,
    "assetUpdate": _change,
    "organisationCreate": lambda brand: {"name": word(brand), "kind": "AFFILIATE", "parent": organisation(brand)["id"]},
    "organisationUpdate": lambda brand: revised("organisation", organisation(brand), name="Renamed"),
    "organisationArchive": lambda brand: revised("organisation", organisation(brand)),
    "brandCreate": lambda brand: {"organisation": organisation(brand)["id"], "name": "Sun"},
    "brandUpdate": lambda brand: revised("brand", own_brand(brand), name="Moon"),
    "brandArchive": lambda brand: revised("brand", own_brand(brand)),
    "personInvite": _invite,
    "personInviteAgain": lambda brand: {"person": person(brand)["id"]},
    "serviceAccountCreate": lambda brand: {
        "name": "shop",
        "organisation": organisation(brand)["id"],
        "role": role(brand)["id"],
    },
    "principalUpdate": lambda brand: revised("principal", person(brand), name="Renamed"),
    "principalDisable": lambda brand: revised("principal", service(brand)),
    "principalEnable": lambda brand: revised("principal", out(brand)),
    "identityLink": _identity,
    "identityUnlink": _linked,
    "teamCreate": lambda brand: {"organisation": organisation(brand)["id"], "name": "Crew"},
    "teamUpdate": lambda brand: revised("team", team(brand), name="Renamed crew"),
    "teamArchive": lambda brand: revised("team", team(brand)),
    "teamMembersAdd": _join,
    "teamMembersRemove": _leave,
    "roleCreate": lambda brand: {"name": word(brand), "permissions": ["ASSET_VIEW"]},
    "roleUpdate": lambda brand: revised("role", role(brand), permissions=["ASSET_VIEW", "ASSET_DOWNLOAD"]),
    "roleArchive": lambda brand: revised("role", role(brand)),
    "grantCreate": _grant,
    "grantRevoke": lambda brand: {"grant": grant(brand)},
}
