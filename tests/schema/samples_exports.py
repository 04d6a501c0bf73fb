"""Acceptable inputs for exports."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from domain import exports
from domain.global_ids import encode
from storage.tables import BulkExportRow

if TYPE_CHECKING:
    from tests.schema.samples import Brand


#: Why they do without `expectedRevision`.
UNREVISED: Final = {
    "bulkExportRun": "it asks for a new one",
    "bulkExportCancel": "an export has a state instead of a revision",
}


def export(brand: Brand) -> str:
    """The one that waits, else a new one: of an organisation only some may wait at once."""
    with brand.hub.writing(brand.client.viewer) as work:
        waiting = work.session.query(BulkExportRow).filter_by(state="QUEUED").first()
        return encode("BulkExport", (waiting or exports.run(work)).id)


SAMPLES: Final[dict[str, Callable[[Brand], dict[str, Any]]]] = {
    "bulkExportRun": lambda _: {"what": ["ASSET"], "fields": ["title"]},
    "bulkExportCancel": lambda brand: {"export": export(brand)},
}
