"""What a recall costs: the share of the fee for the days that the licence would not have, to the minor unit; and which
uses it would end.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from domain.hub import Hub
from domain.licensing import activating
from domain.licensing.terms import Window
from storage.tables import LicenseRow
from tests.asking import Client
from tests.licensing.writing import active
from tests.usage.test_moving import counted
from tests.usage.using import cap, licensed, successor

#: Eight years, two of them leap years: 2922 days.
TERM = {"startsOn": "2020-01-01", "endsOn": "2027-12-31"}
LOST = """query ($license: ID!, $day: Date!) {
  recallSimulation(license: $license, endsOn: $day) { lostFee { amount currency } } }"""


def lost(client: Client, day: str, **more: Any) -> dict[str, str] | None:
    license_id = active(client, **more)["id"]
    found: dict[str, str] | None = client.ask(LOST, license=license_id, day=day)["recallSimulation"]["lostFee"]
    return found


@pytest.mark.parametrize(
    ("amount", "currency", "day", "share"),
    [
        ("2922", "EUR", "2027-06-30", "184.00"),  # a day costs one
        ("2922", "EUR", "2027-12-30", "1.00"),
        ("2922", "EUR", "2020-01-01", "2921.00"),  # the first day alone is left
        ("999.99", "EUR", "2027-06-30", "62.96"),  # 62.9699, rounded down
        ("300", "JPY", "2027-06-30", "18"),  # 18.89, which has no digits after the point
        ("2922", "EUR", "2027-12-31", "0.00"),
        ("2922", "EUR", "2028-06-30", "0.00"),  # it ends before
        ("2922", "EUR", "2019-12-31", "2922.00"),
        ("2922", "EUR", "2018-06-30", "2922.00"),  # no more than was paid
    ],
)
def test_what_is_lost_is_the_fee_of_the_days_that_are_left(
    client: Client, amount: str, currency: str, day: str, share: str
) -> None:
    fee = {"amount": amount, "currency": currency}
    assert lost(client, day, fee=fee, **TERM) == {"amount": share, "currency": currency}


def test_of_a_licence_without_a_fee_or_an_end_nobody_knows_what_is_lost(client: Client) -> None:
    assert lost(client, "2027-06-30", **TERM) is None
    fee = {"amount": "2922", "currency": "EUR"}
    assert lost(client, "2027-06-30", fee=fee, title="For ever", startsOn="2020-01-01") is None


YEAR = Window(date(2027, 1, 1), date(2027, 12, 31))


def test_a_recall_ends_the_uses_of_every_licence_whose_place_it_took(hub: Hub, client: Client) -> None:
    it, day, told = licensed(client, cap(1_000)), date(2027, 6, 30), []
    first = it.license_id
    for number in range(3):
        it.confirm(it.reserve(10, window=YEAR))
        told.append(counted(client, it.license_id, day))
        draft = successor(it, cap(1_000), name=f"{number}")
        with hub.writing(it.viewer) as work:
            row = work.session.get_one(LicenseRow, it.license_id)
            it.license_id = activating.supersede(work, row.id, row.revision, draft, "Once more.").id
    it.reserve(10, window=YEAR)
    assert told == [(1, 1, 1), (2, 2, 2), (3, 3, 3)]
    assert counted(client, it.license_id, day) == (4, 4, 4)
    assert counted(client, first, day) == (1, 1, 1), "what came later is not of this one"
