"""Making and changing webhooks.

Always true here:
- A webhook reaches no further than whoever made it: it speaks for them, by the token they used, or for a service
  account of which they hold everything that the webhook may see.
- Whoever changes where it sends, what it says or with which secret must hold all that it may see.
- Its secret and the values of its headers are shown to nobody after they were given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa

from domain import history, identity
from domain.identity import bounds, worth
from domain.pages import Key, Paging, Slice, read_slice
from domain.permissions import Permission
from domain.refusals import Conflict, Invalid, NotAllowed, NotFound, StaleRevision
from domain.texts import line
from domain.webhooks import rights, sealing
from domain.webhooks.topics import TOPICS
from domain.work import Work
from storage import events
from storage.tables import OrganisationRow, PrincipalRow, TokenRow, WebhookRow

MAX_NAME: Final = 100
#: Of one organisation, archived ones not counted.
MAX_WEBHOOKS: Final = 50
MAX_DOCUMENT: Final = 10_000
MAX_HEADERS: Final = 10
MAX_HEADER_VALUE: Final = 1_000
MAX_OVERLAP_HOURS: Final = 168

P: Final = Permission.WEBHOOK_MANAGE
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_HEADER_VALUE = re.compile(rf"[!-~](?:[ -~]{{0,{MAX_HEADER_VALUE - 2}}}[!-~])?")
#: What says how the message is to be read belongs to the hub.
_OURS: Final = re.compile(
    r"(?i:host|connection|content-.*|transfer-.*|te|trailer|upgrade|expect|keep-alive|accept-encoding|user-agent"
    r"|proxy-.*|webhook-.*)"
)
_PAUSED: Final = ("PAUSED", "The webhook was switched off.")


@dataclass(frozen=True)
class Wish:
    """What a webhook is to be; None leaves it as it is."""

    name: str | None = None
    url: str | None = None
    events: Sequence[str] | None = None
    document: str | None = None
    headers: Mapping[str, str] | None = None
    is_active: bool | None = None
    #: Raises what is wrong with address or document; called once it is known that the viewer may ask for this.
    check: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class NewSecret:
    id: int
    #: Shown once.
    secret: str


def create(
    work: Work,
    wish: Wish,
    *,
    account_id: int | None = None,
    scopes: Sequence[Permission] | None = None,
) -> NewSecret:
    """A webhook that speaks for the viewer, or for a service account of theirs; told of what happens from now on.

    Address and document were looked at before. Refused: without WEBHOOK_MANAGE, guests, more than the viewer holds, and
    with a token that works from some networks only.
    """
    identity.require_anywhere(work, P)
    principal, token_id = _principal(work, account_id)
    identity.require_in_org(work, P, principal.org_id)
    limits = _limits(work, scopes)
    until = bounds.used(work).until if account_id is not None else None
    _check_covers(work, principal.id, limits, until, "serviceAccount")
    _check_room(work, principal.org_id)
    secret = sealing.new_secret()
    row = WebhookRow(
        org_id=principal.org_id,
        principal_id=principal.id,
        token_id=token_id,
        scopes=None if limits is None else sorted(limits),
        ends_at=until,
        header_names=[],
        sealed_headers=sealing.seal_headers(work.secret, {}),
        sealed_secret=sealing.seal(work.secret, secret),
        created_at=work.now,
        created_by=work.viewer.principal_id,
        cursor=events.last(work.session),
    )
    _write(work, row, wish)
    work.session.add(row)
    work.session.flush()
    history.record(work, "webhook.created", ("Webhook", row.id), org_id=row.org_id)
    return NewSecret(row.id, secret)


def update(work: Work, webhook_id: int, expected_revision: int, wish: Wish) -> WebhookRow:
    """Changes what is given. Switched on again, a webhook is told of what happens from then on; what was waiting when
    it was switched off is given up.
    """
    row = _changed(work, webhook_id, expected_revision)
    was_at_work = row.is_active and row.disabled_at is None
    _write(work, row, wish)
    if wish.is_active and not was_at_work:
        row.disabled_at = row.disabled_code = row.disabled_message = None
        row.cursor, row.failures = events.last(work.session), 0
        row.failing_since = row.rests_until = None
    elif wish.is_active is False and was_at_work:
        rights.give_up(work, row, *_PAUSED)
    return _touched(work, row, "webhook.updated")


def archive(work: Work, webhook_id: int, expected_revision: int) -> WebhookRow:
    """Nothing is sent to it any more. Whoever manages webhooks there may do that, whatever it may see."""
    row = _held(work, webhook_id, expected_revision)
    row.archived_at, row.is_active = work.now, False
    rights.give_up(work, row, "ARCHIVED", "The webhook was put away.")
    return _touched(work, row, "webhook.archived")


def rotate_secret(work: Work, webhook_id: int, expected_revision: int, overlap_hours: int) -> NewSecret:
    """A new secret; for `overlap_hours` every message is signed with the old one as well."""
    row = _changed(work, webhook_id, expected_revision)
    if not 0 <= overlap_hours <= MAX_OVERLAP_HOURS:
        raise Invalid(f"The overlap lasts 0 to {MAX_OVERLAP_HOURS} hours.", ("overlapHours",), "range")
    secret = sealing.new_secret()
    row.sealed_old_secret = row.sealed_secret if overlap_hours else None
    row.old_secret_until = work.now + timedelta(hours=overlap_hours) if overlap_hours else None
    row.sealed_secret = sealing.seal(work.secret, secret)
    _touched(work, row, "webhook.secret_rotated")
    return NewSecret(row.id, secret)


def of_whom_all_is_held(work: Work, row: WebhookRow) -> bool:
    """Whether the viewer holds all that it may see, as long as it does."""
    scopes = None if row.scopes is None else frozenset(row.scopes)
    return _covers(work, row.principal_id, _limits_of_token(work, row, scopes), row.ends_at)


def page(work: Work, wanted: Paging) -> Slice[WebhookRow]:
    """Newest first, without those that were put away. Refused to whoever may manage none."""
    identity.require_anywhere(work, P)
    keys = [Key(WebhookRow.created_at, True), Key(WebhookRow.id, True)]
    return read_slice(work, _listed(work).where(WebhookRow.archived_at.is_(None)), keys, wanted)


def count(work: Work) -> int:
    identity.require_anywhere(work, P)
    rows = _listed(work).where(WebhookRow.archived_at.is_(None))
    return work.session.scalar(sa.select(sa.func.count()).select_from(rows.subquery())) or 0


def by_id(work: Work, ids: Iterable[int]) -> dict[int, WebhookRow]:
    return {row.id: row for row in work.session.scalars(_listed(work).where(WebhookRow.id.in_(set(ids))))}


def held_by_id(work: Work, webhook_id: int, place: str) -> WebhookRow:
    """Locked until the transaction ends, as it stands now; `NotAllowed` unless the viewer holds all that it may see."""
    row = _locked(work, webhook_id, place)
    _check_covers_row(work, row)
    if row.archived_at is not None:
        raise Conflict("This webhook was put away.", (place,))
    return row


def _principal(work: Work, account_id: int | None) -> tuple[PrincipalRow, int | None]:
    """Whom it speaks for, and by which token."""
    viewer = work.viewer
    if viewer.on_behalf_of is not None or viewer.principal_id is None:
        raise NotAllowed("Somebody has to stand behind a webhook, and no guest can.", P.value)
    if account_id is None:
        used = None if viewer.token_id is None else work.session.get(TokenRow, viewer.token_id)
        if used is not None and used.networks is not None:
            sentence = "The token you use works from some networks only, and a webhook sends from the hub itself."
            raise NotAllowed(sentence, P.value)
        lasting = used is not None and used.purpose == "API"
        return work.session.get_one(PrincipalRow, viewer.principal_id), used.id if used and lasting else None
    path = ("serviceAccount",)
    known = identity.in_orgs(work, Permission.PEOPLE_VIEW, PrincipalRow.org_id)
    managed = identity.in_orgs(work, P, PrincipalRow.org_id)
    rows = sa.select(PrincipalRow).where(PrincipalRow.id == account_id, PrincipalRow.kind == "SERVICE")
    account = work.session.scalars(rows.where(sa.not_(identity.is_guest()), sa.or_(known, managed))).one_or_none()
    if account is None:
        raise NotFound("There is no service account with this id.", path)
    if account.disabled_at is not None:
        raise Conflict("This account is shut out: it sees nothing.", path)
    return account, None


def _limits(work: Work, scopes: Sequence[Permission] | None) -> frozenset[str] | None:
    used = bounds.used(work).scopes
    if scopes is None:
        return used
    wanted = frozenset(each.value for each in scopes)
    if not wanted:
        raise Invalid("Name at least one permission, or none at all for every one.", ("scopes",), "length")
    if used is not None and not wanted <= used:
        beyond = min(wanted - used)
        raise NotAllowed(f"The token you use does not have {beyond} itself.", beyond, ("scopes",))
    return wanted


def _limits_of_token(work: Work, row: WebhookRow, scopes: frozenset[str] | None) -> frozenset[str] | None:
    """Its own limits, and those of the token that it was made with."""
    token = None if row.token_id is None else work.session.get(TokenRow, row.token_id)
    if token is None or token.scopes is None:
        return scopes
    return frozenset(token.scopes) if scopes is None else scopes & frozenset(token.scopes)


def _covers(work: Work, principal_id: int, scopes: frozenset[str] | None, until: Any) -> bool:
    permissions = None if scopes is None else frozenset(each for each in Permission if each.value in scopes)
    return worth.covers_throughout(work, principal_id, permissions=permissions, until=until)


def _check_covers(work: Work, principal_id: int, scopes: frozenset[str] | None, until: Any, place: str) -> None:
    if not _covers(work, principal_id, scopes, until):
        raise NotAllowed("It would see more than you may, or longer: limit it by `scopes`.", P.value, (place,))


def _check_covers_row(work: Work, row: WebhookRow) -> None:
    if not of_whom_all_is_held(work, row):
        raise NotAllowed("It may see more than you, or longer: somebody who may see as much decides.", P.value)


def _check_room(work: Work, org_id: int) -> None:
    """Decided while the organisation is held, so that of two at once the second sees the first."""
    work.session.execute(sa.select(OrganisationRow.id).where(OrganisationRow.id == org_id).with_for_update())
    living = sa.select(sa.func.count(WebhookRow.id)).where(
        WebhookRow.org_id == org_id, WebhookRow.archived_at.is_(None)
    )
    if (work.session.scalar(living) or 0) >= MAX_WEBHOOKS:
        raise Conflict(f"An organisation has at most {MAX_WEBHOOKS} webhooks.")


def _write(work: Work, row: WebhookRow, wish: Wish) -> None:
    wish.check()
    if wish.name is not None:
        row.name = line(wish.name, MAX_NAME, ("name",))
    if wish.url is not None:
        row.url = wish.url
    if wish.events is not None:
        row.events = _topics(wish.events)
    if wish.document is not None:
        row.document = wish.document
    if wish.headers is not None:
        checked = _headers(wish.headers)
        row.header_names = sorted(checked)
        row.sealed_headers = sealing.seal_headers(work.secret, checked)
    if wish.is_active is not None:
        row.is_active = wish.is_active


def _topics(wanted: Collection[str]) -> list[str]:
    assert set(wanted) <= set(TOPICS), "the schema's enum has just these"
    if not wanted:
        raise Invalid("Name at least one event.", ("events",), "length")
    return sorted(set(wanted))


def _headers(wanted: Mapping[str, str]) -> dict[str, str]:
    path = ("headers",)
    if len(wanted) > MAX_HEADERS:
        raise Invalid(f"At most {MAX_HEADERS} headers are sent along.", path, "length")
    if len({name.lower() for name in wanted}) != len(wanted):
        raise Invalid("A header is given once.", path, "unique")
    for name, value in wanted.items():
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            sentence = f"A header has a plain name and a value of 1 to {MAX_HEADER_VALUE:,} printable ASCII characters."
            raise Invalid(sentence, path, "format")
        if _OURS.fullmatch(name):
            raise Invalid(f"{name} is for the hub to say.", path, "reserved")
    return dict(wanted)


def _listed(work: Work) -> sa.Select[WebhookRow]:
    return sa.select(WebhookRow).where(identity.in_orgs(work, P, WebhookRow.org_id))


def _locked(work: Work, webhook_id: int, place: str) -> WebhookRow:
    rows = _listed(work).where(WebhookRow.id == webhook_id).with_for_update()
    row = work.session.scalars(rows.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise NotFound("There is no webhook with this id.", (place,))
    return row


def _held(work: Work, webhook_id: int, expected_revision: int) -> WebhookRow:
    row = _locked(work, webhook_id, "webhook")
    if row.revision != expected_revision:
        raise StaleRevision(row.revision)
    if row.archived_at is not None:
        raise Conflict("This webhook was put away.", ("webhook",))
    return row


def _changed(work: Work, webhook_id: int, expected_revision: int) -> WebhookRow:
    row = _held(work, webhook_id, expected_revision)
    _check_covers_row(work, row)
    return row


def _touched(work: Work, row: WebhookRow, event: str) -> WebhookRow:
    work.session.flush()
    history.record(work, event, ("Webhook", row.id), {"revision": row.revision}, org_id=row.org_id)
    return row
