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
from domain.usage import decisions, delivering
from domain.work import Work


@dataclass(frozen=True)
class Served:
    """Bytes [start, stop) of a delivery, asked for from `address` (an IP address) by the request `request_id`."""

    delivery: Delivery
    start: int
    stop: int
    request_id: str | None
    address: str | None


def served(work: Work, all_of_them: Sequence[Served]) -> list[Served]:
    """Adds an event for each to the unit of work, but for those that are answered: the first of a use, which counts
    (`first_served`).
    """
    uses = {each.delivery.by.use_id for each in all_of_them} - {None}
    fresh = uses - decisions.recorded(work, [each for each in uses if each is not None]) if uses else set()
    for each in all_of_them:
        if each.delivery.by.use_id not in fresh:
            _record(work, each)
    return [each for each in all_of_them if each.delivery.by.use_id in fresh]


def first_served(work: Work, each: Served) -> None:
    """The same of the first of a use, together with that: each use is counted once, in the unit of work in which its
    first delivery is written down. Refused where its caps leave no room.
    """
    assert each.delivery.by.use_id is not None, "only uses are counted"
    delivering.used(replace(work, viewer=each.delivery.viewer), each.delivery.by.use_id)
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
    if what.by.decision_id is not None:
        payload["decision"] = what.by.decision_id
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
