"""The walk back through the past, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.changes.past import REASONS, SHARE_OVER, Happened, Reason, Verdict, judged, walked
from domain.history import EVENT_TYPES

BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def event(minutes: int, type_: str = "on") -> Happened:
    return Happened(minutes, type_, "Asset", 1, {}, BEGUN + minutes * MINUTE)


def test_events_are_undone_and_the_clock_ticks_between_them() -> None:
    points = walked(
        2,
        [event(1), event(3)],
        lambda state, _: state - 1,
        begun=BEGUN,
        ended=BEGUN + 9 * MINUTE,
        clock=[(BEGUN + 2 * MINUTE, SHARE_OVER), (BEGUN + 20 * MINUTE, SHARE_OVER), (BEGUN, SHARE_OVER)],
    )
    assert [((point.moment - BEGUN) // MINUTE, point.state, point.cause) for point in points] == [
        (0, 0, None),
        (1, 1, "on"),
        (2, 1, SHARE_OVER),
        (3, 2, "on"),
    ]


def test_an_event_happens_no_earlier_than_the_one_before_it() -> None:
    points = walked(0, [event(3), event(1)], lambda state, _: state, begun=BEGUN, ended=BEGUN + 9 * MINUTE, clock=[])
    assert [(point.moment - BEGUN) // MINUTE for point in points] == [0, 3, 3]


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ([True, True, True], (True, True, 0)),
        ([False, True, True], (False, True, 1)),
        ([False, True, False], (False, True, 2)),
        ([True, False, False], (True, True, 1)),
        ([False, False, False], (False, False, 0)),
    ],
)
def test_what_was_shown_for_a_while_was_seen(shown: list[bool], expected: tuple[bool, bool, int]) -> None:
    points = walked(0, [event(1), event(2)], lambda state, _: state, begun=BEGUN, ended=BEGUN + MINUTE * 9, clock=[])
    found = judged(points, shown)
    assert (found.at_start, found.ever, (found.turned_at - BEGUN) // MINUTE) == expected


def test_reasons_are_of_events_that_there_are() -> None:
    assert set(REASONS) - {SHARE_OVER} <= EVENT_TYPES
    assert Verdict(True, True, BEGUN, "grant.revoked").reason is Reason.NO_LONGER_VISIBLE
