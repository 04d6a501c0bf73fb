"""How often somebody may ask, and whose address counts."""

from __future__ import annotations

import ipaddress
import threading
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request

from domain.work import Viewer
from schema.cost import REQUEST
from server import addresses, counting, turnstile
from server.counting import Counts
from server.problems import HttpRefusal
from server.turnstile import Turnstile
from storage.settings import Settings
from tests.server import program
from tests.server.caller import wait_until
from tests.signing_in.conftest import BuildHouse
from tests.signing_in.house import ELSEWHERE, HERE, ME

#: More than enough to be refused wherever in a minute the test begins.
PLENTY = 12


def settings(tmp_path: Path, **more: object) -> Settings:
    return Settings.model_validate({"data_dir": tmp_path, **more})


def request(client: str | None, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", each.encode("latin-1")) for each in forwarded]
    return Request({"type": "http", "headers": headers, "client": None if client is None else (client, 1)})


NETWORKS = tuple(ipaddress.ip_network(each) for each in ("10.0.0.0/8", "fd00::/8"))


@pytest.mark.parametrize(
    ("client", "forwarded", "address"),
    [
        ("192.0.2.1", (), "192.0.2.1"),
        ("192.0.2.1", ("198.51.100.1",), "192.0.2.1"),  # not a proxy of ours: what it says is nothing
        ("10.0.0.1", ("198.51.100.1",), "198.51.100.1"),
        ("10.0.0.1", (), "10.0.0.1"),
        ("10.0.0.1", ("203.0.113.9, 198.51.100.1",), "198.51.100.1"),  # the left one the client wrote itself
        ("10.0.0.1", ("203.0.113.9", "198.51.100.1"), "198.51.100.1"),
        ("10.0.0.1", ("198.51.100.1, 10.0.0.2, 10.0.0.3",), "198.51.100.1"),
        ("10.0.0.1", ("10.0.0.9, 198.51.100.1, 10.0.0.2",), "198.51.100.1"),
        ("10.0.0.1", ("198.51.100.1, rubbish",), "10.0.0.1"),
        ("10.0.0.1", ("",), "10.0.0.1"),
        ("10.0.0.1", ("198.51.100.1:4711",), "198.51.100.1"),
        ("10.0.0.1", ("[2001:db8::1]:4711",), "2001:db8::1"),
        ("::ffff:10.0.0.1", ("198.51.100.1",), "198.51.100.1"),
        ("fd00::1", ("2001:db8::1%eth0",), "2001:db8::1"),
        ("10.0.0.1", (", ".join(["198.51.100.1"] + ["10.0.0.2"] * 40),), "10.0.0.2"),
        (None, ("198.51.100.1",), None),
        ("testclient", ("198.51.100.1",), None),
    ],
)
def test_an_address_is_believed_as_far_as_our_own_proxies_tell_it(
    client: str | None, forwarded: tuple[str, ...], address: str | None
) -> None:
    assert addresses.of(request(client, *forwarded), NETWORKS) == address


def test_without_trusted_proxies_nobody_chooses_their_address() -> None:
    assert addresses.of(request("127.0.0.1", "198.51.100.1"), ()) == "127.0.0.1"


def test_one_party_has_one_ipv4_address_or_one_ipv6_network() -> None:
    assert addresses.party("192.0.2.1") != addresses.party("192.0.2.2")
    assert addresses.party("2001:db8::1") == addresses.party("2001:db8::ffff:1:2")
    assert addresses.party("2001:db8::1") != addresses.party("2001:db8:0:1::1")


def test_strangers_are_refused_after_a_while_each_address_by_itself(build: BuildHouse) -> None:
    house = build(stranger_rate=3)
    with house.browser(HERE) as here, house.browser(ELSEWHERE) as elsewhere:
        answers = [here.post("/graphql", json=ME) for _ in range(PLENTY)]
        assert answers[0].status_code == 401
        assert answers[-1].status_code == 429
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        assert answers[-1].json()["errors"][0]["extensions"]["code"] == "TOO_MANY_REQUESTS"
        assert elsewhere.post("/graphql", json=ME).status_code == 401
        assert here.get("/auth/login").status_code == 429
        refused = 429 if house.hub.settings.takes_passwords else 403
        assert here.post("/auth/password", json={"email": "a@b", "password": "x"}).status_code == refused
        assert here.get("/health/live").status_code == 200


def test_a_credential_that_was_good_a_moment_ago_is_not_shut_out_by_strangers_at_its_address(build: BuildHouse) -> None:
    house = build(stranger_rate=3)
    assert house.bearer("imp_test").status_code == 200
    wrong = [house.bearer(f"imp_wrong{number}").status_code for number in range(PLENTY)]
    assert (wrong[0], wrong[-1]) == (401, 429)
    assert house.bearer("imp_test").status_code == 200


def test_from_a_spent_address_no_credential_is_even_looked_at(build: BuildHouse) -> None:
    house = build(stranger_rate=3)
    for _ in range(PLENTY):
        house.bearer("imp_wrong")
    assert house.bearer("imp_test").status_code == 429  # it is good, but nobody knows that yet
    assert house.bearer("imp_test", ELSEWHERE).status_code == 200


def test_a_token_asks_for_so_much_a_minute(build: BuildHouse) -> None:
    house = build(token_budget=3 * REQUEST)
    codes = [house.bearer("imp_test").status_code for _ in range(PLENTY)]
    assert codes[0] == 200
    assert codes[-1] == 429
    assert house.bearer("imp_test", ELSEWHERE).status_code == 429  # wherever it is shown


def test_nought_is_no_limit(build: BuildHouse) -> None:
    house = build(token_budget=0, stranger_rate=0)
    assert {house.bearer("imp_test").status_code for _ in range(PLENTY)} == {200}
    assert {house.bearer("imp_wrong").status_code for _ in range(PLENTY)} == {401}


def test_what_a_request_costs_counts_and_others_do_not_pay_for_it(tmp_path: Path) -> None:
    counted = Turnstile(settings(tmp_path, token_budget=100))
    one, other = (Viewer(7, 1, "x", is_administrator=False, token_id=id_) for id_ in (1, 2))
    without = Viewer(7, 1, "x", is_administrator=False)
    counted.spend(one, 60)
    with pytest.raises(HttpRefusal) as refused:
        counted.spend(one, 60)
    assert refused.value.status == 429
    counted.spend(one, 0)
    counted.spend(other, 60)
    counted.spend(without, 60)


def test_memory_stays_bounded_however_many_addresses_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turnstile, "MOST_PARTIES", 50)
    monkeypatch.setattr(turnstile, "MOST_KNOWN", 50)
    counted = Turnstile(settings(tmp_path, stranger_rate=1000))
    for number in range(500):
        counted.count_stranger(f"192.0.{number // 250}.{number % 250}")
        with suppress(HttpRefusal):  # whoever comes beyond those told apart is one of a crowd
            counted.count_attempt(f"192.0.{number // 250}.{number % 250}", f"{number}@example.org")
        counted.welcome(f"imp_{number}")
    assert len(counted._strangers._limiter.storage.storage) <= 52  # type: ignore[attr-defined]  # in memory it has this
    assert len(counted._passwords.storage.events) <= 100  # type: ignore[attr-defined]  # likewise
    assert len(counted._known) == 50


