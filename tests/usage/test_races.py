"""Who reserves while a licence is superseded or terminated: nothing is reserved of what is over."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa

from domain.hub import Hub
from domain.licensing import activating
from domain.licensing.codes import CapPer
from domain.licensing.terms import Window
from domain.refusals import Conflict, Invalid
from domain.usage.refusing import RightsDenied
from domain.work import HUB
from storage.tables import GrantCapRow, LicenseGrantRow, LicenseRow
from tests.asking import Client
from tests.assets.acts import unchanged
from tests.assets.together import together
from tests.usage.using import Licensed, cap, licensed, periods, successor


def test_a_reservation_and_a_successor_at_the_same_moment(hub: Hub, client: Client) -> None:
    for number in range(1, 7):
        it = licensed(client, cap(1_000), number=number)
        draft = successor(it, cap(1_000))

        def supersede(it: Licensed = it, draft: int = draft) -> bool:
            try:
                with hub.writing(client.viewer) as work:
                    revision = work.session.get_one(LicenseRow, it.license_id).revision
                    activating.supersede(work, it.license_id, revision, draft, "A longer one.")
            except Conflict:
                return False
            return True

        def reserve(it: Licensed = it) -> bool:
            it.reserve(10)
            return True

        superseded, reserved = together([supersede, reserve])
        assert reserved
        assert taken(hub, draft if superseded else it.license_id) == 10
        assert taken(hub, it.license_id if superseded else draft) == 0


def test_nothing_is_reserved_of_a_licence_that_is_terminated_first(hub: Hub, client: Client) -> None:
    for number in range(1, 7):
        it = licensed(client, cap(1_000), number=number)

        def terminate(it: Licensed = it) -> bool:
            with hub.writing(client.viewer) as work:
                revision = work.session.get_one(LicenseRow, it.license_id).revision
                activating.terminate(work, it.license_id, revision, "It is over.")
            return True

        def reserve(it: Licensed = it) -> bool:
            try:
                it.reserve(10)
            except RightsDenied:
                return False
            return True

        _, reserved = together([terminate, reserve])
        assert taken(hub, it.license_id) == (10 if reserved else 0)
        assert not reserve()


def taken(hub: Hub, license_id: int) -> int:
    rows = sa.select(sa.func.sum(GrantCapRow.reserved)).join(LicenseGrantRow)
    with hub.reading(HUB) as work:
        return int(work.session.scalar(rows.where(LicenseGrantRow.license_id == license_id)) or 0)


def test_a_successor_goes_on_counting_in_every_period(hub: Hub, client: Client) -> None:
    yearly = cap(100, per=CapPer.YEAR)
    it = licensed(client, yearly)
    window = Window(date(2027, 3, 1), date(2027, 3, 9))
    usage = it.reserve(70, window=window)
    draft = successor(it, yearly)
    with unchanged(hub), pytest.raises(Conflict, match="reserved"), hub.writing(client.viewer) as work:
        activating.supersede(work, it.license_id, 2, draft, "Too early.")
    it.confirm(usage)
    smaller = successor(it, cap(69, per=CapPer.YEAR), name="smaller")
    with unchanged(hub), pytest.raises(Invalid, match="70 copies"), hub.writing(client.viewer) as work:
        activating.supersede(work, it.license_id, 2, smaller, "Too small.")
    with hub.writing(client.viewer) as work:
        activating.supersede(work, it.license_id, 2, draft, "A longer one.")
    with unchanged(hub), pytest.raises(RightsDenied):
        it.reserve(31, window=window)
    it.reserve(30, window=window)
    assert periods(hub) == {"2027-01-01": (70, 30)}  # of the newest cap
