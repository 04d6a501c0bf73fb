"""Who is asking, and what they may see.

Tokens are random, shown once and kept only as SHA-256. A viewer sees what belongs to their organisation; the rule
stands here once, as a condition for queries and as the terms of the search index.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from domain import history
from domain.hub import Hub, kept_secret
from domain.refusals import Invalid, NotFound, NotSignedIn
from domain.texts import line
from domain.work import BRAND_ORG_ID, HUB, Viewer, Work
from storage.tables import AssetRow, OrganisationRow, PrincipalRow, TokenRow

TOKEN_MARK = "imp_"  # noqa: S105  # what every token starts with, so that leaked ones can be found by scanners
PREFIX_LENGTH = 12
MAX_TOKEN_DAYS = 3650


@dataclass(frozen=True)
class NewToken:
    id: int
    #: Shown once: it cannot be found out again.
    secret: str


def viewer_of_token(hub: Hub, token: str) -> Viewer:
    """Whom a bearer token speaks for; unknown, revoked and expired ones read the same."""
    with hub.reading(HUB) as work:
        found = work.session.execute(
            sa.select(PrincipalRow, TokenRow.expires_at)
            .join(TokenRow, TokenRow.principal_id == PrincipalRow.id)
            .where(TokenRow.digest == _digest(token), TokenRow.revoked_at.is_(None)),
        ).one_or_none()
        if found is None or (found[1] is not None and found[1] <= work.now):
            raise NotSignedIn("This token is not valid: it is unknown, revoked or expired.")
        return _viewer(found[0])


def first_administrator(hub: Hub) -> tuple[str, bool]:
    """The first administrator's token, and whether it was made just now.

    The text comes from the settings, or is made once and kept in the data dir; its row is made when it is missing.
    """
    if hub.settings.admin_token:
        secret, fresh = hub.settings.admin_token, False
    else:
        secret, fresh = kept_secret(hub.settings.data_dir / "admin-token", TOKEN_MARK)
    with hub.writing(HUB) as work:
        take_turns(work)
        if work.session.scalar(sa.select(TokenRow.id).where(TokenRow.digest == _digest(secret))) is None:
            _add_token(work, _administrator(work), "first administrator", secret, None)
    return secret, fresh


def take_turns(work: Work) -> None:
    """Of several processes that start at once, one founds the brand and the others then find it founded."""
    work.session.execute(sa.select(OrganisationRow.id).where(OrganisationRow.id == BRAND_ORG_ID).with_for_update())


def administrator(work: Work) -> Viewer:
    """The embedded default's administrator, for commands run on the machine itself."""
    return _viewer(_administrator(work))


def create_token(work: Work, name: str, days: int | None = None) -> NewToken:
    """A token of the viewer's own (or, from the command line, of the first administrator)."""
    if days is not None and not 1 <= days <= MAX_TOKEN_DAYS:
        raise Invalid(f"A token lives between 1 and {MAX_TOKEN_DAYS} days.", ("days",), "range")
    owner = (
        _administrator(work)
        if work.viewer.principal_id is None
        else work.session.get_one(PrincipalRow, work.viewer.principal_id)
    )
    secret = TOKEN_MARK + secrets.token_urlsafe(32)
    expires = None if days is None else work.now + timedelta(days=days)
    row = _add_token(work, owner, line(name, 100, ("name",)), secret, expires)
    return NewToken(row.id, secret)


def tokens(work: Work) -> list[TokenRow]:
    """All tokens of the viewer's organisation, newest first."""
    of_org = sa.select(PrincipalRow.id).where(PrincipalRow.org_id == work.viewer.org_id)
    rows = sa.select(TokenRow).where(TokenRow.principal_id.in_(of_org)).order_by(TokenRow.id.desc())
    return list(work.session.scalars(rows))


def revoke_token(work: Work, token_id: int) -> None:
    """The token stops working at once; revoking it again changes nothing."""
    row = next((row for row in tokens(work) if row.id == token_id), None)
    if row is None:
        raise NotFound("There is no token with this id.", ("id",))
    if row.revoked_at is None:
        row.revoked_at = work.now
        history.record(work, "token.revoked", ("Token", row.id))


def sees_asset(work: Work) -> sa.ColumnElement[bool]:
    """The condition on `AssetRow` that binds every read of assets."""
    return AssetRow.org_id == work.viewer.org_id


def access_terms(work: Work) -> frozenset[str]:
    """The same rule for the search index: a document is seen if it carries one of these."""
    return frozenset({org_term(work.viewer.org_id)})


def org_term(org_id: int) -> str:
    return f"org:{org_id}"


def _administrator(work: Work) -> PrincipalRow:
    chosen = sa.select(PrincipalRow).where(PrincipalRow.is_administrator, PrincipalRow.org_id == BRAND_ORG_ID)
    found = work.session.scalars(chosen.order_by(PrincipalRow.id).limit(1)).first()
    if found is not None:
        return found
    row = PrincipalRow(
        org_id=BRAND_ORG_ID, kind="PERSON", name="Administrator", is_administrator=True, created_at=work.now
    )
    work.session.add(row)
    work.session.flush()
    return row


def _add_token(work: Work, owner: PrincipalRow, name: str, secret: str, expires: datetime | None) -> TokenRow:
    row = TokenRow(
        principal_id=owner.id,
        name=name,
        digest=_digest(secret),
        prefix=secret[: min(PREFIX_LENGTH, len(secret) // 3)],  # an administrator may have chosen a short one
        created_at=work.now,
        expires_at=expires,
    )
    work.session.add(row)
    work.session.flush()
    history.record(work, "token.created", ("Token", row.id))
    return row


def _viewer(row: PrincipalRow) -> Viewer:
    return Viewer(principal_id=row.id, org_id=row.org_id, name=row.name, is_administrator=row.is_administrator)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
