"""Acceptable inputs for mutations of tokens, shares, guest links and the inbox."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from domain import identity, people
from domain.global_ids import encode
from domain.guests import NewLink, create_for_uploads
from domain.work import BRAND_ORG_ID
from tests.acting import organisation
from tests.assets import acts

if TYPE_CHECKING:
    from tests.schema.samples import Brand

#: Why they do without `expectedRevision`.
UNREVISED: Final = {
    "tokenRotate": "a token has one successor instead of a revision",
    "tokenRevoke": "a token is revoked or not",
    "shareEnd": "a share has ended or not",
    "guestLinkRevoke": "a link is revoked or not",
    "inboxReject": "what waits is judged once; whoever comes later conflicts",
}
#: Places of which an input takes one: the other stands in the sample.
ONE_OF: Final = {("shareCreate", "lightbox"), ("guestLinkCreate", "asset")}


def token(brand: Brand) -> str:
    with brand.hub.writing(brand.client.viewer) as work:
        return encode("Token", identity.create_token(work, "a token").id)


def share(brand: Brand) -> str:
    found: str = brand_answer(brand, "shareCreate", "share", **_share(brand))
    return found


def link(brand: Brand) -> str:
    found: str = brand_answer(brand, "guestLinkCreate", "guestLink", **_link(brand))
    return found


def brought(brand: Brand) -> dict[str, Any]:
    """What a guest brought: id and revision."""
    guest = identity.viewer_of_token(brand.hub, _upload_link(brand).secret)
    asset = type(brand.client)(brand.hub, guest).create(brand.picture())
    return {"asset": asset["id"], "expectedRevision": asset["revision"]}


def brand_answer(brand: Brand, mutation: str, entity: str, **fields: Any) -> Any:
    query = f"""mutation ($input: {mutation[0].upper()}{mutation[1:]}Input!) {{
      {mutation}(input: $input) {{ {entity} {{ id }} errors {{ message }} }} }}"""
    return acts.accepted(brand.client.ask(query, input=fields)[mutation])[entity]["id"]


def _other(brand: Brand) -> str:
    brand.made[0] += 1
    return encode("Organisation", organisation(brand.hub, f"Affiliate {brand.made[0]}"))


def _account(brand: Brand) -> str:
    brand.made[0] += 1
    with brand.hub.writing(brand.client.viewer) as work:
        made = people.create_service_account(work, f"Machine {brand.made[0]}", BRAND_ORG_ID)
        return encode("ServiceAccount", made.id)


def _soon(brand: Brand) -> str:
    return (brand.hub.clock() + timedelta(days=7)).isoformat()


def _share(brand: Brand) -> dict[str, Any]:
    return {"asset": brand.asset()["id"], "organisation": _other(brand), "endsAt": _soon(brand)}


def _link(brand: Brand) -> dict[str, Any]:
    return {"lightbox": brand.lightbox()["id"], "name": "A customer", "expiresAt": _soon(brand)}


def _upload_link(brand: Brand) -> NewLink:
    with brand.hub.writing(brand.client.viewer) as work:
        return create_for_uploads(work, BRAND_ORG_ID, "A photographer", work.now + timedelta(days=7))


def _reject(brand: Brand) -> dict[str, Any]:
    return {"asset": brought(brand)["asset"], "reason": "Out of focus."}


SAMPLES: Final[dict[str, Callable[[Brand], dict[str, Any]]]] = {
    "tokenCreate": lambda brand: {"name": "press", "scopes": ["ASSET_VIEW"], "serviceAccount": _account(brand)},
    "tokenRotate": lambda brand: {"token": token(brand), "overlapHours": 1},
    "tokenRevoke": lambda brand: {"token": token(brand)},
    "shareCreate": _share,
    "shareEnd": lambda brand: {"share": share(brand)},
    "guestLinkCreate": _link,
    "uploadLinkCreate": lambda brand: {
        "organisation": encode("Organisation", BRAND_ORG_ID),
        "name": "A photographer",
        "expiresAt": _soon(brand),
        "maxFiles": 3,
    },
    "guestLinkRevoke": lambda brand: {"guestLink": link(brand)},
    "inboxAccept": brought,
    "inboxReject": _reject,
}
