"""That what stands beside an asset, its tags and what fields say of it, is part of its public face: changing it is a
change that everybody is shown.

All else that shows to those who see only what is approved is counted where it is kept, by triggers on `asset` and
`approval` (docs/decisions/0018).
"""

from __future__ import annotations

import sqlalchemy as sa

from domain.work import Work
from storage.tables import AssetRow


def retagged(work: Work, asset: AssetRow) -> None:
    """Counts a change of its tags, or of what else stands beside it, that `updated_at` tells of already; the asset is
    held.

    What has no approved version has no public face. The asset's own revision stays: it was counted with `updated_at`.
    """
    counted = {"public_revision": AssetRow.public_revision + 1, "public_updated_at": AssetRow.updated_at}
    public = sa.update(AssetRow).where(AssetRow.id == asset.id, AssetRow.approved_version_id.is_not(None))
    work.session.execute(public.values(counted).execution_options(synchronize_session=False))
