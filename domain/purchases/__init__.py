"""Pictures that are bought: from whom, whether they need to be, who decides, and what was not spent.

Always true here:
- The same item of a supplier is never under way twice for the same tier.
- What an address shows, and what looks alike, is found before anybody pays, and again before anybody approves.
"""

from __future__ import annotations

from domain.purchases import savings, suppliers
from domain.purchases.addresses import Pattern
from domain.purchases.checking import Finding, Kind, findings
from domain.purchases.fitting import IntendedUse
from domain.purchases.reading import State, by_id, counts_of_subscribers, listed, subscribed
from domain.purchases.requesting import (
    Named,
    approve,
    cancel,
    found,
    license_,
    looked_at,
    order,
    record,
    reject,
    request,
    spared,
    wish,
)
from domain.purchases.savings import AvoidedBy
from domain.purchases.wanted import AlreadyLicensed, AlreadyRequested, LooksAlike, Wanted

__all__ = [
    "AlreadyLicensed",
    "AlreadyRequested",
    "AvoidedBy",
    "Finding",
    "IntendedUse",
    "Kind",
    "LooksAlike",
    "Named",
    "Pattern",
    "State",
    "Wanted",
    "approve",
    "by_id",
    "cancel",
    "counts_of_subscribers",
    "findings",
    "found",
    "license_",
    "listed",
    "looked_at",
    "order",
    "record",
    "reject",
    "request",
    "savings",
    "spared",
    "subscribed",
    "suppliers",
    "wish",
]
