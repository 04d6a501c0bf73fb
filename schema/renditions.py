"""Renditions: what presets have made of versions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import strawberry

from domain import delivery, identity, presets, renditions
from domain.delivery import bars, leave, standing
from domain.global_ids import encode, number_of
from domain.refusals import NotFound
from domain.work import Work
from schema.context import Context
from schema.enums import RenditionState
from schema.errors import MutationError
from schema.fields import field, mutation
from schema.licensing import asking
from schema.licensing.asking import Use
from schema.mapped import TABLES, Above, Column, GlobalId, Made, Note, Table, Turning, column
from schema.mutating import Answer, run
from schema.node import KINDS, Kind, Node
from schema.plans.shape import Unplannable
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

    def made(_work: Work, _note: Note) -> Callable[[str | None, str | None], tuple[str, str, bool] | None]:
        return lambda code, message: None if code is None else (code, message or "", renditions.is_retryable(code))

    return Made((code, message), made, ("code", "message", "retryable"))


#: When embargoes begin and end.
_TURNING = Turning(bars.LAST_TURN, bars.NEXT_TURN)


#: Whether the bytes of a version are kept in, and by what an address of them is given.
GATE: Final = Above("AssetVersion", (bars.VERSION, *standing.VERSION), (bars.RENDITION, *standing.RENDITION))


def address(sources: tuple[Any, ...], make: Callable[[Work], Callable[..., delivery.SignedUrl | None]]) -> Made:
    """How a signed address is made of these columns, beside those of `GATE`; none where it is kept in or not given. A
    decision that is still to be made is the resolver's.
    """

    def made(work: Work, note: Note) -> Callable[..., tuple[str, datetime] | None]:
        signed = make(work)
        if leave.is_at_work_everywhere(work.viewer):
            return lambda gate, *told: None if gate[0] else signed(*told)
        by = _deciding(lambda: standing.read(work, note))
        # Renditions of one version follow each other, with one and the same gate.
        last: tuple[Any, ...] | None = None
        found: leave.Leave | None = None

        def one(gate: tuple[Any, ...], *told: Any) -> tuple[str, datetime] | None:
            nonlocal last, found
            if gate is not last:
                last, found = gate, None if gate[0] else _deciding(lambda: by(*gate[1:]))
            return None if found is None else signed(*told, found)

        return one

    return Made((GATE, *sources), made, ("url", "validUntil"), for_viewer=True, turns=_TURNING)


def _deciding(find: Callable[[], Any]) -> Any:
    try:
        return find()
    except standing.Unmade:
        raise Unplannable("an address needs a decision") from None


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
        "Where its bytes are fetched; null unless READY, while the asset is taken down or under embargo, and where "
        "what it is for is not licensed: `rightsDecision` says why.",
        weight=3,
        extra={"use": 20},
        mapped=address(
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
    async def url(self, info: strawberry.Info[Context], use: Use = None) -> SignedUrl | None:
        wanted = asking.use_of(info.context.work, use)
        if self.row.state != "READY" or await info.context.load(delivery.barred, self.row.version_id):
            return None
        by = await info.context.leave(self.row.version_id, wanted)
        return None if by is None else SignedUrl.of(delivery.rendition_url(info.context.work, self.row, by))


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
