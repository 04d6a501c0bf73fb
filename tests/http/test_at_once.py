"""What was answered before is answered without a thread where the epoch is at hand, and never once it is not right."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from domain.global_ids import encode
from domain.hub import Hub, open_hub
from domain.identity.tokens import digest_of
from domain.work import HUB
from schema.cost import REQUEST
from server import graphql
from storage.tables import AssetRow, GrantRow, PrincipalRow, TokenRow
from tests.acting import member
from tests.asking import Client
from tests.assets import acts
from tests.http.conftest import Ask
from tests.server.caller import Caller

QUERY = "{ assets(first: 5) { totalCount nodes { id title } } }"
SECRET = "imp_somebody-else"  # of these tests


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A mark for every answer that a thread was asked for."""
    seen: list[str] = []
    run: Callable[..., Any] = graphql._run

    def counted(*words: Any, **more: Any) -> Any:
        seen.append("asked")
        return run(*words, **more)

    monkeypatch.setattr(graphql, "_run", counted)
    return seen


@pytest.fixture
def brand(hub: Hub, client: Client) -> Hub:
    for number, title in enumerate(("one", "two")):
        acts.created(client, acts.picture(number), title=title)
    return hub


def answer(ask: Caller, query: str = QUERY) -> Any:
    told = ask("POST", "/graphql", json={"query": query})
    assert told.status_code == 200, told.text
    return told.json()


def titles(told: Any) -> list[str]:
    return sorted(node["title"] for node in told["data"]["assets"]["nodes"])


def rename(hub: Hub, old: str, new: str) -> None:
    with hub.writing(HUB) as work:
        work.session.execute(sa.update(AssetRow).where(AssetRow.title == old).values(title=new))


def known_as(hub: Hub, principal_id: int | None) -> None:
    with hub.writing(HUB) as work:
        told = {"digest": digest_of(SECRET), "prefix": SECRET[:8], "purpose": "API", "created_at": work.now}
        work.session.add(TokenRow(principal_id=principal_id, name="a test's", **told))


def test_the_same_question_needs_a_thread_only_where_the_epoch_is_not_at_hand(
    brand: Hub, ask: Caller, threads: list[str]
) -> None:
    first = answer(ask)
    answer(ask)  # when the token was last used has been written down by now
    asked = len(threads)
    again = answer(ask)
    assert again == first
    assert len(threads) - asked == (0 if brand.database.epochs.are_at_hand else 1)


def test_what_another_process_changes_is_in_the_next_answer(brand: Hub, ask: Caller) -> None:
    other = open_hub(brand.settings)
    try:
        for _ in range(3):
            assert titles(answer(ask)) == ["one", "two"]
        rename(other, "two", "three")
        assert titles(answer(ask)) == ["one", "three"]
    finally:
        other.close()


def test_a_token_that_was_revoked_opens_no_answer_that_is_remembered(brand: Hub, ask: Caller) -> None:
    known_as(brand, member(brand, "librarian").principal_id)
    theirs = ask.as_(SECRET)
    for _ in range(3):
        answer(theirs)
    with brand.writing(HUB) as work:
        mine = sa.update(TokenRow).where(TokenRow.digest == digest_of(SECRET))
        work.session.execute(mine.values(revoked_at=work.now))
    assert theirs("POST", "/graphql", json={"query": QUERY}).status_code == 401


def test_each_is_told_what_they_may_see_and_what_was_taken_from_them_at_once(brand: Hub, ask: Caller) -> None:
    viewer = member(brand, "librarian")
    known_as(brand, viewer.principal_id)
    for _ in range(3):
        assert titles(answer(ask)) == ["one", "two"]
        assert titles(answer(ask.as_(SECRET))) == ["one", "two"]
    with brand.writing(HUB) as work:
        work.session.execute(sa.delete(GrantRow).where(GrantRow.principal_id == viewer.principal_id))
    assert titles(answer(ask.as_(SECRET))) == []
    assert titles(answer(ask)) == ["one", "two"]


def test_a_person_who_was_shut_out_is(brand: Hub, ask: Caller) -> None:
    viewer = member(brand, "librarian")
    known_as(brand, viewer.principal_id)
    for _ in range(3):
        answer(ask.as_(SECRET))
    with brand.writing(HUB) as work:
        work.session.get_one(PrincipalRow, viewer.principal_id).disabled_at = work.now
    assert ask.as_(SECRET)("POST", "/graphql", json={"query": QUERY}).status_code == 401


def test_it_is_paid_for_like_any_other(brand: Hub, set_so: Ask) -> None:
    price = answer(set_so())["extensions"]["cost"]["requested"]
    poor = set_so(token_budget=price * 4 + REQUEST)
    codes = [poor("POST", "/graphql", json={"query": QUERY}).status_code for _ in range(6)]
    assert codes == [200] * 4 + [429] * 2


def test_a_token_that_ends_by_itself_ends_there_too(brand: Hub, ask: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    known_as(brand, member(brand, "librarian").principal_id)
    with brand.writing(HUB) as work:
        mine = sa.update(TokenRow).where(TokenRow.digest == digest_of(SECRET))
        work.session.execute(mine.values(expires_at=work.now + timedelta(hours=1)))
    theirs = ask.as_(SECRET)
    for _ in range(3):
        answer(theirs)
    clock = brand.clock
    object.__setattr__(brand, "clock", lambda: clock() + timedelta(hours=1, seconds=1))
    try:
        assert theirs("POST", "/graphql", json={"query": QUERY}).status_code == 401
    finally:
        object.__setattr__(brand, "clock", clock)


def test_a_mutation_is_never_answered_from_memory(brand: Hub, ask: Caller, threads: list[str]) -> None:
    query = 'mutation { tagCreate(input: {name: "x"}) { errors { code } } }'
    found = [answer(ask, query)["data"]["tagCreate"]["errors"] for _ in range(3)]
    assert len(threads) == 3
    assert found[0] == []
    assert found[1:] != [[], []]


def test_an_id_of_nothing_stays_nothing(brand: Hub, ask: Caller) -> None:
    query = f'{{ asset(id: "{encode("Asset", 99_999)}") {{ id }} }}'
    assert [answer(ask, query)["data"]["asset"] for _ in range(3)] == [None] * 3
