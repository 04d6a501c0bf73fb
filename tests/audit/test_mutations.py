"""Every mutation there is leaves its event, and no event holds personal data or what somebody typed.

That each has a sample is `tests/schema/test_mutations.py`'s to say.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import rfc8785
import sqlalchemy as sa

from domain import audit
from domain.hub import Hub
from domain.work import Viewer
from schema import execution
from schema.execution import Asked
from storage import chain
from storage.tables import EventRow, PrincipalRow, TokenRow
from tests import acting
from tests.asking import Client
from tests.audit.chains import link
from tests.schema.samples import SAMPLES, Brand

#: What a payload's texts may look like: ids, digests, numbers, words of ours such as `READY` or `asset.view`.
OURS = re.compile(r"[A-Za-z0-9_.:/-]{1,64}")
E_MAIL = re.compile(r"[^\s@]+@[^\s@]+")
ADDRESS = re.compile(r"\b\d{1,3}(\.\d{1,3}){3}\b|[0-9a-f]*:[0-9a-f]*:[0-9a-f:]*")
#: Words of the samples' inputs that are typed by somebody and long enough not to occur by chance.
TYPED = 6


@pytest.fixture
def brand(hub: Hub) -> Brand:
    """In use by somebody whose name and address would be seen anywhere."""
    somebody = acting.member(hub, "admin", name="Zebulon Quuxworth")
    with hub.database.writing() as session:
        row = session.get_one(PrincipalRow, somebody.principal_id)
        row.email = "zebulon@quuxworth.example"
        token = TokenRow(
            principal_id=row.id, name="Zebulon's", digest="d" * 64, prefix="imp_zebu", created_at=hub.clock()
        )
        session.add(token)
        session.flush()
        token_id = token.id
    seen = Viewer(
        somebody.principal_id,
        somebody.org_id,
        somebody.name,
        is_administrator=True,
        holdings=somebody.holdings,
        token_id=token_id,
        origin="0" * 32,
    )
    return Brand(hub, Client(hub, seen))


def mutate(brand: Brand, name: str, fields: dict[str, Any]) -> None:
    """As a request of its own that is named after the mutation."""
    query = (
        f"mutation ($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) {{ errors {{ message }} }} }}"
    )
    asked = Asked(query, variables={"input": fields})
    answer = json.loads(execution.answer(brand.hub, brand.client.viewer, asked, f"request-{name}").body)
    assert "errors" not in answer, (name, answer)
    assert answer["data"][name]["errors"] == [], name


def recorded(hub: Hub, name: str) -> list[EventRow]:
    with hub.database.reading() as session:
        return list(session.scalars(sa.select(EventRow).where(EventRow.request_id == f"request-{name}")))


def test_every_mutation_leaves_an_event_with_who_from_where_and_by_which_request(brand: Brand) -> None:
    viewer = brand.client.viewer
    silent = []
    for name, sample in SAMPLES.items():
        mutate(brand, name, sample(brand))
        rows = recorded(brand.hub, name)
        if not rows:
            silent.append(name)
        for row in rows:
            told = (row.actor_id, row.token_id, row.origin)
            assert told == (viewer.principal_id, viewer.token_id, viewer.origin), (name, row.type)
    assert silent == []
    link(brand.hub)
    assert list(audit.check(brand.hub, lambda _: None)) == []


def test_no_event_holds_personal_data_or_what_somebody_typed(brand: Brand) -> None:
    typed: set[str] = set()
    for name, sample in SAMPLES.items():
        fields = sample(brand)
        mutate(brand, name, fields)
        typed |= {each for each in _texts(fields) if " " in each and len(each) >= TYPED}
    assert typed
    link(brand.hub)
    with brand.hub.database.reading() as session:
        rows = chain.rows(session, EventRow.id > 0, order=EventRow.id, limit=100_000)
        payloads = [(row.type, json.loads(row.payload)) for row in rows]
        chained = [chain.spelt(row).decode() for row in rows]
    assert [(type_, text) for type_, told in payloads for text in _texts(told) if not OURS.fullmatch(text)] == []
    for body in chained:
        without_time = re.sub(r'"occurredAt":"[^"]*"', "", body)
        for personal in ("zebulon", "quuxworth", "administrator", "somebody"):
            assert personal not in body.lower(), body
        assert not E_MAIL.search(body), body
        assert not ADDRESS.search(without_time), body
        assert [text for text in typed if text in body] == []
        assert rfc8785.dumps(json.loads(body)).decode() == body


def _texts(value: Any) -> list[str]:
    match value:
        case str():
            return [value]
        case dict():
            return [*value, *(text for each in value.values() for text in _texts(each))]
        case list():
            return [text for each in value for text in _texts(each)]
    return []
