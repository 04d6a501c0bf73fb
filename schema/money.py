"""Money over GraphQL: exact amounts as strings, each with its currency."""

from __future__ import annotations

from decimal import Decimal

import strawberry

from domain import money
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


@strawberry.input(description="An amount of money.")
class MoneyInput:
    amount: Decimal = strawberry.field(description="In the currency itself, with no more digits than it has.")
    currency: str = strawberry.field(description="Its code of ISO 4217, such as `EUR`.")


def read(given: MoneyInput | None, path: tuple[str, ...]) -> money.Money | None:
    """`Invalid` for what is no amount of a currency."""
    return None if given is None else money.of(given.amount, given.currency, path)
