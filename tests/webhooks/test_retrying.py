"""What comes of a receiver that does not answer well: later attempts, rests, and an end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from domain import webhooks
from domain.webhooks import deliveries as domain_deliveries
from domain.work import HUB
from storage.tables import EventRow, JobRow, WebhookAttemptRow, WebhookDeliveryRow, WebhookRow
from tests.webhooks.house import House
from tests.webhooks.receiver import answering, receiver


def one(house: House, **fields: Any) -> dict[str, Any]:
    return house.made(events=["ASSET_CREATED"], **fields)


def waits(house: House) -> list[float]:
    """Seconds between attempts as they were planned: each is brought about by putting the clock on."""
    planned = []
    while (delivery := house.deliveries()[0]).state == "PENDING":
        assert delivery.next_attempt_at is not None
        planned.append((delivery.next_attempt_at - house.hub.clock()).total_seconds())
        house.later(seconds=max(planned[-1], 0) + 2)
        with house.hub.writing(HUB) as work:
            work.session.execute(sa.update(WebhookRow).values(rests_until=None))
        house.send()
    return planned


def test_a_failed_delivery_is_tried_again_under_the_same_id_until_it_succeeds(house: House) -> None:
    one(house)
    house.there.then(answering(503), answering(500))
    house.asset()
    house.tell()
    assert [round(each / 10) for each in waits(house)] in ([1, 2], [1, 3], [1, 4])
    assert len({each.headers["webhook-id"] for each in house.there.got}) == 1
    assert len({each.body for each in house.there.got}) == 1
    stamps = [int(each.headers["webhook-timestamp"]) for each in house.there.got]
    assert stamps == sorted(set(stamps))
    (delivery,) = house.deliveries()
    assert (delivery.state, delivery.attempts, delivery.failure_code) == ("DELIVERED", 3, None)
    assert [each.status for each in house.attempts()] == [503, 500, 204]


def test_it_is_given_up_after_three_days_and_some_twenty_attempts(house: House) -> None:
    one(house)
    house.there.always = answering(500)
    house.asset()
    house.tell()
    planned = waits(house)
    assert 14 <= len(planned) <= 20
    assert timedelta(days=2.4) < timedelta(seconds=sum(planned)) < timedelta(days=3)
    for number, seconds in enumerate(planned):
        usual = min(10 * 3**number, 8 * 3600)
        assert 0.74 * usual <= seconds <= 1.26 * usual
    (delivery,) = house.deliveries()
    assert (delivery.state, delivery.failure_code, delivery.next_attempt_at) == ("FAILED", "REFUSED", None)


def test_a_receiver_that_asks_for_patience_gets_it_and_not_more_than_hours(house: House) -> None:
    one(house)
    house.there.then(answering(429, Retry_After="3600"), answering(503, Retry_After="99999999"))
    house.asset()
    house.tell()
    first, second = waits(house)
    assert 3_590 <= first <= 3_601
    assert 8 * 3_600 - 10 <= second <= 8 * 3_600 + 1


def test_the_others_go_on_while_one_waits(house: House) -> None:
    one(house)
    house.there.then(answering(500))
    house.asset(1, title="first")
    house.asset(2, title="second")
    house.tell()
    assert [each["data"]["node"]["title"] for each in house.bodies] == ["first", "second"]
    assert [each.state for each in house.deliveries()] == ["PENDING", "DELIVERED"]


def test_after_three_failures_in_a_row_the_webhook_rests_and_then_goes_on(house: House) -> None:
    hook = one(house)
    house.there.always = answering(500)
    for number in range(6):
        house.asset(number)
    house.tell()
    assert len(house.there.got) == 3
    row = house.row(hook)
    assert row.rests_until is not None
    assert 40 <= (row.rests_until - house.hub.clock()).total_seconds() <= 76
    assert row.revision == hook["revision"]
    house.there.always = None
    house.later(hours=1)
    house.send()
    assert [each.state for each in house.deliveries()] == ["DELIVERED"] * 6
    assert (house.row(hook).failures, house.row(hook).rests_until) == (0, None)


def test_what_waits_for_its_time_is_woken_by_a_job_of_that_time(house: House) -> None:
    one(house)
    house.there.then(answering(500))
    house.asset()
    house.tell()
    (delivery,) = house.deliveries()
    with house.hub.reading(HUB) as work:
        (job,) = work.session.scalars(sa.select(JobRow).where(JobRow.state == "READY"))
    assert (job.kind, job.queue) == ("wake_webhook", "outside")
    assert delivery.next_attempt_at is not None
    assert timedelta() <= job.run_at - delivery.next_attempt_at <= timedelta(seconds=1)


def test_410_switches_the_webhook_off(house: House) -> None:
    hook = one(house)
    house.there.then(answering(410))
    house.asset(1)
    house.asset(2)
    house.tell()
    row = house.row(hook)
    assert (row.disabled_code, len(house.there.got)) == ("GONE", 1)
    assert {(each.state, each.failure_code) for each in house.deliveries()} == {("FAILED", "GONE")}
    assert house.changed(hook, active=True)["disabled"] is None
    house.asset(3)
    house.tell()
    assert len(house.there.got) == 2


def failing(house: House, hook: dict[str, Any], failures: int, since: timedelta) -> None:
    with house.hub.writing(HUB) as work:
        told = {"failures": failures, "failing_since": work.now - since}
        work.session.execute(sa.update(WebhookRow).values(**told))
    assert house.row(hook).failures == failures


def test_a_hundred_failures_in_a_row_over_a_day_switch_it_off_with_an_event_and_a_reason(house: House) -> None:
    hook = one(house)
    failing(house, hook, 99, timedelta(days=1, hours=1))
    house.there.then(answering(500))
    house.asset()
    house.tell()
    row = house.row(hook)
    assert row.disabled_code == "FAILING"
    assert (row.disabled_message or "").startswith("The last 100 attempts failed, since ")
    with house.hub.reading(HUB) as work:
        told = list(work.session.scalars(sa.select(EventRow.payload).where(EventRow.type == "webhook.disabled")))
    assert told == [{"code": "FAILING"}]


@pytest.mark.parametrize(("failures", "since"), [(98, timedelta(days=5)), (400, timedelta(hours=23))])
def test_fewer_failures_or_a_shorter_time_do_not(house: House, failures: int, since: timedelta) -> None:
    hook = one(house)
    failing(house, hook, failures, since)
    house.there.then(answering(500))
    house.asset()
    house.tell()
    assert (house.row(hook).disabled_at, house.row(hook).failures) == (None, failures + 1)


def test_a_receiver_that_is_not_there_fails_with_a_word_and_a_sentence(house: House) -> None:
    with receiver() as gone:
        one(house, url=gone.url)
    house.asset()
    house.tell()
    (attempt,) = house.attempts()
    assert (attempt.status, attempt.failure_code, attempt.failure_message) == (
        None,
        "UNREACHABLE",
        "Nothing answers there.",
    )


def test_an_address_that_is_not_allowed_any_more_is_refused_at_each_sending(house: House) -> None:
    one(house)
    house.asset()
    house.follow()
    strict = house.hub.settings.model_copy(update={"outside_networks": ""})
    object.__setattr__(house.hub, "settings", strict)
    house.send()
    assert [each.failure_code for each in house.attempts()] == ["FORBIDDEN"]
    assert house.there.got == []


def test_a_redirect_into_the_house_is_refused_at_sending(house: House) -> None:
    one(house)
    house.there.then(answering(307, Location="http://169.254.169.254/latest/meta-data/"))
    house.asset()
    house.tell()
    assert [(each.status, each.failure_code) for each in house.attempts()] == [(None, "FORBIDDEN")]


def test_a_hub_with_another_secret_key_cannot_sign_and_says_so(house: House) -> None:
    hook = one(house)
    house.asset()
    house.follow()
    object.__setattr__(house.hub, "secret", b"another")
    house.send()
    assert (house.row(hook).disabled_code, house.there.got) == ("SECRET_LOST", [])


def test_a_job_that_dies_again_and_again_is_followed_by_another(house: House) -> None:
    hook = one(house)
    house.asset()
    house.follow()
    house.there.always = answering(204)
    with house.hub.database.writing() as session:
        long_ago = datetime.now(UTC) - timedelta(hours=1)
        dying = {"state": "RUNNING", "worker": "gone", "attempt": 20, "lease_until": long_ago}
        session.execute(sa.update(JobRow).where(JobRow.kind == "send_webhooks").values(**dying))
    from tests.working import runner_of

    runner_of(house.hub)._make_rounds()
    with house.hub.reading(HUB) as work:
        states = {
            row.kind: row.state for row in work.session.scalars(sa.select(JobRow).where(JobRow.queue == "outside"))
        }
    assert states == {"send_webhooks": "DEAD", "wake_webhook": "READY"}
    house.later(minutes=11)
    house.send()
    assert [each.state for each in house.deliveries()] == ["DELIVERED"]
    assert house.row(hook).failures == 0


def test_old_deliveries_are_forgotten_and_young_ones_and_those_under_way_are_not(house: House) -> None:
    one(house)
    house.there.then(answering(204), answering(500))
    house.asset(1)
    house.asset(2)
    house.tell()
    with house.hub.writing(HUB) as work:
        assert webhooks.purge(work) == 0
    house.ahead += domain_deliveries.KEPT + timedelta(minutes=1)
    with house.hub.writing(HUB) as work:
        assert webhooks.purge(work) == 1
    assert [each.state for each in house.deliveries()] == ["PENDING"]
    assert [each.status for each in house.attempts()] == [500]


def test_two_who_send_the_same_write_down_one_attempt(house: House) -> None:
    from domain import egress
    from domain.webhooks import sending

    hook = one(house)
    house.asset()
    house.follow()
    number = house.row(hook).id
    way = egress.of_settings(house.hub.settings)
    letter = sending._next(house.hub, number)
    assert letter is not None
    for _ in range(2):
        outcome = sending._sent(house.hub, way, letter)
        with house.hub.writing(HUB) as work:
            sending._write_down(work, number, letter, outcome, rests=False)
    assert len(house.there.got) == 2
    with house.hub.reading(HUB) as work:
        assert work.session.scalar(sa.select(sa.func.count(WebhookAttemptRow.id))) == 1
        assert work.session.scalar(sa.select(WebhookDeliveryRow.attempts)) == 1
