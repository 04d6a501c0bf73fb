"""Which events webhooks may be told of, and what somebody must see to be told of one."""

from __future__ import annotations

from typing import Final

from domain.history import EVENT_TYPES
from storage.tables import EventRow

#: What happens to these is told to whoever sees them. What is for the audit alone (who came in, what was delivered, who
#: holds what) is not told.
_TOLD: Final = frozenset(
    {
        *("asset", "brand", "embargo", "lightbox", "organisation", "rendition", "rendition_preset"),
        *("stock_purchase", "tag", "takedown"),
    }
)
_UNTOLD: Final = frozenset({"stock_purchase.subscribed"})
TOPICS: Final = tuple(sorted(each for each in EVENT_TYPES - _UNTOLD if each.partition(".")[0] in _TOLD))
#: These say that there is a version, which not everybody sees who sees the asset.
_OF_A_VERSION: Final = frozenset({"asset.version_added", "asset.version_analysed"})
#: What `test` sends: about nothing.
PING: Final = "webhook.ping"


def seen_with(event: EventRow) -> tuple[tuple[str, int], ...]:
    """Types and ids of everything that whoever is told must see: the subject, and the version that the event names."""
    version = event.payload.get("version") if event.type in _OF_A_VERSION else None
    of_version = (("AssetVersion", int(version)),) if isinstance(version, int | str) else ()
    return ((event.subject_type, event.subject_id), *of_version)
