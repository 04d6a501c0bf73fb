"""Acceptable inputs for the trash, holds, relations and upload sessions."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from domain import fetching, holds
from domain.fetching import Terms
from domain.global_ids import decode, encode
from tests.assets import acts

if TYPE_CHECKING:
    from tests.schema.samples import Brand

#: Why they do without `expectedRevision`.
UNREVISED: Final = {
    "legalHoldPlace": "it makes a new one and changes nothing of the asset",
    "legalHoldLift": "a hold is lifted once, and stands or not instead of having a revision",
    "assetRelationRemove": "a relation is there or not",
    "uploadSessionOpen": "it makes a new one",
    "uploadSessionAdd": "what several bring at once is brought by all of them",
    "uploadSessionClose": "a session has a state instead of a revision",
    "uploadSessionCancel": "a session has a state instead of a revision",
    "importFromUrls": "it makes a new session",
    "importFromZip": "it makes a new session",
    "importFromBucket": "it makes a new session",
}
TERMS: Final = {"name": "A shoot", "description": "Summer"}
#: Among the settings of tests; nothing answers there.
BUCKET: Final = "samples"


def zipped(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return made.getvalue()


def hold(brand: Brand) -> str:
    number = decode(brand.asset()["id"])[1]
    with brand.hub.writing(brand.client.viewer) as work:
        return encode("LegalHold", holds.place(work, number, "A case", "They asked for it.").id)


def relation(brand: Brand) -> str:
    made = acts.accepted(brand.client.mutate("assetRelationCreate", "relation { id }", **_pair(brand)))
    found: str = made["relation"]["id"]
    return found


def session(brand: Brand) -> str:
    with brand.hub.writing(brand.client.viewer) as work:
        return encode("UploadSession", fetching.open_(work, Terms("A shoot")).id)


def trashed(brand: Brand) -> dict[str, Any]:
    asset = brand.asset()
    told = {"asset": asset["id"], "expectedRevision": asset["revision"]}
    found: dict[str, Any] = acts.accepted(brand.client.mutate("assetTrash", "asset { id revision }", **told))["asset"]
    return found


def nodes(brand: Brand) -> dict[str, str]:
    return {"LegalHold": hold(brand), "AssetRelation": relation(brand), "UploadSession": session(brand)}


def _pair(brand: Brand) -> dict[str, Any]:
    return {"from": brand.asset()["id"], "to": brand.asset()["id"], "kind": "DERIVED_FROM"}


def _revised(asset: dict[str, Any]) -> dict[str, Any]:
    return {"asset": asset["id"], "expectedRevision": asset["revision"]}


SAMPLES: Final[dict[str, Callable[[Brand], dict[str, Any]]]] = {
    "assetTrash": lambda brand: _revised(brand.asset()),
    "assetRestoreFromTrash": lambda brand: _revised(trashed(brand)),
    "legalHoldPlace": lambda brand: {"asset": brand.asset()["id"], "matter": "A case", "reason": "They asked for it."},
    "legalHoldLift": lambda brand: {"hold": hold(brand), "reason": "It is over."},
    "assetRelationCreate": _pair,
    "assetRelationRemove": lambda brand: {"relation": relation(brand)},
    "uploadSessionOpen": lambda _: {"terms": TERMS},
    "uploadSessionAdd": lambda brand: {"session": session(brand), "uploads": [{"upload": brand.upload()}]},
    "uploadSessionClose": lambda brand: {"session": session(brand)},
    "uploadSessionCancel": lambda brand: {"session": session(brand)},
    "importFromUrls": lambda _: {"terms": TERMS, "addresses": ["https://1.1.1.1/picture.jpg"]},
    "importFromZip": lambda brand: {
        "terms": TERMS,
        "upload": brand.client.upload(zipped({"a.png": brand.picture()}), "pictures.zip"),
    },
    "importFromBucket": lambda _: {"terms": TERMS, "bucket": BUCKET, "prefix": "2026/"},
}
