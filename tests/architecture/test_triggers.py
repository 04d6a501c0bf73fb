"""What the database itself refuses, whoever asks: raw SQL against versions, events, pointers, keys and checks."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from domain.hub import Hub
from tests.asking import Client
from tests.assets.acts import accepted, add_version, created, look, picture, unchanged

FROZEN = "a version never changes"
KEPT = "a version is never deleted"
MOVES = "the current version moves only with the revision"
OWN = "the current version belongs to the asset"
EVENT_FROZEN = "an event never changes"
EVENT_KEPT = "an event is never deleted"


@pytest.fixture
def furnished(hub: Hub, client: Client) -> Hub:
    """Asset 1 with versions 1 and 3, and asset 2 with version 2."""
    first = created(client, picture(1))
    created(client, picture(2))
    accepted(add_version(client, first, picture(3)))
    return hub


HISTORY = [
    ("UPDATE asset_version SET sha256 = (SELECT sha256 FROM asset_version WHERE id = 2) WHERE id = 1", FROZEN),
    ("UPDATE asset_version SET byte_size = byte_size + 1 WHERE id = 1", FROZEN),
    ("UPDATE asset_version SET number = 9 WHERE id = 1", FROZEN),
    ("UPDATE asset_version SET asset_id = 2, number = 2 WHERE id = 1", FROZEN),
    ("UPDATE asset_version SET file_name = 'other' WHERE id = 1", FROZEN),
    ("UPDATE asset_version SET media_type = 'text/html' WHERE id = 1", FROZEN),
    ("UPDATE asset_version SET change_note = 'forged' WHERE id = 1", FROZEN),
    ("UPDATE asset_version SET made_from_id = 1 WHERE id = 3", FROZEN),
    ("UPDATE asset_version SET id = 77 WHERE id = 1", FROZEN),
    ("DELETE FROM asset_version WHERE id = 1", KEPT),
    ("UPDATE asset SET current_version_id = 1 WHERE id = 1", MOVES),
    ("UPDATE asset SET current_version_id = NULL WHERE id = 1", MOVES),
    ("UPDATE asset SET current_version_id = 1, revision = 1 WHERE id = 1", MOVES),
    ("UPDATE asset SET current_version_id = 2, revision = revision + 1 WHERE id = 1", OWN),
    ("UPDATE asset SET current_version_id = 999, revision = revision + 1 WHERE id = 1", OWN),
    (
        (
            "INSERT INTO asset (org_id, kind, title, title_folded, title_origin, description_origin, lifecycle,"
            " current_version_id, created_at, created_by, updated_at, revision)"
            " SELECT org_id, kind, title, title_folded, title_origin, description_origin, lifecycle,"
            " 1, created_at, created_by, updated_at, 1 FROM asset WHERE id = 1"
        ),
        OWN,
    ),
    ("UPDATE event SET payload = '{}' WHERE type = 'asset.created'", EVENT_FROZEN),
    ("UPDATE event SET type = 'asset.updated' WHERE type = 'asset.created'", EVENT_FROZEN),
    ("UPDATE event SET actor_id = NULL WHERE type = 'asset.created'", EVENT_FROZEN),
    ("UPDATE event SET subject_id = 2 WHERE type = 'asset.created' AND subject_id = 1", EVENT_FROZEN),
    ("UPDATE event SET request_id = 'forged' WHERE type = 'asset.created'", EVENT_FROZEN),
    ("DELETE FROM event WHERE type = 'asset.created'", EVENT_KEPT),
    ("DELETE FROM event", EVENT_KEPT),
]


def test_history_is_not_rewritten_behind_the_domains_back(furnished: Hub) -> None:
    for statement, sentence in HISTORY:
        refuse(furnished, statement, sentence)


def test_an_event_that_has_its_number_keeps_it(furnished: Hub) -> None:
    with furnished.database.writing() as session:
        session.execute(sa.text("UPDATE event SET seq = id"))
    for statement in ("UPDATE event SET seq = 9999 WHERE seq = 1", "UPDATE event SET seq = NULL"):
        refuse(furnished, statement, EVENT_FROZEN)


def test_what_analysis_finds_may_be_written_and_the_pointer_moves_with_the_revision(
    furnished: Hub, client: Client
) -> None:
    with furnished.database.writing() as session:
        session.execute(sa.text("UPDATE asset_version SET width = 5, height = 6, analysis_state = 'READY'"))
        session.execute(sa.text("UPDATE asset SET current_version_id = 1, revision = revision + 1 WHERE id = 1"))
    found = client.ask("{ assets(first: 2) { nodes { current { number width height } } } }")["assets"]["nodes"]
    assert found == [{"current": {"number": 1, "width": 5, "height": 6}}] * 2


CHECKED = [
    ("UPDATE rendition SET state = 'READY' WHERE id = 1", "ck_rendition_bytes"),
    ("UPDATE rendition SET sha256 = (SELECT min(sha256) FROM blob) WHERE id = 1", "ck_rendition_bytes"),
    ("UPDATE rendition SET state = 'FAILED' WHERE id = 1", "ck_rendition_failure"),
    ("UPDATE rendition SET failure_code = 'X' WHERE id = 1", "ck_rendition_failure"),
    ("UPDATE rendition SET state = 'ODD' WHERE id = 1", "ck_rendition_state"),
    ("UPDATE asset SET lifecycle = 'ODD' WHERE id = 1", "ck_asset_lifecycle"),
    ("UPDATE asset SET kind = 'ODD' WHERE id = 1", "ck_asset_kind"),
    ("UPDATE asset SET title_origin = 'ODD' WHERE id = 1", "ck_asset_title_origin"),
    ("UPDATE asset_version SET analysis_state = 'ODD' WHERE id = 1", "ck_asset_version_analysis_state"),
    ("UPDATE upload SET sha256 = NULL", "ck_upload_digest"),
    ("UPDATE upload SET state = 'OPEN'", "ck_upload_digest"),
    ("UPDATE upload SET state = 'ODD', sha256 = NULL", "ck_upload_state"),
    ("UPDATE job SET state = 'ODD'", "ck_job_state"),
    ("UPDATE rendition_preset SET width = 0", "ck_rendition_preset_box"),
    ("UPDATE rendition_preset SET quality = 101", "ck_rendition_preset_quality"),
    ("UPDATE principal SET kind = 'ODD'", "ck_principal_kind"),
    ("INSERT INTO blob (sha256, byte_size, created_at) SELECT 'short', 1, created_at FROM blob", "ck_blob_digest"),
    ("UPDATE blob SET byte_size = -1", "ck_blob_size"),
]


def test_a_row_that_cannot_be_is_refused_by_its_check(furnished: Hub) -> None:
    for statement, rule in CHECKED:
        refuse(furnished, statement, rule)


POINTED_AT = [
    "DELETE FROM blob",
    "DELETE FROM asset WHERE id = 1",
    "DELETE FROM principal",
    "DELETE FROM organisation",
    "DELETE FROM rendition_preset",
    "UPDATE asset SET created_by = 999 WHERE id = 1",
    "UPDATE asset SET org_id = 999 WHERE id = 1",
    "UPDATE rendition SET version_id = 999 WHERE id = 1",
]


def test_nothing_that_is_pointed_at_goes_away(furnished: Hub) -> None:
    for statement in POINTED_AT:
        refuse(furnished, statement, "foreign key")


TWICE = [
    (
        "INSERT INTO asset_version (asset_id, number, sha256, byte_size, file_name, media_type, created_at, created_by,"
        " analysis_state) SELECT asset_id, number, sha256, byte_size, file_name, media_type, created_at, created_by,"
        " 'QUEUED' FROM asset_version WHERE id = 1"
    ),
    (
        "INSERT INTO rendition (org_id, version_id, preset_id, params_digest, state, updated_at)"
        " SELECT org_id, version_id, preset_id, params_digest, 'QUEUED', updated_at FROM rendition WHERE id = 1"
    ),
    "UPDATE token SET digest = (SELECT min(digest) FROM token)",
    "UPDATE rendition_preset SET name = 'thumb'",
]


def test_nothing_is_there_twice(furnished: Hub) -> None:
    second = (
        "INSERT INTO token (principal_id, name, digest, prefix, created_at)"
        " SELECT principal_id, 'second', 'other', prefix, created_at FROM token"
    )
    with furnished.database.writing() as session:
        session.execute(sa.text(second))
    for statement in TWICE:
        refuse(furnished, statement, "unique")


def test_at_most_one_approval_of_a_version_stands(furnished: Hub, client: Client) -> None:
    asset = client.ask("{ assets(first: 1) { nodes { id current { id sha256 } } } }")["assets"]["nodes"][0]
    given = {"version": asset["current"]["id"], "sha256": asset["current"]["sha256"]}
    accepted(client.mutate("assetVersionApprove", "asset { id }", ownWork=True, **given))
    again = (
        "INSERT INTO approval (org_id, asset_id, version_id, sha256, approved_at, approved_by)"
        " SELECT org_id, asset_id, version_id, sha256, approved_at, approved_by FROM approval"
    )
    refuse(furnished, again, "unique")
    assert look(client, asset)["approved"]["id"] == asset["current"]["id"]


def refuse(hub: Hub, statement: str, words: str) -> None:
    """The statement is refused with these words, whole, and changes nothing."""
    with unchanged(hub):
        with pytest.raises(sa.exc.DatabaseError) as found, hub.database.engine.begin() as connection:
            connection.execute(sa.text(statement))
        assert words in str(found.value.orig).lower(), statement
