"""Passwords on the embedded default: one answer to everything wrong, few at a time, not too often."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher

from domain.identity import passwords
from domain.identity.passwords import AT_ONCE, HASHING, Hashing
from domain.refusals import Invalid, NotSignedIn
from domain.work import HUB
from server import turnstile
from storage.settings import Settings
from storage.tables import CredentialRow
from tests.asking import rows_everywhere
from tests.signing_in.conftest import BuildHouse
from tests.signing_in.house import ELSEWHERE, PASSWORD, House


@pytest.fixture
def stores(embedded: Settings) -> Settings:
    return embedded


def sign_in(
    browser: httpx.Client, password: str = PASSWORD, email: str = "ada@example.org", **more: Any
) -> httpx.Response:
    return browser.post("/auth/password", json={"email": email, "password": password}, **more)


@dataclass
class Counting:
    """A real hasher that counts what it is asked, and how much of it at once."""

    hasher: PasswordHasher = field(default_factory=lambda: PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1))
    verified: int = 0
    hashed: int = 0
    at_once: int = 0
    most_at_once: int = 0
    turn: threading.Lock = field(default_factory=threading.Lock)

    def hash(self, password: str) -> str:
        return str(self._counted("hashed", lambda: self.hasher.hash(password)))

    def verify(self, kept: str, password: str) -> bool:
        return bool(self._counted("verified", lambda: self.hasher.verify(kept, password)))

    def check_needs_rehash(self, kept: str) -> bool:
        return self.hasher.check_needs_rehash(kept)

    def _counted(self, name: str, do: Any) -> Any:
        with self.turn:
            setattr(self, name, getattr(self, name) + 1)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return do()
        finally:
            with self.turn:
                self.at_once -= 1


def counted(counting: Counting) -> Hashing:
    return Hashing(counting)  # type: ignore[arg-type]  # whatever hashes as a PasswordHasher does


def credential(house: House, principal_id: int) -> CredentialRow:
    with house.hub.reading(HUB) as work:
        return work.session.get_one(CredentialRow, principal_id)


def test_the_right_password_begins_a_session(house: House) -> None:
    house.person("Ada", password=PASSWORD)
    with house.browser() as browser:
        answer = sign_in(browser, email=" ADA@Example.org ")
        assert (answer.status_code, answer.content) == (204, b"")
        assert house.ask(browser).status_code == 200


def test_a_page_signs_in_without_scripts_and_goes_where_it_was_going(house: House) -> None:
    house.person("Ada", password=PASSWORD)
    ours = {"Origin": "http://hub.test"}
    with house.browser() as browser:
        page = browser.get("/auth/login", params={"return": "/graphql?a=1&b=%22%3E"})
        assert page.status_code == 200
        assert 'value="/graphql?a=1&amp;b=%22%3E"' in page.text
        form = {"email": "ada@example.org", "password": "wrong", "return": "/graphql?a=1"}
        again = browser.post("/auth/password", data=form, headers=ours)
        assert (again.status_code, "do not belong together" in again.text) == (401, True)
        assert 'value="ada@example.org"' in again.text
        answer = browser.post("/auth/password", data={**form, "password": PASSWORD}, headers=ours)
        assert (answer.status_code, answer.headers["location"]) == (303, "/graphql?a=1")
        assert house.ask(browser).status_code == 200


def test_what_was_typed_comes_back_as_text_only(house: House) -> None:
    with house.browser() as browser:
        form = {"email": '"><script>alert(1)</script>', "password": "x"}
        answer = browser.post("/auth/password", data=form, headers={"Origin": "http://hub.test"})
    assert "<script" not in answer.text
    assert "script-src" not in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_wrong_unknown_shut_out_and_without_password_read_the_same_and_cost_one_verification(house: House) -> None:
    counting = Counting()
    hashing = counted(counting)
    hashing.is_right(None, "once, to make the hash of nobody")
    house.person("Ada", password=PASSWORD)
    house.person("Bob")
    gone = house.person("Eve", password=PASSWORD)
    house.change(gone, disabled_at=house.clock())
    house.person("Robot", kind="SERVICE", email="robot@example.org", password=PASSWORD)
    before = rows_everywhere(house.hub)
    said = []
    for name in ("ada", "bob", "eve", "robot", "nobody"):
        done = counting.verified
        with pytest.raises(NotSignedIn) as refused:
            passwords.sign_in(
                house.hub, f"{name}@example.org", "a wrong password" if name == "ada" else PASSWORD, None, hashing
            )
        said.append(refused.value.message)
        assert counting.verified == done + 1
    assert len(set(said)) == 1
    assert rows_everywhere(house.hub) == before


def test_a_hash_of_nobody_costs_as_much_as_anybodys(house: House) -> None:
    kept = credential(house, house.person("Ada", password=PASSWORD)).hash
    HASHING.is_right(None, "x" * 12)
    assert HASHING._nobody is not None
    assert HASHING._nobody.split("$")[:4] == kept.split("$")[:4]
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert PASSWORD not in kept


def test_never_more_than_two_are_computed_at_once(house: House) -> None:
    counting = Counting()
    hashing = counted(counting)
    house.person("Ada", password=PASSWORD)

    def attempt(number: int) -> bool:
        try:
            passwords.sign_in(house.hub, f"ada{number % 2}@example.org", PASSWORD, None, hashing)
        except NotSignedIn:
            return False
        return True

    with ThreadPoolExecutor(12) as pool:
        assert not any(pool.map(attempt, range(40)))
    assert counting.verified == 40
    assert counting.most_at_once == AT_ONCE == 2


def test_the_server_computes_passwords_on_two_threads_of_their_own(house: House) -> None:
    assert house.app.state.desk.hashing.total_tokens == AT_ONCE


def test_a_hash_with_other_parameters_is_renewed_when_its_password_is_given(house: House) -> None:
    ada = house.person("Ada")
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1)
    with house.hub.writing(HUB) as work:
        work.session.add(CredentialRow(principal_id=ada, hash=old.hash(PASSWORD), changed_at=work.now))
    changed = credential(house, ada).changed_at
    with house.browser() as browser:
        assert sign_in(browser, "wrong wrong wrong").status_code == 401
        assert "m=8192" in credential(house, ada).hash
        assert sign_in(browser).status_code == 204
        renewed = credential(house, ada)
        assert "m=65536" in renewed.hash
        assert renewed.changed_at == changed
        assert sign_in(browser).status_code == 204
    assert credential(house, ada).hash == renewed.hash


@pytest.mark.parametrize(
    ("password", "constraint"),
    [
        ("x" * 11, "length"),
        ("é" * 11, "length"),
        ("e\u0301" * 11, "length"),  # eleven letters, however they are spelt
        ("aaaaaaaaaaaa", "variety"),
        ("abc" * 10, "variety"),
        ("x" * 201, "length"),
        ("with a\x00 character", "format"),
        ("with a\ud800 surrogate", "format"),
    ],
)
def test_a_password_that_is_none_is_refused_in_a_sentence(password: str, constraint: str) -> None:
    with pytest.raises(Invalid) as refused:
        passwords.checked(password)
    assert refused.value.constraint == constraint


def test_a_password_may_be_any_twelve_to_two_hundred_letters_on_any_keyboard() -> None:
    assert passwords.checked("çà et là, où?") == passwords.checked("c\u0327a\u0300 et la\u0300, ou\u0300?")
    for password in ("kein Rätsel!", "パスワードは長くないといけない", "0123456789ab" * 16):
        assert passwords.checked(password) == password


NO_SIGN_INS = [
    (b"", "application/json", 400),
    (b"[]", "application/json", 400),
    (b'{"email": "a", "password": 7}', "application/json", 400),
    (b'{"email": "a"}', "application/json", 400),
    (b'{"email": "a", "password": "' + b"x" * 20_000 + b'"}', "application/json", 413),
    (b'{"email": "a", "password": "' + b"x" * 201 + b'"}', "application/json", 400),
    (b'{"email": "a", "password": "\xff"}', "application/json", 400),
    (b"email=a&password=b", "text/plain", 415),
    (b"email=a&email=b&password=c", "application/x-www-form-urlencoded", 400),
    (b"&".join([b"a=b"] * 30), "application/x-www-form-urlencoded", 400),
]


def test_what_is_no_sign_in_is_refused_as_such(house: House) -> None:
    for content, media_type, status in NO_SIGN_INS:
        with house.browser() as browser:
            answer = browser.post("/auth/password", content=content, headers={"Content-Type": media_type})
        assert answer.status_code == status, content[:50]
        assert answer.headers["content-type"] == "application/problem+json"


def test_attempts_at_one_account_from_one_address_are_few_and_say_when_to_come_back(house: House) -> None:
    house.person("Ada", password=PASSWORD)
    house.person("Bob", password=PASSWORD)
    most = turnstile.PER_ACCOUNT[0].amount
    with house.browser() as browser, house.browser(ELSEWHERE) as other:
        answers = [sign_in(browser, "a wrong password") for _ in range(most + 1)]
        assert [answer.status_code for answer in answers] == [401] * most + [429]
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        assert sign_in(browser).status_code == 429  # not even the right one, until the time is over
        assert sign_in(browser, email="ADA@example.org ").status_code == 429
        assert sign_in(browser, email="bob@example.org").status_code == 204
        assert sign_in(other).status_code == 204  # Ada herself, elsewhere, is not locked out


def test_the_right_password_forgives_the_attempts_before_it(house: House) -> None:
    house.person("Ada", password=PASSWORD)
    most = turnstile.PER_ACCOUNT[0].amount
    with house.browser() as browser:
        for _ in range(2):
            assert [sign_in(browser, "wrong").status_code for _ in range(most - 1)] == [401] * (most - 1)
            assert sign_in(browser).status_code == 204


def test_one_address_does_not_try_many_accounts(house: House) -> None:
    most = turnstile.PER_ADDRESS[0].amount
    with house.browser() as browser, house.browser(ELSEWHERE) as other:
        codes = [sign_in(browser, email=f"{number}@example.org").status_code for number in range(most + 1)]
        assert codes == [401] * most + [429]
        assert sign_in(other).status_code == 401


def test_an_attempt_too_many_is_refused_before_anything_is_computed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = turnstile.PER_ACCOUNT[0].amount
    counting = Counting()
    monkeypatch.setattr(HASHING, "_hasher", counting)
    with house.browser() as browser:
        for _ in range(most + 5):
            sign_in(browser, "wrong")
    assert counting.verified == most


def test_passwords_can_be_switched_off(build: BuildHouse) -> None:
    house = build(password_login="off")
    house.person("Ada", password=PASSWORD)
    with house.browser() as browser:
        assert sign_in(browser).status_code == 403
        assert browser.get("/auth/login").status_code == 403
    assert house.sessions() == []


def test_signing_in_is_written_in_the_history_and_failing_is_not(house: House) -> None:
    ada = house.person("Ada", password=PASSWORD)
    with house.browser() as browser:
        sign_in(browser, "wrong")
        sign_in(browser)
    begun = [row for row in rows_everywhere(house.hub)["event"] if "session.begun" in row]
    assert len(begun) == 1
    assert ada in begun[0]