def test_a_server_process_does_not_let_strangers_choose_their_address(tmp_path: Path) -> None:
    with (
        program.running(tmp_path / "data", STRANGER_RATE="3") as served,
        httpx.Client(trust_env=False, timeout=60) as client,
    ):
        url = served.address() + "/graphql"
        codes = [
            client.post(url, json=ME, headers={"X-Forwarded-For": f"198.51.100.{number}"}).status_code
            for number in range(PLENTY)
        ]
        assert (codes[0], codes[-1]) == (401, 429)
        assert served.stop() == 0


def test_behind_a_trusted_proxy_each_client_counts_by_itself(tmp_path: Path) -> None:
    told = {"STRANGER_RATE": "3", "TRUSTED_PROXIES": "127.0.0.0/8"}
    with program.running(tmp_path / "data", **told) as served, httpx.Client(trust_env=False, timeout=60) as client:
        url = served.address() + "/graphql"
        codes = {
            client.post(url, json=ME, headers={"X-Forwarded-For": f"198.51.100.{number}"}).status_code
            for number in range(PLENTY)
        }
        assert codes == {401}
        assert served.stop() == 0


def test_counts_that_have_passed_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "time", lambda: now)
    counts = Counts()
    assert [counts.incr("a", 60), counts.incr("a", 60, 5), counts.incr("b", 600)] == [1, 6, 1]
    assert counts.decr("a", 2) == 4
    assert counts.decr("a", 9) == 0
    now += 61
    assert counts.get("a") == 0
    assert counts.incr("a", 60) == 1
    now += 61
    for _ in range(counting.SWEEP_EVERY):
        counts.incr("b", 600)
    assert set(counts.storage) == set(counts.expirations) == {"b"}
    assert counts.get("b") == counting.SWEEP_EVERY + 1


def test_counting_starts_no_threads(tmp_path: Path) -> None:
    counted = Turnstile(settings(tmp_path, stranger_rate=1000))
    timer = counted._strangers._limiter.storage.timer  # type: ignore[attr-defined]  # in memory it has this
    wait_until(lambda: not timer.is_alive())
    before = threading.active_count()
    for number in range(100):
        counted.count_stranger(f"192.0.2.{number}")
        assert not counted._strangers._limiter.storage.timer.is_alive()  # type: ignore[attr-defined]  # likewise
    assert threading.active_count() <= before
