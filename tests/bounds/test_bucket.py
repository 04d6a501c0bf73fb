"""A token's bucket: what was spent drains away evenly, and beyond its size nothing is let through."""

from __future__ import annotations

import dataclasses
import threading
import time
from pathlib import Path

import httpx
import pytest

from domain.hub import Hub
from domain.work import Viewer
from schema.cost import REQUEST
from server import bucket
from server.app import make_app
from server.bucket import Buckets, Spent
from server.problems import HttpRefusal
from server.turnstile import Turnstile
from storage.settings import Settings
from tests.server.caller import Caller

one_store = pytest.mark.parametrize("stores", ["sqlite+disk"], indirect=True)
ONE = Viewer(7, 1, "x", is_administrator=False, token_id=1)


class Clock:
    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        patch.setattr(time, "monotonic", lambda: self.now)


def test_what_was_spent_comes_back_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, buckets = Clock(monkeypatch), Buckets(600, 60, 10)
    assert buckets.spend("a", 500).remaining == 100
    with pytest.raises(Spent) as spent:
        buckets.spend("a", 250)
    assert spent.value.seconds == 15
    clock.now += 14.9
    with pytest.raises(Spent):
        buckets.spend("a", 250)
    clock.now += 0.1
    assert buckets.spend("a", 250).remaining == 0
    clock.now += 1000
    left = buckets.spend("a", 60)
    assert (left.limit, left.remaining) == (600, 540)


def test_what_is_refused_takes_nothing_and_others_do_not_pay(monkeypatch: pytest.MonkeyPatch) -> None:
    Clock(monkeypatch)
    buckets = Buckets(600, 60, 10)
    buckets.spend("a", 599)
    for _ in range(5):
        with pytest.raises(Spent):
            buckets.spend("a", 2)
    assert buckets.spend("a", 1).remaining == 0
    assert buckets.spend("b", 600).remaining == 0
    assert buckets.spend("a", 0).remaining == 0


def test_memory_stays_bounded_and_empty_buckets_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, buckets = Clock(monkeypatch), Buckets(600, 60, 10)
    for number in range(9):
        buckets.spend(str(number), 600)
    buckets.spend("tenth", 300)
    buckets.spend("eleventh", 400)
    with pytest.raises(Spent):
        buckets.spend("twelfth", 400)  # the crowd's
    assert len(buckets) == 11
    clock.now += 61
    for _ in range(bucket.SWEEP_EVERY):
        buckets.spend("again", 0)
    assert len(buckets) <= 2


def test_many_at_once_never_spend_more_than_there_is() -> None:
    buckets, let_through = Buckets(1000, 1e9, 10), []

    def spend() -> None:
        for _ in range(200):
            try:
                buckets.spend("a", 3)
            except Spent:
                continue
            let_through.append(3)

    threads = [threading.Thread(target=spend) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(let_through) == 999


def test_whoever_spent_too_much_is_told_when_to_come_again(tmp_path: Path) -> None:
    counted = Turnstile(Settings.model_validate({"data_dir": tmp_path, "token_budget": 6000}))
    counted.spend(ONE, 6000)
    with pytest.raises(HttpRefusal) as refused:
        counted.spend(ONE, 3000)
    assert (refused.value.status, refused.value.code) == (429, "TOO_MANY_REQUESTS")
    assert refused.value.headers["Retry-After"] == "30"
    assert "30 s" in refused.value.sentence


@one_store
def test_a_costly_query_over_http_empties_the_bucket_and_is_told_so(hub: Hub) -> None:
    budget = 100_000
    told = hub.settings.model_copy(update={"token_budget": budget})
    ask = Caller(make_app(_with(hub, told)), hub.settings.admin_token)
    query = "{ rateLimit { cost remaining } assets(first: 100) { nodes { versions(first: 100) { nodes { id } } } } }"
    price = REQUEST + 1 + 100 * (2 + 100)
    seen = []
    for _ in range(budget // price + 2):
        answer = ask("POST", "/graphql", json={"query": query})
        if answer.status_code == 429:
            break
        seen.append(answer.json()["data"]["rateLimit"])
    assert {each["cost"] for each in seen} == {price}
    assert [each["remaining"] for each in seen] == sorted((each["remaining"] for each in seen), reverse=True)
    assert len(seen) >= budget // price
    _is_refusal(answer)


def _is_refusal(answer: httpx.Response) -> None:
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "TOO_MANY_REQUESTS"
    assert error["message"].startswith("This token has asked for too much: wait ")


def _with(hub: Hub, told: Settings) -> Hub:
    return dataclasses.replace(hub, settings=told)
