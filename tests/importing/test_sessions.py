"""Upload sessions: one set of terms for many files, an outcome for each, and nobody else's business."""

from __future__ import annotations

from typing import Any

from domain.hub import Hub
from tests import acting
from tests.asking import Client, statements
from tests.assets.acts import accepted, created, events, picture, queries, refusal, unchanged
from tests.assets.together import together

WHOLE = """session { id state finishedAt counts { waiting created duplicates refused }
  items { nodes { number name outcome reason asset { id title description tags { name } } } totalCount } }"""
TERMS = {"name": "A shoot", "description": "On the beach.", "tags": ["summer", "sea"]}


def opened(client: Client, **terms: Any) -> str:
    answer = client.mutate("uploadSessionOpen", "session { id }", terms={**TERMS, **terms})
    found: str = accepted(answer)["session"]["id"]
    return found


def add(client: Client, session: str, *uploads: str, **titles: str) -> dict[str, Any]:
    told = [{"upload": each, "title": titles.get(each)} for each in uploads]
    return client.mutate("uploadSessionAdd", WHOLE, session=session, uploads=told)


def test_every_file_of_a_session_has_the_same_terms_and_an_outcome_of_its_own(hub: Hub, client: Client) -> None:
    known = created(client, picture(1))
    session = opened(client)
    fresh, same = client.upload(picture(2), "beach.png"), client.upload(picture(1), "again.png")
    wrong = client.upload(b"%PDF-1.7 no picture at all", "photo.jpg")
    found = accepted(add(client, session, fresh, same, wrong, **{fresh: "The beach"}))["session"]
    assert found["counts"] == {"waiting": 0, "created": 1, "duplicates": 1, "refused": 1}
    one, two, three = found["items"]["nodes"]
    assert (one["name"], one["outcome"], one["asset"]["title"]) == ("beach.png", "CREATED", "The beach")
    assert (one["asset"]["description"], sorted(tag["name"] for tag in one["asset"]["tags"])) == (
        "On the beach.",
        ["sea", "summer"],
    )
    assert (two["outcome"], two["asset"]["id"]) == ("DUPLICATE", known["id"])
    assert (three["outcome"], three["reason"], three["asset"]) == ("REFUSED", "NOT_WHAT_IT_CLAIMS", None)
    done = accepted(client.mutate("uploadSessionClose", WHOLE, session=session))["session"]
    assert (done["state"], done["items"]["totalCount"]) == ("DONE", 3)
    with unchanged(hub):
        assert refusal(add(client, session, fresh))["code"] == "CONFLICT"
    (told,) = events(hub, "upload_session.finished")
    assert told == {"state": "DONE", "created": 1, "duplicate": 1, "refused": 1}


def test_an_upload_that_is_not_finished_refuses_all_of_them_and_changes_nothing(hub: Hub, client: Client) -> None:
    session, upload = opened(client), client.upload(picture(1))
    with unchanged(hub):
        assert refusal(add(client, session, upload, "a-made-up-id"))["code"] == "NOT_FOUND"


def test_a_duplicate_that_somebody_may_not_see_is_not_named(hub: Hub, client: Client) -> None:
    created(client, picture(1))
    stranger = Client(hub, acting.member(hub, "designer", org_id=acting.organisation(hub, "North")))
    found = accepted(add(stranger, opened(stranger), stranger.upload(picture(1))))["session"]
    assert [(each["outcome"], each["asset"]) for each in found["items"]["nodes"]] == [("DUPLICATE", None)]


def test_an_upload_is_brought_once_however_often_it_is_added(hub: Hub, client: Client) -> None:
    session, upload = opened(client), client.upload(picture(1))
    answers = together([lambda: add(client, session, upload)] * 4)
    assert all(answer["errors"] == [] for answer in answers)
    assert answers[-1]["session"]["items"]["totalCount"] == 1
    assert len(events(hub, "asset.created")) == 1


def test_sessions_of_many_at_once_bring_the_same_bytes_once(hub: Hub, client: Client) -> None:
    calls = []
    for _ in range(4):
        session, upload = opened(client), client.upload(picture(1))
        calls.append(lambda session=session, upload=upload: add(client, session, upload))
    found = [answer["session"]["items"]["nodes"][0]["outcome"] for answer in together(calls)]
    assert sorted(found) == ["CREATED", "DUPLICATE", "DUPLICATE", "DUPLICATE"]


def test_a_session_is_its_owners_alone(hub: Hub, client: Client) -> None:
    session = opened(client)
    other = Client(hub, acting.member(hub, "admin", name="Another administrator"))
    assert other.ask("query ($id: ID!) { node(id: $id) { id } uploadSessions { totalCount } }", id=session) == {
        "node": None,
        "uploadSessions": {"totalCount": 0},
    }
    with unchanged(hub):
        refused = refusal(other.mutate("uploadSessionClose", "session { id }", session=session))
    assert refused["code"] == "NOT_FOUND"


def test_who_may_bring_nothing_opens_none(hub: Hub) -> None:
    viewer = Client(hub, acting.member(hub, "viewer"))
    with unchanged(hub):
        error = refusal(viewer.mutate("uploadSessionOpen", "session { id }", terms={"name": "A shoot"}))
    assert error["code"] == "NOT_ALLOWED"


def test_a_list_of_sessions_costs_as_much_as_one(hub: Hub, client: Client) -> None:
    for place in range(3):
        accepted(add(client, opened(client), client.upload(picture(place))))
    costs = []
    for first in (1, 3):
        with statements(hub) as sent:
            client.ask(
                "query ($first: Int) { uploadSessions(first: $first) { nodes { counts { created } "
                "items { totalCount nodes { asset { id } } } } } }",
                first=first,
            )
        costs.append(len(queries(sent)))
    assert costs[0] == costs[1]
