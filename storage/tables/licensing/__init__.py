"""Licensing: parties, licences and releases with their grants, what was assessed of assets, and what stands against
using them.

Triggers keep the records: what is active or signed changes in nothing but its state, nothing of it is deleted, what an
asset is made of has no cycles, and `asset.rights_epoch` moves with every row that a decision on the asset may read.
"""

from __future__ import annotations

from storage.tables.licensing.assessing import AssetRightsRow, ComponentRow
from storage.tables.licensing.compiled import (
    DeliverableDueRow,
    DeliverablePartRow,
    DeliverableReachRow,
    DeliverableVersionRow,
)
from storage.tables.licensing.groups import TerritoryGroupMemberRow, TerritoryGroupRow
from storage.tables.licensing.licenses import (
    GrantCapRow,
    GrantDutyRow,
    LicenseGrantRow,
    LicenseRow,
    LicenseSeatRow,
    OwnWorkRow,
)
from storage.tables.licensing.parties import PartyRow, ReleaseRow
from storage.tables.licensing.standing import TAKEDOWN_STANDS, EmbargoRow, ExclusivityRow, TakedownRow

__all__ = [
    "TAKEDOWN_STANDS",
    "AssetRightsRow",
    "ComponentRow",
    "DeliverableDueRow",
    "DeliverablePartRow",
    "DeliverableReachRow",
    "DeliverableVersionRow",
    "EmbargoRow",
    "ExclusivityRow",
    "GrantCapRow",
    "GrantDutyRow",
    "LicenseGrantRow",
    "LicenseRow",
    "LicenseSeatRow",
    "OwnWorkRow",
    "PartyRow",
    "ReleaseRow",
    "TakedownRow",
    "TerritoryGroupMemberRow",
    "TerritoryGroupRow",
]
