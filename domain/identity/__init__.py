"""Who is asking, and what they may see and do.

`policy` says what may be seen, `viewers` what somebody holds, `tokens` how they show who they are.
"""

from __future__ import annotations

from domain.identity.issuing import (
    NewToken,
    create_token,
    guest_token,
    is_guest,
    known_tokens,
    owners,
    revoke_token,
    rotate_token,
    token_count,
    token_page,
    tokens_by_id,
)
from domain.identity.links import count_asset, count_upload
from domain.identity.opened import is_snapshot
from domain.identity.policy import (
    edits_lightbox,
    facts,
    holds_asset,
    in_orgs,
    likeness,
    may,
    not_allowed,
    require,
    require_anywhere,
    require_in_org,
    sees_asset,
    sees_everything,
    sees_lightbox,
    sees_tag,
    sees_version,
    shown,
    shown_version_id,
    standing_share,
    tree,
)
from domain.identity.roles import ensure_seeds
from domain.identity.tokens import (
    administrator,
    first_administrator,
    take_turns,
    viewer_of_principal,
    viewer_of_token,
)
from domain.identity.viewers import holdings_of, standing_grant, viewer_of
from domain.identity.worth import covers

__all__ = [
    "NewToken",
    "administrator",
    "count_asset",
    "count_upload",
    "covers",
    "create_token",
    "edits_lightbox",
    "ensure_seeds",
    "facts",
    "first_administrator",
    "guest_token",
    "holdings_of",
    "holds_asset",
    "in_orgs",
    "is_guest",
    "is_snapshot",
    "known_tokens",
    "likeness",
    "may",
    "not_allowed",
    "owners",
    "require",
    "require_anywhere",
    "require_in_org",
    "revoke_token",
    "rotate_token",
    "sees_asset",
    "sees_everything",
    "sees_lightbox",
    "sees_tag",
    "sees_version",
    "shown",
    "shown_version_id",
    "standing_grant",
    "standing_share",
    "take_turns",
    "token_count",
    "token_page",
    "tokens_by_id",
    "tree",
    "viewer_of",
    "viewer_of_principal",
    "viewer_of_token",
]
