"""Acceptable inputs for licences, releases, parties, assessments, and what stands against using an asset."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from domain.global_ids import decode, encode
from domain.licensing import assessing, deciding, embargoes, exclusivities, facts
from domain.licensing.codes import Action, ExclusivityDirection
from domain.licensing.terms import Request, Window
from domain.usage import decisions
from domain.work import BRAND_ORG_ID, HUB
from storage.tables import MetadataRow
from tests import acting
from tests.assets import acts

if TYPE_CHECKING:
    from tests.schema.samples import Brand

#: Why they do without `expectedRevision`.
UNREVISED: Final = {
    "licenseSeatAssign": "a seat is taken or not",
    "licenseSeatRelease": "a seat is taken or not",
    "assetRightsAssess": "it adds an assessment and changes none",
    "assetRightsWithdraw": "an assessment holds or has ended",
    "componentAdd": "a part is in it or not",
    "componentRemove": "a part is in it or not",
    "embargoPlace": "it makes a new one and changes nothing of the asset",
    "embargoLift": "an embargo is lifted once",
    "takedownOpen": "it makes a new one and changes nothing of the asset",
    "exclusivityGive": "it makes a new one and changes nothing of the asset",
    "exclusivityEnd": "it is ended once",
    "licenseFromProposal": "it makes a new one and changes nothing of the version",
}
GRANT: Final = {"actions": ["ANY"], "channels": ["print"], "territories": ["DE", "EU"]}


def party(brand: Brand, name: str = "An agency", kind: str = "ORGANISATION") -> dict[str, Any]:
    return brand.one("partyCreate", "party", kind=kind, name=name)


def draft(brand: Brand, **more: Any) -> dict[str, Any]:
    brand.made[0] += 1
    told = {"title": f"Licence {brand.made[0]}", "startsOn": "2026-01-01", "kind": "RIGHTS_MANAGED", "grants": [GRANT]}
    return brand.one("licenseCreate", "license", **{**told, **more})


def active(brand: Brand, **more: Any) -> dict[str, Any]:
    return brand.one("licenseActivate", "license", **_revised("license", draft(brand, **more)))


def suspended(brand: Brand) -> dict[str, Any]:
    told = _revised("license", active(brand), reason="They asked for it.")
    return brand.one("licenseSuspend", "license", **told)


def seated(brand: Brand) -> dict[str, Any]:
    told = _seat(brand)
    brand.one("licenseSeatAssign", "license", **told)
    return told


def release(brand: Brand, **more: Any) -> dict[str, Any]:
    subject = party(brand, "Somebody", "PERSON")["id"]
    return brand.one("releaseCreate", "release", kind="MODEL", about=subject, **more)


def rights(brand: Brand) -> str:
    number = decode(brand.asset()["id"])[1]
    with brand.hub.writing(brand.client.viewer) as work:
        (row,) = assessing.assess(work, number, None, assessing.Wish(recognisable_people=False))
        return encode("AssetRights", row.id)


def parts(brand: Brand) -> dict[str, str]:
    return {"composite": brand.asset()["current"]["id"], "part": brand.asset()["current"]["id"]}


def composed(brand: Brand) -> dict[str, str]:
    told = parts(brand)
    acts.accepted(brand.client.mutate("componentAdd", "composite { id }", **told))
    return told


def embargo(brand: Brand) -> str:
    number = decode(brand.asset()["id"])[1]
    with brand.hub.writing(brand.client.viewer) as work:
        return encode("Embargo", embargoes.place(work, number, None, None, "Not yet.").id)


def takedown(brand: Brand) -> dict[str, Any]:
    return brand.one("takedownOpen", "takedown", asset=brand.asset()["id"], reason="They asked for it.")


def exclusivity(brand: Brand) -> str:
    number = decode(brand.asset()["id"])[1]
    with brand.hub.writing(brand.client.viewer) as work:
        wish = exclusivities.Wish(ExclusivityDirection.OUTGOING, brand.client.viewer.org_id)
        return encode("Exclusivity", exclusivities.give(work, number, wish).id)


def claimed(brand: Brand, version: str | None = None) -> dict[str, str]:
    """A version whose file says what its licence is called."""
    told = version or brand.asset()["current"]["id"]
    with brand.hub.writing(HUB) as work:
        number = decode(told)[1]
        work.session.add(MetadataRow(version_id=number, namespace="plus", name="LicenseID", value="L-1"))
    return {"version": told}


def group(brand: Brand) -> dict[str, Any]:
    brand.made[0] += 1
    return brand.one("territoryGroupCreate", "group", code=f"OURS_{brand.made[0]}", name="Ours", members=MEMBERS)


def product(brand: Brand) -> dict[str, Any]:
    brand.made[0] += 1
    return brand.one("productCreate", "product", code=f"SKU-{brand.made[0]}", name="A mug")


MEMBERS: Final = [{"territory": "DE", "firstOn": "2020-01-01"}, {"territory": "AT", "lastOn": "2024-02-29"}]


def nodes(brand: Brand) -> dict[str, str]:
    license_id = draft(brand)["id"]
    query = "query ($id: ID!) { license(id: $id) { grants { id } } }"
    grant = brand.client.ask(query, id=license_id)["license"]["grants"][0]["id"]
    return {
        "License": license_id,
        "LicenseGrant": grant,
        "Party": party(brand)["id"],
        "Release": release(brand)["id"],
        "TerritoryGroup": group(brand)["id"],
        "Product": product(brand)["id"],
        "AssetRights": rights(brand),
        "Embargo": embargo(brand),
        "Takedown": takedown(brand)["id"],
        "Exclusivity": exclusivity(brand),
        "RightsDecision": decided(brand),
    }


def decided(brand: Brand) -> str:
    """A decision that something relies on."""
    number = decode(brand.asset()["current"]["id"])[1]
    day = Window(date(2026, 1, 1), date(2026, 1, 1))
    with brand.hub.writing(HUB) as work:
        request = Request(Action.VIEW, "web.site", ("DE",), day, BRAND_ORG_ID, work.now)
        found = deciding.decide(facts.of_version(work, number), request)
        return encode("RightsDecision", decisions.keep(work, number, request, found, decisions.Mode.DELIVER).id)


def _home(brand: Brand) -> str:
    return encode("Organisation", brand.client.viewer.org_id)


def _named(brand: Brand) -> dict[str, Any]:
    """What a licence may name."""
    return {
        "licensor": party(brand)["id"],
        "licensee": _home(brand),
        "endUsers": [_home(brand)],
        "document": brand.asset()["id"],
    }


def _assess(brand: Brand) -> dict[str, Any]:
    asset = brand.asset()
    under = {"licenses": [active(brand)["id"]], "releases": [release(brand)["id"]]}
    return {"asset": asset["id"], "version": asset["current"]["id"], **under}


def _seat(brand: Brand) -> dict[str, Any]:
    brand.made[0] += 1
    sitting = acting.organisation(brand.hub, f"Sitting {brand.made[0]}")
    return {"license": active(brand, seats=2)["id"], "organisation": encode("Organisation", sitting)}


def _revised(place: str, entity: dict[str, Any], /, **fields: Any) -> dict[str, Any]:
    return {place: entity["id"], "expectedRevision": entity["revision"], **fields}


SAMPLES: Final[dict[str, Callable[[Brand], dict[str, Any]]]] = {
    "partyCreate": lambda brand: {
        "kind": "PERSON",
        "name": "Somebody",
        "country": "DE",
        "organisation": _home(brand),
    },
    "partyUpdate": lambda brand: _revised("party", party(brand), name="Another agency", url="https://agency.example"),
    "partyArchive": lambda brand: _revised("party", party(brand)),
    "licenseCreate": lambda brand: {
        "title": "A licence",
        "startsOn": "2026-01-01",
        "template": "ROYALTY_FREE",
        "organisation": _home(brand),
        **_named(brand),
    },
    "licenseUpdate": lambda brand: _revised(
        "license", draft(brand), endsOn="2027-12-31", grants=[GRANT], **_named(brand)
    ),
    "licenseActivate": lambda brand: _revised("license", draft(brand)),
    "licenseSuspend": lambda brand: _revised("license", active(brand), reason="They asked for it."),
    "licenseResume": lambda brand: _revised("license", suspended(brand)),
    "licenseTerminate": lambda brand: _revised("license", active(brand), reason="It is over."),
    "licenseSupersede": lambda brand: _revised(
        "license", active(brand), by=draft(brand)["id"], reason="Other territories."
    ),
    "licenseSeatAssign": _seat,
    "licenseSeatRelease": seated,
    "releaseCreate": lambda brand: {
        "kind": "MODEL",
        "about": party(brand, "Somebody", "PERSON")["id"],
        "organisation": _home(brand),
        "signedDocument": brand.asset()["id"],
    },
    "releaseSign": lambda brand: _revised(
        "release", release(brand), status="UNLIMITED", signedOn="2026-01-01", signedDocument=brand.asset()["id"]
    ),
    "releaseRevoke": lambda brand: _revised("release", release(brand), reason="They changed their mind."),
    "assetRightsAssess": _assess,
    "assetRightsWithdraw": lambda brand: {"rights": rights(brand), "reason": "It was another picture."},
    "componentAdd": parts,
    "componentRemove": composed,
    "embargoPlace": lambda brand: {
        "asset": brand.asset()["id"],
        "reason": "Not yet.",
        "endsAt": "2099-01-01T09:00:00Z",
    },
    "embargoLift": lambda brand: {"embargo": embargo(brand), "reason": "Now."},
    "takedownOpen": lambda brand: {"asset": brand.asset()["id"], "reason": "They asked for it."},
    "takedownEnforce": lambda brand: _revised("takedown", takedown(brand)),
    "takedownLift": lambda brand: _revised("takedown", takedown(brand), reason="It is over."),
    "exclusivityGive": lambda brand: {
        "asset": brand.asset()["id"],
        "holder": encode("Organisation", brand.client.viewer.org_id),
        "channels": ["print"],
        "territories": ["DACH"],
    },
    "exclusivityEnd": lambda brand: {"exclusivity": exclusivity(brand), "reason": "They gave it back."},
    "licenseFromProposal": lambda brand: {**claimed(brand), "licensor": party(brand)["id"]},
    "productCreate": lambda brand: {"code": "MUG-1", "name": "A mug", "organisation": _home(brand)},
    "productUpdate": lambda brand: _revised("product", product(brand), name="A cup", archived=True),
    "territoryGroupCreate": lambda _: {"code": "OUR_NORTH", "name": "Our north", "members": MEMBERS},
    "territoryGroupUpdate": lambda brand: _revised("group", group(brand), members=MEMBERS[:1]),
}
