"""Refusals as typed mutation errors: what a client needs to act on stands in fields, not in the sentence."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from domain import delivery, intake, purchases, refusals, trash
from domain.usage import refusing
from domain.uses import Use
from schema.fields import field
from schema.node import fetch
from schema.scalars import Sha256
from schema.uses import AssetUse

if TYPE_CHECKING:
    from schema.assets import Asset
    from schema.purchases.types import StockPurchase


# Features declare refusals of their own; importing them here makes the list of codes complete.
FEATURES = (delivery, intake, purchases, refusing, trash)


def _codes(kind: type[refusals.Refusal]) -> set[str]:
    return {each.code for each in kind.__subclasses__()}.union(*map(_codes, kind.__subclasses__()))


#: Mypy cannot read an enum whose members are computed; these are the domain's own codes.
_computed: Any = Enum
ErrorCode: Any = strawberry.enum(
    _computed("ErrorCode", {code: code for code in sorted(_codes(refusals.Refusal))}),
    description="Stable codes of everything that can be refused.",
)


@strawberry.interface(description="Why a mutation did nothing.")
class MutationError:
    code: ErrorCode = strawberry.field(description="For programs; never changes its meaning.")
    message: str = strawberry.field(description="A whole sentence for people.")
    path: list[str] | None = strawberry.field(description="The input field at fault, outermost first.")


@strawberry.type(description="What is asked does not fit the state that things are in.")
class ConflictError(MutationError):
    pass


@strawberry.type(description="There is no such thing, or the viewer may not know of it.")
class NotFoundError(MutationError):
    pass


@strawberry.type(description="An input breaks a rule.")
class ValidationError(MutationError):
    constraint: str = strawberry.field(description="The rule's name, such as `length`.")


@strawberry.type(description="The viewer lacks a permission.")
class NotAllowedError(MutationError):
    permission: str


@strawberry.type(description="Somebody changed it first.")
class StaleRevisionError(MutationError):
    current: int = strawberry.field(description="The revision that stands now.")


@strawberry.type(description="The decision was about other bytes than the version holds.")
class StaleSubjectError(MutationError):
    current_digest: Sha256 = strawberry.field(description="The digest that the version holds.")


@strawberry.type(description="The hub already holds exactly these bytes.")
class DuplicateAssetError(MutationError):
    existing_id: strawberry.Private[int | None]

    @field("The asset that holds them; null where the viewer may not see it.")
    async def existing(
        self,
        info: strawberry.Info,
    ) -> Annotated[Asset, strawberry.lazy("schema.assets")] | None:
        if self.existing_id is None:
            return None
        found: Asset | None = await fetch(info.context, "Asset", self.existing_id)
        return found


@strawberry.type(description="The idempotency key was used before with another request.")
class IdempotencyMismatchError(MutationError):
    pass


@strawberry.type(description="The asset lacks what its template asks for before it is approved.")
class IncompleteError(MutationError):
    score: int = strawberry.field(description="How complete it is, in per cent.")
    gate: int = strawberry.field(description="How complete it has to be, in per cent.")
    lacking: list[str] = strawberry.field(description="What it lacks: properties by their names, fields by their keys.")


@strawberry.type(description="Nobody said yet which licence the asset is under: nothing is approved before that.")
class RightsNotAssessedError(MutationError):
    pass


@strawberry.type(description="The file itself cannot be taken.")
class FileRefusedError(MutationError):
    reason: str = strawberry.field(description="A stable word such as EMPTY, TOO_LARGE or NOT_WHAT_IT_CLAIMS.")


@strawberry.type(description="The hub has no room: nothing was stored.")
class StorageFullError(MutationError):
    pass


@strawberry.type(description="The place where bytes are kept cannot be used now: try again later.")
class StorageUnavailableError(MutationError):
    pass


@strawberry.type(description="It is used, and nobody said that it is to go all the same.")
class InUseError(MutationError):
    found: strawberry.Private[tuple[Use, ...]]
    confirmation: str = strawberry.field(description="Give it back to say so; it is good for exactly these uses.")

    @field("What uses it, as far as the viewer may know.")
    def uses(self) -> list[AssetUse]:
        return [AssetUse.of(use) for use in self.found]


@strawberry.type(description="The same picture is being bought already, under the same terms.")
class AlreadyRequestedError(MutationError):
    purchase_id: strawberry.Private[int | None]

    @field("The purchase that was first, which the viewer now waits for; null where they may not see it.")
    async def purchase(
        self, info: strawberry.Info
    ) -> Annotated[StockPurchase, strawberry.lazy("schema.purchases.types")] | None:
        if self.purchase_id is None:
            return None
        found: StockPurchase | None = await fetch(info.context, "StockPurchase", self.purchase_id)
        return found


@strawberry.type(description="There is a licence for the picture that serves.")
class AlreadyLicensedError(MutationError):
    purchase_id: strawberry.Private[int]

    @field("The purchase that it came by, with its licence.")
    async def purchase(
        self, info: strawberry.Info
    ) -> Annotated[StockPurchase, strawberry.lazy("schema.purchases.types")] | None:
        found: StockPurchase | None = await fetch(info.context, "StockPurchase", self.purchase_id)
        return found


@strawberry.type(description="Pictures that are here look like it, and nobody said that they were looked at.")
class LooksAlikeError(MutationError):
    asset_ids: strawberry.Private[tuple[int, ...]]

    @field("At most 20 of them, nearest first.")
    async def assets(self, info: strawberry.Info) -> list[Annotated[Asset, strawberry.lazy("schema.assets")]]:
        found = [await fetch(info.context, "Asset", number) for number in self.asset_ids]
        return [each for each in found if each is not None]


#: A feature that the errors cannot know of adds its own.
#: Per refusal its type and what the type says beyond the common fields.
TYPES: dict[type[refusals.Refusal], tuple[type[MutationError], Callable[[Any], dict[str, Any]]]] = {
    refusals.Conflict: (ConflictError, lambda _: {}),
    refusals.Gone: (ConflictError, lambda _: {}),
    refusals.NotFound: (NotFoundError, lambda _: {}),
    refusals.Invalid: (ValidationError, lambda refusal: {"constraint": refusal.constraint}),
    refusals.NotAllowed: (NotAllowedError, lambda refusal: {"permission": refusal.permission}),
    refusals.StaleRevision: (StaleRevisionError, lambda refusal: {"current": refusal.current}),
    refusals.StaleSubject: (StaleSubjectError, lambda refusal: {"current_digest": refusal.current_digest}),
    refusals.DuplicateAsset: (DuplicateAssetError, lambda refusal: {"existing_id": refusal.asset_id}),
    trash.InUse: (InUseError, lambda refusal: {"found": refusal.uses, "confirmation": refusal.confirmation}),
    purchases.AlreadyRequested: (AlreadyRequestedError, lambda refusal: {"purchase_id": refusal.purchase_id}),
    purchases.AlreadyLicensed: (AlreadyLicensedError, lambda refusal: {"purchase_id": refusal.purchase_id}),
    purchases.LooksAlike: (LooksAlikeError, lambda refusal: {"asset_ids": refusal.asset_ids}),
    refusals.IdempotencyMismatch: (IdempotencyMismatchError, lambda _: {}),
    refusals.Incomplete: (
        IncompleteError,
        lambda refusal: {"score": refusal.score, "gate": refusal.gate, "lacking": list(refusal.lacking)},
    ),
    refusals.RightsNotAssessed: (RightsNotAssessedError, lambda _: {}),
    refusals.FileRefused: (FileRefusedError, lambda refusal: {"reason": refusal.reason}),
    refusals.StorageFull: (StorageFullError, lambda _: {}),
    refusals.StorageUnavailable: (StorageUnavailableError, lambda _: {}),
    refusals.BadCursor: (ValidationError, lambda _: {"constraint": "cursor"}),
    refusals.PageTooLarge: (ValidationError, lambda _: {"constraint": "page"}),
    refusals.BadSearch: (ValidationError, lambda _: {"constraint": "search"}),
    refusals.NotSignedIn: (NotAllowedError, lambda _: {"permission": "sign-in"}),
}


def typed(refusal: refusals.Refusal) -> MutationError:
    kind, extra = next(TYPES[each] for each in type(refusal).__mro__ if each in TYPES)
    return kind(
        code=ErrorCode(refusal.code),
        message=refusal.message,
        path=list(refusal.path) or None,
        **extra(refusal),
    )


def concrete_types() -> list[type[MutationError]]:
    return list(dict.fromkeys(kind for kind, _ in TYPES.values()))
