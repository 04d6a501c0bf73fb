"""Whom a trusted issuer knows people and service accounts as: linking the two, and taking it back.

Whoever the issuer says is the subject acts as the account from then on, so linking is handing out all that it holds:
refused to whoever does not hold as much themselves, and for as long, or uses a token that ends or is for some networks
only.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from domain import authority, history
from domain.identity import bounds, oidc_entering, sessions
from domain.identity.jwt import LONGEST_SUBJECT
from domain.people import changing
from domain.permissions import Permission
from domain.refusals import Conflict, Invalid, NotFound
from domain.work import Work
from storage.tables import ExternalIdentityRow, PrincipalRow

MAX_LINKED = 20


def link(work: Work, principal_id: int, issuer: str, subject: str) -> PrincipalRow:
    """Whoever this issuer knows as this subject is this person or service account from now on.

    Doing it again changes nothing. `Conflict` for somebody shut out, and for a pair that is anybody else's; `Invalid`
    for an issuer that this hub does not trust. Both are compared letter by letter.
    """
    work = authority.in_turn(work)
    row = changing.held(work, principal_id)
    bounds.check_way_in(work, Permission.PEOPLE_MANAGE)
    if row.disabled_at is not None:
        raise Conflict("They are shut out: nobody can come in as them.", ("principal",))
    _check_spelling(work, issuer, subject)
    owner = oidc_entering.principal_of(work, issuer, subject)
    if owner is None:
        _check_room(work, row)
        _link(work, row, issuer, subject)
    elif owner.id != row.id:
        raise _taken()
    return row


def unlink(work: Work, principal_id: int, issuer: str, subject: str) -> PrincipalRow:
    """Nobody comes in by this pair any more, and wherever the person was signed in, they are no more.

    Also for somebody shut out, and for an issuer that is trusted no longer. `NotFound` for a pair that is not theirs,
    whether it is anybody else's or nobody's.
    """
    work = authority.in_turn(work)
    row = changing.held(work, principal_id)
    theirs = sa.delete(ExternalIdentityRow).where(
        ExternalIdentityRow.principal_id == row.id,
        ExternalIdentityRow.issuer == issuer,
        ExternalIdentityRow.subject == subject,
    )
    # Databases cannot be asked for every text: NUL and half a surrogate pair are in none.
    if not (issuer + subject).isprintable() or not _deleted(work, theirs):
        raise NotFound("They are not linked to this identity.", ("subject",))
    sessions.end_all(work, row.id)
    authority.check_administered(work, ("principal",))
    history.record(work, "identity.unlinked", ("Principal", row.id), org_id=row.org_id)
    return row


def of_principals(work: Work, ids: Collection[int]) -> dict[int, list[ExternalIdentityRow]]:
    """Whom issuers know them as, oldest first; to be asked for those whose identities the viewer may see."""
    rows = sa.select(ExternalIdentityRow).where(ExternalIdentityRow.principal_id.in_(set(ids)))
    found: dict[int, list[ExternalIdentityRow]] = {each: [] for each in ids}
    for row in work.session.scalars(rows.order_by(ExternalIdentityRow.id)):
        found[row.principal_id].append(row)
    return found


def _check_spelling(work: Work, issuer: str, subject: str) -> None:
    if issuer not in work.limits.issuers:
        raise Invalid("This hub does not trust this issuer.", ("issuer",), "trusted")
    if not 1 <= len(subject) <= LONGEST_SUBJECT:
        raise Invalid(f"A subject has 1 to {LONGEST_SUBJECT} characters.", ("subject",), "length")
    if not subject.isprintable():
        raise Invalid("A subject has printable characters only.", ("subject",), "format")


def _check_room(work: Work, row: PrincipalRow) -> None:
    if len(of_principals(work, [row.id])[row.id]) >= MAX_LINKED:
        raise Conflict(f"Nobody is linked to more than {MAX_LINKED} identities.", ("principal",))


def _link(work: Work, row: PrincipalRow, issuer: str, subject: str) -> None:
    try:
        oidc_entering.link(work, row, issuer, subject)
    except sa.exc.IntegrityError:  # whoever came in by it this very moment; only the pair is unique
        raise _taken() from None


def _taken() -> Conflict:
    return Conflict("This identity is linked to somebody else already.", ("subject",))


def _deleted(work: Work, rows: sa.Delete) -> bool:
    return work.session.execute(rows.returning(ExternalIdentityRow.id)).first() is not None
