"""What a client would rather have, by its `Accept` header (RFC 9110, section 12.5.1)."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request

#: Entries looked at; no honest client names more.
MOST_ENTRIES = 50


def best(request: Request, offered: Sequence[str]) -> str | None:
    """The offer with the greatest weight, the earlier of equals; None when none is acceptable."""
    ranges = _ranges(request.headers.get("accept", "*/*") or "*/*")
    weighed = [(_weight(offer, ranges), -place) for place, offer in enumerate(offered)]
    weight, place = max(weighed)
    return offered[-place] if weight > 0 else None


def _ranges(header: str) -> dict[str, float]:
    ranges = {}
    for entry in header.split(",")[:MOST_ENTRIES]:
        media_range, *parameters = (part.strip().lower() for part in entry.split(";"))
        ranges[media_range] = _quality(parameters)
    return ranges


def _weight(offer: str, ranges: dict[str, float]) -> float:
    """The most specific range that fits decides."""
    whole_type = offer.partition("/")[0] + "/*"
    return next((ranges[each] for each in (offer, whole_type, "*/*") if each in ranges), 0.0)


def _quality(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(1.0, max(0.0, float(value)))
            except ValueError:
                return 0.0
    return 1.0
