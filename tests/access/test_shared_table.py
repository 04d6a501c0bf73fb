"""The table of who is answered what about a thing that is shared, granted or denied holds for every field about one."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import graphql
import httpx
import pytest

from domain import identity
from domain.global_ids import decode
from domain.hub import Hub
from domain.refusals import NotSignedIn
from domain.work import HUB, Viewer
from schema import built
from server.app import make_app
from storage.tables import LightboxAssetRow
from tests.access.shared_table import ACTORS, MUTATIONS, OTHERS, QUERIES
from tests.access.situations import ELSEWHERE, HERE, Situations, inputs
from tests.access.test_table import WORDS, asked
from tests.acting import member
from tests.asking import Client
from tests.assets.acts import accepted, unchanged
from tests.signing_in.house import InProcess
from tests.working import index_all

SCHEMA = graphql.build_schema(built.sdl())
ABOUT = (
    *("asset", "version", "rendition", "focal", "lightbox", "share", "inbox", "job", "guestLinkCreate", "legal"),
    *("component", "embargo", "takedown", "exclusivity"),
)


@pytest.fixture
def at(hub: Hub, admin: Viewer) -> Situations:
    return Situations(hub, admin)


def test_the_table_speaks_of_every_field_about_assets_and_lightboxes() -> None:
    assert SCHEMA.mutation_type is not None
    assert SCHEMA.query_type is not None
    about = {name for name in SCHEMA.mutation_type.fields if name.startswith(ABOUT) and "Preset" not in name}
    assert about == set(MUTATIONS)
    told = {re.split(r"[ ({]", query)[0] for query, _, _ in QUERIES}
    assert told | OTHERS == set(SCHEMA.query_type.fields)
    rows = [*MUTATIONS.values(), *(words for _, _, words in QUERIES)]
    assert all(len(words.split()) == len(ACTORS) for words in rows)
    assert {word for words in rows for word in words.split()} == {"ok", "no", "--"}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_of_what_is_shared_is_answered_as_the_table_says_and_a_refused_one_changes_nothing(
    at: Situations, name: str
) -> None:
    expected = dict(zip(ACTORS, MUTATIONS[name].split(), strict=True))
    told = {}
    for actor in ACTORS:
        given = inputs(at, name, actor)
        client = at.client(actor)
        if expected[actor] == "ok":
            told[actor] = asked(client, name, given)
        else:
            with unchanged(at.hub):
                told[actor] = asked(client, name, given)
    assert told == expected


def test_what_is_shared_is_shown_as_the_table_says(at: Situations) -> None:
    things = at.things()
    index_all(at.hub)
    clients = {actor: at.client(actor) for actor in ACTORS}
    for query, wanted, words in QUERIES:
        document = re.sub(r"\$(\w+)", lambda found: json.dumps(things[found[1]]), f"{{ {query} }}")
        told = {actor: found(client, document, things.get(wanted, wanted)) for actor, client in clients.items()}
        assert told == dict(zip(ACTORS, words.split(), strict=True)), (query, wanted)


def test_counts_tell_of_nothing_that_is_not_shown(at: Situations) -> None:
    """So the agency counts one version, whoever was denied the asset none, and nobody more than they are listed."""
    at.things()
    index_all(at.hub)
    query = """{ assets { totalCount nodes { versions { totalCount nodes { id } } } } tags { totalCount nodes { id } }
      lightboxes { totalCount nodes { assets { totalCount nodes { id } } } } }"""
    for actor in ACTORS:
        answer = at.client(actor).ask(query)
        boxes, assets = answer["lightboxes"]["nodes"], answer["assets"]["nodes"]
        lists = [answer["assets"], answer["tags"], answer["lightboxes"]]
        for each in [*lists, *(box["assets"] for box in boxes), *(asset["versions"] for asset in assets)]:
            assert each["totalCount"] == len(each["nodes"]), actor


def test_whoever_is_denied_an_asset_does_not_take_it_out_of_a_lightbox(at: Situations) -> None:
    thing = at.thing()
    told = {"lightbox": thing.box["id"], "expectedRevision": thing.box["revision"], "assets": [thing.asset["id"]]}
    accepted(at.client("denied").mutate("lightboxAssetsRemove", "lightbox { id }", **told))
    with at.hub.reading(HUB) as work:
        place = (decode(thing.box["id"])[1], decode(thing.asset["id"])[1])
        assert work.session.get(LightboxAssetRow, place) is not None


def test_a_token_for_other_networks_is_told_to_sign_in_whatever_is_asked(hub: Hub) -> None:
    hub = replace(hub, settings=hub.settings.model_copy(update={"stranger_rate": 0}))
    designer = member(hub, "designer")
    with hub.writing(designer) as work:
        secret = identity.create_token(work, "elsewhere", networks=[ELSEWHERE]).secret
    with pytest.raises(NotSignedIn):
        identity.viewer_of_token(hub, secret, HERE)
    near = Caller(hub, secret, HERE)
    assert SCHEMA.mutation_type is not None
    assert SCHEMA.query_type is not None
    with unchanged(hub):
        for kind, fields in (("query", SCHEMA.query_type.fields), ("mutation", SCHEMA.mutation_type.fields)):
            for name in fields:
                assert near.status(f"{kind} {{ {name} }}") == (401, "UNAUTHENTICATED"), name
    assert Caller(hub, secret, "198.51.100.9").status("{ me { name } }") == (200, None)


class Caller:
    """Somebody who shows a token from an address."""

    def __init__(self, hub: Hub, secret: str, address: str) -> None:
        self._transport = InProcess(make_app(hub), address)
        self._headers = {"Authorization": f"Bearer {secret}"}

    def status(self, query: str) -> tuple[int, str | None]:
        with httpx.Client(base_url="http://hub.test", transport=self._transport, headers=self._headers) as client:
            answer = client.post("/graphql", json={"query": query})
        body = answer.json()
        return answer.status_code, body.get("code") or next(
            (error["extensions"]["code"] for error in body.get("errors", ())), None
        )


def found(client: Client, document: str, wanted: str) -> str:
    answer = client.answer(document)
    if errors := answer.get("errors"):
        code: str = min(error["extensions"]["code"] for error in errors)
        return WORDS.get(code, code)
    if wanted in json.dumps(answer["data"], ensure_ascii=False):
        return "ok"
    return "no" if "denied" in answer.get("extensions", {}) else "--"
