"""Buckets: listed a page at a time, gone on with where it stopped, and only by those who may."""

from __future__ import annotations

import dataclasses
import io
import uuid

import pytest

from domain import fetching
from domain.fetching import fetching as steps
from domain.hub import Hub
from domain.refusals import NotAllowed, NotFound
from storage import buckets
from tests import acting
from tests.asking import Client
from tests.assets.acts import events, picture
from tests.importing.fetching import TERMS, fetch, look, outcomes
from tests.servers.quick_s3 import QuickS3
from tests.servers.rgw import Rgw


@pytest.fixture
def bucket(s3: QuickS3 | Rgw) -> buckets.Bucket:
    opened = buckets.from_url(s3.blob_url(f"theirs-{uuid.uuid4().hex}"))
    opened.client.make_bucket(opened.name)
    return opened


@pytest.fixture
def told(hub: Hub, s3: QuickS3 | Rgw, bucket: buckets.Bucket) -> Hub:
    """A hub whose operator named the bucket."""
    settings = hub.settings.model_copy(update={"import_buckets": f"theirs={s3.blob_url(bucket.name)}"})
    return dataclasses.replace(hub, settings=settings)


def put(bucket: buckets.Bucket, **files: bytes) -> None:
    for name, data in files.items():
        key = name.replace("__", "/")
        bucket.client.put_object(bucket.name, f"{key}.png", io.BytesIO(data), len(data))


def asked(hub: Hub, client: Client, prefix: str = "") -> int:
    with hub.writing(client.viewer) as work:
        return fetching.from_bucket(work, TERMS, "theirs", prefix).id


def test_everything_below_a_prefix_is_brought(told: Hub, client: Client, bucket: buckets.Bucket) -> None:
    put(bucket, new__a=picture(1), new__b=picture(2), new__c=picture(1), old__d=picture(4))
    bucket.client.put_object(bucket.name, "new/", io.BytesIO(b""), 0)
    session = asked(told, client, "new/")
    fetch(told, session, None)
    assert outcomes(client, session) == {
        "new/a.png": "CREATED",
        "new/b.png": "CREATED",
        "new/c.png": "DUPLICATE",
    }
    assert look(client, session)["state"] == "DONE"


def test_a_listing_goes_on_behind_the_last_key(
    told: Hub, client: Client, bucket: buckets.Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "PAGE", 2)
    put(bucket, **{f"n{place}": picture(place) for place in range(5)})
    session = asked(told, client)
    fetching.fetch_next(told, session, lambda: None)  # lists two
    fetching.fetch_next(told, session, lambda: None)
    assert look(client, session)["counts"] == {"waiting": 1, "created": 1, "duplicates": 0, "refused": 0}
    put(bucket, n9=picture(9))  # comes behind the place, and is met there
    fetch(told, session, None)
    assert look(client, session)["counts"] == {"waiting": 0, "created": 6, "duplicates": 0, "refused": 0}
    assert len(events(told, "asset.created")) == 6


def test_only_those_who_may_import_from_the_buckets_that_were_named(told: Hub, client: Client) -> None:
    designer = acting.member(told, "designer")
    with pytest.raises(NotAllowed), told.writing(designer) as work:
        fetching.from_bucket(work, TERMS, "theirs")
    with pytest.raises(NotFound), told.writing(client.viewer) as work:
        fetching.from_bucket(work, TERMS, "others")


def test_a_bucket_that_was_taken_away_ends_the_session_with_a_reason(told: Hub, hub: Hub, client: Client) -> None:
    session = asked(told, client)
    fetch(hub, session, None)
    found = look(client, session)
    assert (found["state"], found["failure"]["code"]) == ("FAILED", "NO_BUCKET")
