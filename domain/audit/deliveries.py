"""What left the hub: one event per answer that carried bytes of a file.

It is in the asset's organisation's chain, by whom the address was made for. The name of the file is not in it: people
put names of people there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from domain import history
from domain.delivery import Delivery
from domain.identity.tokens import origin_of
from domain.work import Work


@dataclass(frozen=True)
class Served:
    """Bytes [start, stop) of a delivery, asked for from `address` (an IP address) by the request `request_id`."""

    delivery: Delivery
    start: int
    stop: int
    request_id: str | None
    address: str | None


def served(work: Work, all_of_them: Sequence[Served]) -> None:
    """Adds an event for each to the unit of work."""
    for each in all_of_them:
        _record(work, each)


def _record(work: Work, each: Served) -> None:
    what = each.delivery
    origin = None if each.address is None else origin_of(work, each.address)
    theirs = replace(work, viewer=replace(what.viewer, origin=origin), request_id=each.request_id)
    payload: dict[str, object] = {
        "sha256": what.sha256,
        "start": str(each.start),
        "stop": str(each.stop),
        # Of a stable address no person is known, but the organisation that it was made for.
        "for": what.viewer.org_id,
    }
    if what.asset_id is not None:
        payload["asset"] = what.asset_id
    if what.rendition_id is not None:
        payload["rendition"] = what.rendition_id
    history.record(theirs, "delivery.served", _subject(what), payload, org_id=what.org_id)


def _subject(what: Delivery) -> tuple[str, int]:
    if what.export_id is not None:
        return "BulkExport", what.export_id
    assert what.version_id is not None, "all else is of a version"
    return "AssetVersion", what.version_id
