"""Acceptable inputs for near-duplicates and merging."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from domain.global_ids import decode, encode
from domain.work import HUB
from storage.tables import NearDuplicateRow

if TYPE_CHECKING:
    from tests.schema.samples import Brand

#: Why they do without `expectedRevision`.
UNREVISED: Final = {"nearDuplicateDecide": "a pair is decided once, and it takes the revisions of both its assets"}


def pair(brand: Brand, *assets: dict[str, Any]) -> str:
    """The id of a pair of these assets, or of two fresh ones, that waits for a decision."""
    both = assets or (brand.asset(), brand.asset())
    low, high = sorted(decode(each["id"])[1] for each in both)
    with brand.hub.writing(HUB) as work:
        row = NearDuplicateRow(low_asset_id=low, high_asset_id=high, found_at=work.now)
        work.session.add(row)
        work.session.flush()
        return encode("NearDuplicate", row.id)


def _decide(brand: Brand) -> dict[str, Any]:
    kept, other = brand.asset(), brand.asset()
    shown = {"keep": kept["id"], "keepRevision": kept["revision"], "otherRevision": other["revision"]}
    return {"nearDuplicate": pair(brand, kept, other), "decision": "REUSE", **shown}


def merged(into: dict[str, Any], gone: dict[str, Any]) -> dict[str, Any]:
    told = {"into": into["id"], "from": gone["id"]}
    return told | {"expectedRevision": into["revision"], "fromRevision": gone["revision"]}


def absorbed(brand: Brand, into: dict[str, Any]) -> dict[str, Any]:
    """What takes back that another asset became part of this one."""
    gone = brand.asset()
    done = brand.client.mutate("assetMerge", "asset { revision } errors { message }", **merged(into, gone))
    return {"from": gone["id"], "expectedRevision": done["asset"]["revision"]}


SAMPLES: Final[dict[str, Callable[[Brand], dict[str, Any]]]] = {
    "nearDuplicateDecide": _decide,
    "assetMergeUndo": lambda brand: absorbed(brand, brand.asset()),
    "assetMerge": lambda brand: merged(brand.asset(), brand.asset()),
}
