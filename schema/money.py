"""Money over GraphQL: exact amounts as strings, each with its currency."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import strawberry

from domain import money
from domain.work import Work
from schema.mapped import Made, Note
from schema.scalars import BigInt


@strawberry.type(description="An amount of money.")
class Money:
    amount: Decimal = strawberry.field(description='In the currency itself, with all of its digits, such as "12.50".')
    currency: str = strawberry.field(description="Its code of ISO 4217, such as `EUR`.")
    minor_units: BigInt = strawberry.field(description="In the currency's smallest unit, such as cents.")

    @classmethod
    def of(cls, kept: money.Money | None) -> Money | None:
        if kept is None:
            return None
        return cls(amount=kept.amount, currency=kept.currency, minor_units=BigInt(kept.minor))


def kept(minor: Any, currency: Any) -> Made:
    """How an amount is read off these two columns."""

    def made(_work: Work, _note: Note) -> Callable[[int | None, str | None], tuple[Decimal, str, int] | None]:
        def told(minor: int | None, currency: str | None) -> tuple[Decimal, str, int] | None:
            found = money.kept(minor, currency)
            return None if found is None else (found.amount, found.currency, found.minor)

        return told

    return Made((minor, currency), made, ("amount", "currency", "minorUnits"))


@strawberry.input(description="An amount of money.")
class MoneyInput:
    amount: Decimal = strawberry.field(description="In the currency itself, with no more digits than it has.")
    currency: str = strawberry.field(description="Its code of ISO 4217, such as `EUR`.")


def read(given: MoneyInput | None, path: tuple[str, ...]) -> money.Money | None:
    """`Invalid` for what is no amount of a currency."""
    return None if given is None else money.of(given.amount, given.currency, path)
