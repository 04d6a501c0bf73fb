"""Taking a merge back where assets were shared: nobody is shown anything for longer than was meant, before or since."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from domain.global_ids import encode
from domain.hub import Hub
from storage.tables import ShareRow
from tests.acting import organisation
from tests.asking import Client
from tests.assets import acts
from tests.likeness.merged import looked_at, merge, number, two
from tests.likeness.parted import everything, unmerge

#: Days from now; None is for ever.
Days = int | None


@pytest.fixture
def partner(hub: Hub) -> str:
    return encode("Organisation", organisation(hub, "partner"))


def share(client: Client, asset: dict[str, Any], partner: str, days: Days = None) -> str:
    """Its id."""
    ends = None if days is None else (client.hub.clock() + timedelta(days=days)).isoformat()
    told = {"asset": asset["id"], "organisation": partner, "access": "READ", "endsAt": ends}
    made: str = acts.accepted(client.mutate("shareCreate", "share { id }", **told))["share"]["id"]
    return made


def ends(client: Client, asset: dict[str, Any]) -> list[datetime | None]:
    """When each share of the asset that stands is over."""
    with client.hub.database.reading() as session:
        standing = sa.select(ShareRow.ends_at).where(ShareRow.asset_id == number(asset), ShareRow.ended_at.is_(None))
        return list(session.scalars(standing))


def end_all(client: Client, asset: dict[str, Any]) -> None:
    with client.hub.database.reading() as session:
        ids = list(session.scalars(sa.select(ShareRow.id).where(ShareRow.asset_id == number(asset))))
    for id_ in ids:
        acts.accepted(client.mutate("shareEnd", "share { id }", share=encode("Share", id_)))


@pytest.mark.parametrize(("before", "since"), [(None, 1), (1, None), (3, 1), (1, 3)])
def test_where_it_was_shared_anew_since_the_earlier_end_is_the_end(
    client: Client, partner: str, before: Days, since: Days
) -> None:
    into, gone = two(client)
    share(client, gone, partner, before)
    (was,) = ends(client, gone)
    acts.accepted(merge(client, into, gone))
    end_all(client, into)
    share(client, into, partner, since)
    (now,) = ends(client, into)
    acts.accepted(unmerge(client, into, gone))
    assert ends(client, gone) == [min(each for each in (was, now) if each is not None)]
    assert ends(client, into) == [now]


@pytest.mark.parametrize(("first", "second"), [(None, 1), (1, None), (1, 3)])
def test_two_that_were_shared_alike_end_again_when_each_did(
    client: Client, partner: str, first: Days, second: Days
) -> None:
    into, gone = two(client)
    share(client, into, partner, first)
    share(client, gone, partner, second)
    before = everything(client.hub)
    acts.accepted(merge(client, into, gone))
    acts.accepted(unmerge(client, into, gone))
    assert everything(client.hub) == before


def test_a_share_that_ended_since_is_over_for_both(client: Client, partner: str) -> None:
    into, gone = two(client)
    share(client, gone, partner)
    acts.accepted(merge(client, into, gone))
    end_all(client, into)
    acts.accepted(unmerge(client, into, gone))
    assert ends(client, into) == ends(client, gone) == []


def test_shares_go_back_through_several_merges(client: Client, partner: str) -> None:
    first, second = two(client)
    third = acts.created(client, acts.picture(3), title="Third")
    share(client, first, partner)
    before = everything(client.hub)
    acts.accepted(merge(client, second, first))
    acts.accepted(merge(client, third, looked_at(client, second)))
    acts.accepted(unmerge(client, third, second))
    acts.accepted(unmerge(client, second, first))
    assert everything(client.hub) == before


def test_what_was_archived_while_it_was_shared_is_both_again(client: Client, partner: str) -> None:
    into, gone = two(client)
    share(client, gone, partner)
    acts.accepted(acts.change(client, "assetArchive", looked_at(client, gone)))
    before = everything(client.hub)
    acts.accepted(merge(client, into, gone))
    acts.accepted(unmerge(client, into, gone))
    assert everything(client.hub) == before
