"""Who is asking, and what they may see and do.

`policy` says what may be seen, `viewers` what somebody holds, `tokens` how they show who they are.
"""

from __future__ import annotations

from domain.identity.policy import (
    edits_lightbox,
    facts,
    holds_asset,
    in_orgs,
    may,
    not_allowed,
    require,
    require_anywhere,
    require_in_org,
    sees_asset,
    sees_lightbox,
    sees_tag,
    sees_version,
    shown_version_id,
    standing_share,
    tree,
)
from domain.identity.roles import ensure_seeds
from domain.identity.tokens import (
    NewToken,
    administrator,
    create_token,
    first_administrator,
    revoke_token,
    take_turns,
    tokens,
    viewer_of_principal,
    viewer_of_token,
)
from domain.identity.viewers import holdings_of, standing_grant, viewer_of

__all__ = [
    "NewToken",
    "administrator",
    "create_token",
    "edits_lightbox",
    "ensure_seeds",
    "facts",
    "first_administrator",
    "holdings_of",
    "holds_asset",
    "in_orgs",
    "may",
    "not_allowed",
    "require",
    "require_anywhere",
    "require_in_org",
    "revoke_token",
    "sees_asset",
    "sees_lightbox",
    "sees_tag",
    "sees_version",
    "shown_version_id",
    "standing_grant",
    "standing_share",
    "take_turns",
    "tokens",
    "tree",
    "viewer_of",
    "viewer_of_principal",
    "viewer_of_token",
]
