"""How every mutation runs: one unit of work, an answer whose entity is null exactly when errors are not empty.

Whatever the domain refuses rolls everything back and becomes a typed error, and so does what whoever asked would not
see afterwards. With an `idempotencyKey`, a repeated request hears the first answer as it stands now. A unit of work
that lost a deadlock is done once more.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import strawberry
import structlog

from domain import idempotency
from domain.permissions import Permission
from domain.refusals import Conflict, NotAllowed, NotFound, Refusal, StorageFull, StorageUnavailable
from domain.work import Viewer, Work
from schema import errors
from schema.context import Context
from schema.node import KINDS
from storage import database

Payload = TypeVar("Payload")
#: Per payload field the type and the row's id, or None.
Answer = Mapping[str, tuple[str, int] | None]

UNREPEATED = ("client_mutation_id", "idempotency_key")
#: What may be null beside no errors: it tells of something else than what was done.
ASIDE: Final = frozenset({"duplicate_of", "rollout_job"})
#: Who holds these everywhere sees everything of these types.
LOOKING: Final = (Permission.ASSET_VIEW, Permission.ASSET_VIEW_UNAPPROVED, Permission.INBOX_VIEW)
LOOKED_AT: Final = frozenset({"Asset", "AssetVersion", "Rendition", "Lightbox"})
#: What somebody lacks who does not see one of another type.
SEEN_BY: Final = {
    **dict.fromkeys(
        ("Brand", "Grant", "Organisation", "Person", "Role", "ServiceAccount", "Team"), Permission.PEOPLE_VIEW
    ),
    "AssetRelation": Permission.ASSET_VIEW,
    "BulkOperation": Permission.JOB_VIEW,
    **dict.fromkeys(("CustomField", "MetadataTemplate", "Vocabulary"), Permission.METADATA_MANAGE),
    "GuestLink": Permission.GUEST_INVITE,
    "Job": Permission.JOB_VIEW,
    "NearDuplicate": Permission.ASSET_VIEW_UNAPPROVED,
    "LegalHold": Permission.HOLD_MANAGE,
    **dict.fromkeys(
        ("License", "LicenseGrant", "Party", "Product", "Release", "TerritoryGroup"), Permission.LICENSE_VIEW
    ),
    **dict.fromkeys(("AssetRights", "Embargo", "Exclusivity", "Takedown"), Permission.LICENSE_VIEW),
    "Share": Permission.ASSET_SHARE,
    "StockPurchase": Permission.PURCHASE_REQUEST,
    "Supplier": Permission.PURCHASE_REQUEST,
    "Tag": Permission.ASSET_VIEW,
    "Usage": Permission.USAGE_VIEW,
    "Token": Permission.TOKEN_MANAGE,
    "UploadSession": Permission.ASSET_CREATE,
    "Webhook": Permission.WEBHOOK_MANAGE,
    "WebhookDelivery": Permission.WEBHOOK_MANAGE,
}

_log = structlog.get_logger("graphql")


def run(
    info: strawberry.Info,
    wanted: Any,
    payload: Callable[..., Payload],
    act: Callable[[Work], Answer],
) -> Payload:
    """Runs `act` in a unit of work and answers with the entities it names, read afresh after the commit."""
    context: Context = info.context
    echo = getattr(wanted, "client_mutation_id", None)
    names = [field.name for field in dataclasses.fields(payload) if field.name not in {"errors", "client_mutation_id"}]  # type: ignore[arg-type]
    try:
        answer = _committed(context, lambda work: _once(context, work, info.field_name, wanted, act))
    except Refusal as refusal:
        if isinstance(refusal, StorageFull | StorageUnavailable):
            _log.error("graphql.storage", request_id=context.request_id, exc_info=refusal)
        return payload(**dict.fromkeys(names), errors=[errors.typed(refusal)], client_mutation_id=echo)
    return payload(
        **{name: _spoken(context, answer.get(name)) for name in names},
        errors=[],
        client_mutation_id=echo,
    )


def plain(wanted: Any) -> Any:
    """An input as JSON could hold it, for comparing two requests."""
    if dataclasses.is_dataclass(wanted) and not isinstance(wanted, type):
        return {
            field.name: plain(getattr(wanted, field.name))
            for field in dataclasses.fields(wanted)
            if field.name not in UNREPEATED and getattr(wanted, field.name) is not strawberry.UNSET
        }
    return [plain(item) for item in wanted] if isinstance(wanted, list) else wanted


def _committed(context: Context, act: Callable[[Work], Answer]) -> Answer:
    for repeated in (False, True):
        try:
            with context.writing() as work:
                return act(work)
        except database.Contended as contended:
            if repeated or not contended.may_repeat:
                raise Conflict(str(contended)) from contended
    raise AssertionError


def _once(context: Context, work: Work, mutation: str, wanted: Any, act: Callable[[Work], Answer]) -> Answer:
    key = getattr(wanted, "idempotency_key", None)
    earlier = None if key is None else idempotency.claim(work, key, mutation, plain(wanted))
    if earlier is not None:
        answer = {name: None if named is None else (named[0], named[1]) for name, named in earlier.items()}
        if _unseen(work, context.viewer, answer):
            raise NotFound("What came of this request is no longer there.", ("idempotencyKey",))
        return answer
    answer = dict(act(work))
    for type_ in _unseen(work, context.viewer, answer):
        raise _would_not_see(type_, context.viewer)
    if key is not None:
        idempotency.keep(work, key, {name: None if named is None else list(named) for name, named in answer.items()})
    return answer


def _unseen(work: Work, viewer: Viewer, answer: Answer) -> list[str]:
    """Types of what the answer names and the viewer does not see; they may hold less by now than when they asked."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for name, named in answer.items():
        if named is not None and name not in ASIDE and not _sees_all(viewer, named[0]):
            wanted[named[0]].add(named[1])
    work.session.flush()
    theirs = dataclasses.replace(work, viewer=viewer)
    return [type_ for type_, numbers in wanted.items() if numbers - KINDS[type_].read(theirs, numbers).keys()]


def _sees_all(viewer: Viewer, type_: str) -> bool:
    return type_ in LOOKED_AT and all(viewer.holdings.reach(each).is_everywhere for each in LOOKING)


def _would_not_see(type_: str, viewer: Viewer) -> NotAllowed:
    if type_ not in LOOKED_AT:
        return NotAllowed("You would not see what this leaves: ask somebody who does.", SEEN_BY[type_].value)
    sentence = "You would not see what this leaves: ask somebody who sees what is not approved."
    looks = viewer.holdings.anywhere(Permission.ASSET_VIEW)
    return NotAllowed(sentence, (Permission.ASSET_VIEW_UNAPPROVED if looks else Permission.ASSET_VIEW).value)


def _spoken(context: Context, named: tuple[str, int] | None) -> Any:
    if named is None:
        return None
    type_, number = named
    row = KINDS[type_].read(context.work, [number]).get(number)
    return None if row is None else KINDS[type_].speak(row)
