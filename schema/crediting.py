"""What shapes an asset's renditions and speaks for them: the focal point of a version, and what is stated of it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

import strawberry

from domain import crediting, focal
from domain.global_ids import number_of
from domain.statements import DataMining
from domain.work import Work
from schema.context import Context
from schema.errors import MutationError
from schema.fields import mutation
from schema.mutating import Answer, run
from schema.scalars import Day, Url
from storage.tables import AssetStatementRow, FocalPointRow

if TYPE_CHECKING:
    from schema.assets import Asset
    from schema.versions import AssetVersion

strawberry.enum(DataMining, description="Whether machines may learn from it, in the words of PLUS.")


@strawberry.type(description="What crops keep, from 0 to 1 of the picture as displayed.")
class FocalPoint:
    x: float = strawberry.field(description="From the left.")
    y: float = strawberry.field(description="From the top.")
    by_hand: bool = strawberry.field(description="Whether a person set it; else the hub proposed it.")

    @classmethod
    def of(cls, row: FocalPointRow) -> FocalPoint:
        return cls(x=row.x, y=row.y, by_hand=row.origin == "MANUAL")


@strawberry.type(description="Whose an asset is and on what terms: written into its renditions as their presets say.")
class AssetStatement:
    creator: str = strawberry.field(description='Who made it; "" says nothing, here and below.')
    credit: str = strawberry.field(description="The line that is printed beside it.")
    notice: str = strawberry.field(description="The copyright notice.")
    terms: str = strawberry.field(description="How it may be used.")
    web_statement: str = strawberry.field(description="The address where its rights are explained.")
    expires: Day | None = strawberry.field(description="The last day of use.")
    data_mining: DataMining | None = strawberry.field(description="Whether machines may learn from it.")
    revision: int

    @classmethod
    def of(cls, row: AssetStatementRow) -> AssetStatement:
        return cls(
            creator=row.creator,
            credit=row.credit,
            notice=row.notice,
            terms=row.terms,
            web_statement=row.web_statement,
            expires=row.expires,
            data_mining=DataMining(row.data_mining) if row.data_mining else None,
            revision=row.revision,
        )


@strawberry.input(description="Where the focal point of a version lies.")
class FocalPointSetInput:
    version: strawberry.ID
    x: float = strawberry.field(description="From the left, 0 to 1.")
    y: float = strawberry.field(description="From the top, 0 to 1.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The version whose focal point is forgotten.")
class FocalPointClearInput:
    version: strawberry.ID
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description='What is stated of an asset; what is left out stays, and "" takes a text back.')
class AssetStatementSetInput:
    asset: strawberry.ID
    expected_revision: int = strawberry.field(description="The statement's own; 0 where there is none yet.")
    creator: str | None = strawberry.field(default=None, description="Who made it.")
    credit: str | None = strawberry.field(default=None, description="The line that is printed beside it.")
    notice: str | None = strawberry.field(default=None, description="The copyright notice.")
    terms: str | None = strawberry.field(default=None, description="How it may be used.")
    web_statement: Url | None = strawberry.field(
        default=None, description="The address where its rights are explained."
    )
    expires: Day | None = strawberry.field(default=None, description="The last day of use.")
    never_expires: bool = strawberry.field(default=False, description="Takes the last day of use back.")
    data_mining: DataMining | None = strawberry.field(default=None, description="Whether machines may learn from it.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`version` is null exactly when `errors` is not empty.")
class FocalPointPayload:
    version: Annotated[AssetVersion, strawberry.lazy("schema.versions")] | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type(description="`asset` is null exactly when `errors` is not empty.")
class AssetStatementPayload:
    asset: Annotated[Asset, strawberry.lazy("schema.assets")] | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type
class CreditingMutations:
    @mutation("Says what crops of a version keep; those that are there are made anew in the background.")
    def focal_point_set(self, info: strawberry.Info[Context], input: FocalPointSetInput) -> FocalPointPayload:
        def act(work: Work) -> Answer:
            number = number_of("AssetVersion", input.version, ("version",))
            return {"version": ("AssetVersion", focal.set_by_hand(work, number, input.x, input.y).id)}

        return run(info, input, FocalPointPayload, act)

    @mutation("Forgets what crops of a version keep; the hub proposes a point again.")
    def focal_point_clear(self, info: strawberry.Info[Context], input: FocalPointClearInput) -> FocalPointPayload:
        def act(work: Work) -> Answer:
            number = number_of("AssetVersion", input.version, ("version",))
            return {"version": ("AssetVersion", focal.clear(work, number).id)}

        return run(info, input, FocalPointPayload, act)

    @mutation("States whose an asset is and on what terms; it is written into its renditions again.")
    def asset_statement_set(
        self, info: strawberry.Info[Context], input: AssetStatementSetInput
    ) -> AssetStatementPayload:
        def act(work: Work) -> Answer:
            number = number_of("Asset", input.asset, ("asset",))
            return {"asset": ("Asset", crediting.state(work, number, _stated(input), input.expected_revision).id)}

        return run(info, input, AssetStatementPayload, act)


def _stated(said: AssetStatementSetInput) -> crediting.Stated:
    expires: date | None = said.expires
    return crediting.Stated(
        creator=said.creator,
        credit=said.credit,
        notice=said.notice,
        terms=said.terms,
        web_statement=said.web_statement,
        expires=expires,
        never_expires=said.never_expires,
        data_mining=said.data_mining,
    )
