"""How far the token goes that somebody uses: nothing that is made or given with it goes further.

A session is the person themselves: it bounds nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.identity import opened
from domain.permissions import Permission
from domain.refusals import NotAllowed
from domain.work import Work
from storage.tables import TokenRow


@dataclass(frozen=True)
class Bounds:
    """How far a token may go: None for any permission, any network, any time."""

    scopes: frozenset[str] | None = None
    networks: tuple[str, ...] | None = None
    until: datetime | None = None


def used(work: Work) -> Bounds:
    """Of the token that the viewer shows."""
    id_ = work.viewer.token_id
    return Bounds() if id_ is None else opened.kept(work, ("bounds", id_), lambda: _of_token(work, id_))


def of_row(row: TokenRow) -> Bounds:
    return Bounds(
        None if row.scopes is None else frozenset(row.scopes),
        None if row.networks is None else tuple(row.networks),
        None if row.purpose == "SESSION" else row.expires_at,
    )


def no_way_in(work: Work, permission: Permission) -> NotAllowed | None:
    """Why a token that works for a time or from some networks only lets nobody in as somebody, by an invitation or by
    an issuer's word: they come from anywhere and stay. None for any other.
    """
    bounds = used(work)
    if bounds.until is not None:
        return NotAllowed("The token you use ends: whom you let in with it would stay.", permission.value)
    if bounds.networks is not None:
        sentence = "The token you use works from some networks only: whom you let in with it would come from anywhere."
        return NotAllowed(sentence, permission.value)
    return None


def check_way_in(work: Work, permission: Permission) -> None:
    refusal = no_way_in(work, permission)
    if refusal is not None:
        raise refusal


def check_lasting(work: Work, permission: Permission, until: datetime | None) -> None:
    """`NotAllowed` where what the viewer gives, until then (None: for ever), would outlive the token they use."""
    end = used(work).until
    if end is not None and (until is None or until > end):
        raise NotAllowed("The token you use ends: what you give with it must end by then, too.", permission.value)


def _of_token(work: Work, token_id: int) -> Bounds:
    row = work.session.get(TokenRow, token_id)
    return Bounds() if row is None else of_row(row)
