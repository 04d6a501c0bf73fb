"""Renditions: what presets have made of versions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import strawberry

from domain import delivery, identity, presets, renditions
from domain.delivery import bars
from domain.global_ids import encode, number_of
from domain.refusals import NotFound
from domain.work import Work
from schema.context import Context
from schema.enums import RenditionState
from schema.errors import MutationError
from schema.fields import field, mutation
from schema.mapped import TABLES, Column, GlobalId, Made, Table, Turning, column
from schema.mutating import Answer, run
from schema.node import KINDS, Kind, Node
from schema.scalars import BigInt, Instant, Sha256, Url
from storage.tables import RenditionRow


@strawberry.type(description="A signed address of bytes, good until `validUntil`.")
class SignedUrl:
    url: Url
    valid_until: Instant

    @classmethod
    def of(cls, signed: delivery.SignedUrl | None) -> SignedUrl | None:
        return None if signed is None else cls(url=Url(signed.url), valid_until=signed.valid_until)


@strawberry.type(description="Why something could not be made of a file.")
class RenditionFailure:
    code: str = strawberry.field(description="A stable word such as TRUNCATED or TOO_MANY_PIXELS.")
    message: str = strawberry.field(description="A whole sentence for people.")
    retryable: bool = strawberry.field(description="Whether the same bytes may do better another time.")

    @classmethod
    def of(cls, code: str | None, message: str | None) -> RenditionFailure | None:
        if code is None:
            return None
        return cls(code=code, message=message or "", retryable=renditions.is_retryable(code))


def failure(code: Any, message: Any) -> Made:
    """How a failure is read off these two columns."""

    def made(_work: Work) -> Callable[[str | None, str | None], tuple[str, str, bool] | None]:
        return lambda code, message: None if code is None else (code, message or "", renditions.is_retryable(code))

    return Made((code, message), made, ("code", "message", "retryable"))


#: When embargoes begin and end.
_TURNING = Turning(bars.LAST_TURN, bars.next_turn)


def address(
    barred: Any, sources: tuple[Any, ...], make: Callable[[Work], Callable[..., delivery.SignedUrl | None]]
) -> Made:
    """How a signed address is made of these columns; none where the column `barred` is true."""

    def made(work: Work) -> Callable[..., tuple[str, datetime] | None]:
        signed = make(work)
        return lambda is_barred, *told: None if is_barred else signed(*told)

    return Made((barred, *sources), made, ("url", "validUntil"), for_viewer=True, turns=_TURNING)


@strawberry.type(description="What a preset makes of one version. Reading it never makes it.")
class Rendition(Node):
    row: strawberry.Private[RenditionRow]
    id: strawberry.ID = column(GlobalId("Rendition", RenditionRow.id))
    state: RenditionState = column(RenditionRow.state)
    media_type: str | None = column(RenditionRow.media_type)
    width: int | None = column(RenditionRow.width)
    height: int | None = column(RenditionRow.height)
    byte_size: BigInt | None = column(RenditionRow.byte_size)
    sha256: Sha256 | None = column(RenditionRow.sha256)
    failure: RenditionFailure | None = column(failure(RenditionRow.failure_code, RenditionRow.failure_message))

    @classmethod
    def of(cls, row: RenditionRow) -> Rendition:
        return cls(
            row=row,
            id=strawberry.ID(encode("Rendition", row.id)),
            state=RenditionState(row.state),
            media_type=row.media_type,
            width=row.width,
            height=row.height,
            byte_size=None if row.byte_size is None else BigInt(row.byte_size),
            sha256=None if row.sha256 is None else Sha256(row.sha256),
            failure=RenditionFailure.of(row.failure_code, row.failure_message),
        )

    @field("The name of the preset that made it.", mapped=Column(renditions.MADE_BY))
    async def preset(self, info: strawberry.Info[Context]) -> str:
        preset = await info.context.load(presets.by_id, self.row.preset_id)
        return "" if preset is None else preset.name

    @field(
        "Where its bytes are fetched; null unless READY, and while the asset is taken down or under embargo.",
        weight=3,
        mapped=address(
            bars.RENDITION,
            (
                RenditionRow.id,
                RenditionRow.state,
                RenditionRow.sha256,
                RenditionRow.marked_sha256,
                renditions.OWNER_OF_MARKED,
            ),
            delivery.rendition_urls,
        ),
    )
    async def url(self, info: strawberry.Info[Context]) -> SignedUrl | None:
        if await info.context.load(delivery.barred, self.row.version_id):
            return None
        return SignedUrl.of(delivery.rendition_url(info.context.work, self.row))


@strawberry.input(description="The failed rendition to try again.")
class RenditionRetryInput:
    rendition: strawberry.ID
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`rendition` is null exactly when `errors` is not empty.")
class RenditionRetryPayload:
    rendition: Rendition | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.input(description="The version and the preset that a rendition is wanted of.")
class RenditionRequestInput:
    version: strawberry.ID
    preset: strawberry.ID
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`rendition` is null exactly when `errors` is not empty.")
class RenditionRequestPayload:
    rendition: Rendition | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type
class RenditionMutations:
    @mutation("Asks for a rendition by a preset that is not made by default; one that is there already is answered.")
    def rendition_request(
        self, info: strawberry.Info[Context], input: RenditionRequestInput
    ) -> RenditionRequestPayload:
        def act(work: Work) -> Answer:
            number = number_of("RenditionPreset", input.preset, ("preset",))
            preset = presets.by_id(work, [number]).get(number)
            if preset is None:
                raise NotFound("There is no rendition preset with this id.", ("preset",))
            row = renditions.request(work, number_of("AssetVersion", input.version, ("version",)), preset)
            return {"rendition": ("Rendition", row.id)}

        return run(info, input, RenditionRequestPayload, act)

    @mutation("Tries a failed rendition again.")
    def rendition_retry(self, info: strawberry.Info[Context], input: RenditionRetryInput) -> RenditionRetryPayload:
        def act(work: Work) -> Answer:
            row = renditions.retry(work, number_of("Rendition", input.rendition, ("rendition",)))
            return {"rendition": ("Rendition", row.id)}

        return run(info, input, RenditionRetryPayload, act)


KINDS["Rendition"] = Kind(renditions.visible, Rendition.of)
TABLES["Rendition"] = Table(renditions.seen, RenditionRow.id, identity.holds_asset)
