"""The event loop does a little by itself each time round, and nothing else waits for more than that."""

from __future__ import annotations

import asyncio
import time
from functools import partial

from server.turns import MOST_SECONDS, Turns


def busy(seconds: float) -> None:
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


def test_what_is_asked_first_is_done_first_and_each_is_told_what_came_of_theirs() -> None:
    order: list[int] = []

    def answer(number: int) -> int:
        busy(MOST_SECONDS)
        order.append(number)
        return number

    async def all_at_once() -> list[int]:
        turns = Turns()
        return await asyncio.gather(*(turns.do(partial(answer, number)) for number in range(8)))

    assert asyncio.run(all_at_once()) == list(range(8))
    assert order == list(range(8))


def test_others_have_their_turn_after_each_that_fills_a_round() -> None:
    seen: list[str] = []

    def answer() -> None:
        busy(MOST_SECONDS)
        seen.append("answer")

    async def together() -> None:
        turns = Turns()
        asked = [asyncio.create_task(turns.do(answer)) for _ in range(4)]
        while not all(each.done() for each in asked):
            await asyncio.sleep(0)
            seen.append("other")

    asyncio.run(together())
    assert seen.count("answer") == 4
    assert "answer answer" not in " ".join(seen)


def test_one_that_fails_tells_whoever_asked_and_nobody_else() -> None:
    def fail() -> int:
        busy(MOST_SECONDS)
        raise ValueError("theirs")

    async def together() -> list[int | BaseException]:
        turns = Turns()
        return await asyncio.gather(
            *(turns.do(each) for each in (fail, lambda: 1, fail, lambda: 2)), return_exceptions=True
        )

    first, one, third, two = asyncio.run(together())
    assert (one, two) == (1, 2)
    assert isinstance(first, ValueError)
    assert isinstance(third, ValueError)


def test_whoever_has_gone_is_passed_over() -> None:
    done: list[int] = []

    def answer(number: int) -> None:
        busy(MOST_SECONDS)
        done.append(number)

    async def together() -> None:
        turns = Turns()
        asked = [asyncio.create_task(turns.do(partial(answer, number))) for number in range(3)]
        await asyncio.sleep(0)  # the first is done, the others wait
        asked[1].cancel()
        await asyncio.gather(*asked, return_exceptions=True)

    asyncio.run(together())
    assert done == [0, 2]


def test_while_a_thread_is_at_work_the_loop_reads_nothing() -> None:
    turns = Turns()
    assert turns.are_free
    with turns.disturbed(by=False):
        assert turns.are_free
    with turns.disturbed(by=True):
        with turns.disturbed(by=True):
            pass
        assert not turns.are_free
    assert turns.are_free
