"""Tokens: shown once, kept as a digest, and dead as soon as they are revoked or expired."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from domain import channels, founding, identity
from domain.hub import Hub, kept_secret, open_hub
from domain.recipes import SEEDS
from domain.refusals import Invalid, NotFound, NotSignedIn
from domain.work import HUB, Viewer
from storage.settings import Settings, load
from tests.asking import Client, rows_everywhere
from tests.assets.acts import unchanged
from tests.assets.test_creating import somebody_else

ROOT = Path(__file__).parents[2]
STARTING = """
import json, sys
from domain import founding
from domain.hub import open_hub
from storage.settings import Settings
settings = Settings.model_validate(json.loads(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
hub = open_hub(settings, upgrade=True)
print(founding.found(hub)[0], hub.secret.decode())
hub.close()
"""


def test_a_token_speaks_for_its_owner(hub: Hub, admin: Viewer) -> None:
    with hub.writing(admin) as work:
        made = identity.create_token(work, "  for the\tpress site ")
    assert made.secret.startswith("imp_")
    assert len(made.secret) == 47
    assert identity.viewer_of_token(hub, made.secret) == admin
    with hub.reading(admin) as work:
        assert [row.name for row in identity.known_tokens(work)] == ["for the press site", "first administrator"]


@pytest.mark.parametrize("token", ["", "imp_", "imp_nothing", "imp_test ", "IMP_TEST", "x" * 100_000, "имя", "a\0b"])
def test_an_unknown_token_speaks_for_nobody(hub: Hub, token: str) -> None:
    with unchanged(hub), pytest.raises(NotSignedIn):
        identity.viewer_of_token(hub, token)


def test_unknown_revoked_and_expired_tokens_read_the_same(hub: Hub, admin: Viewer) -> None:
    with hub.writing(admin) as work:
        short, gone = identity.create_token(work, "short", 1), identity.create_token(work, "gone")
        identity.revoke_token(work, gone.id)
    later = dataclasses.replace(hub, clock=lambda: hub.clock() + timedelta(days=1))
    assert identity.viewer_of_token(hub, short.secret) == admin
    sentences = []
    for asked, token in ((hub, "imp_nothing"), (hub, gone.secret), (later, short.secret)):
        with pytest.raises(NotSignedIn) as refused:
            identity.viewer_of_token(asked, token)
        sentences.append((refused.value.code, refused.value.message))
    assert len(set(sentences)) == 1


def test_revoking_again_changes_nothing_and_an_unknown_token_is_not_found(hub: Hub, admin: Viewer) -> None:
    with hub.writing(admin) as work:
        made = identity.create_token(work, "gone")
        identity.revoke_token(work, made.id)
    with unchanged(hub):
        with hub.writing(admin) as work:
            identity.revoke_token(work, made.id)
        with pytest.raises(NotFound), hub.writing(admin) as work:
            identity.revoke_token(work, 99_999)


@pytest.mark.parametrize("days", [0, -1, 3651])
def test_a_token_that_lives_too_long_or_not_at_all_is_refused(hub: Hub, admin: Viewer, days: int) -> None:
    with unchanged(hub), pytest.raises(Invalid) as refused, hub.writing(admin) as work:
        identity.create_token(work, "odd", days)
    assert refused.value.path == ("days",)


@pytest.mark.parametrize("name", ["", " \0", "x" * 101])
def test_a_token_needs_a_name_that_can_be_read(hub: Hub, admin: Viewer, name: str) -> None:
    with unchanged(hub), pytest.raises(Invalid), hub.writing(admin) as work:
        identity.create_token(work, name)


def test_the_text_of_no_token_stands_in_the_database(hub: Hub, admin: Viewer, stores: Settings) -> None:
    """The administrator's of these tests is short: not even its beginning may give it away."""
    with hub.writing(admin) as work:
        made = identity.create_token(work, "press")
    kept = json.dumps(rows_everywhere(hub), default=str)
    assert made.secret not in kept
    assert made.secret[12:] not in kept
    assert stores.admin_token not in kept
    with hub.reading(admin) as work:
        assert [row.prefix for row in identity.known_tokens(work)] == [made.secret[:12], "im"]


def test_a_second_administrators_token_is_theirs(hub: Hub) -> None:
    other = somebody_else(hub)
    with hub.writing(other) as work:
        made = identity.create_token(work, "mine")
    assert identity.viewer_of_token(hub, made.secret) == other
    assert Client(hub, other).ask("{ me { name isAdministrator } }") == {
        "me": {"name": "Else", "isAdministrator": True}
    }


def test_the_first_administrators_token_is_the_one_that_is_set(hub: Hub, admin: Viewer, stores: Settings) -> None:
    assert stores.admin_token == "imp_test"
    assert identity.viewer_of_token(hub, "imp_test") == admin
    assert not (stores.data_dir / "admin-token").exists()


def test_the_token_is_set_in_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IMPRIMATUR_ADMIN_TOKEN", "imp_from_the_environment")
    monkeypatch.setenv("IMPRIMATUR_DATA_DIR", str(tmp_path / "data"))
    hub = open_hub(load())
    assert founding.found(hub) == ("imp_from_the_environment", False)
    assert identity.viewer_of_token(hub, "imp_from_the_environment").is_administrator
    assert not (tmp_path / "data" / "admin-token").exists()
    hub.close()


def test_founding_again_changes_nothing(hub: Hub) -> None:
    with unchanged(hub):
        assert founding.found(hub) == ("imp_test", False)


def test_a_token_that_is_made_is_kept_where_only_its_owner_reads_and_stays_the_same(stores: Settings) -> None:
    settings = stores.model_copy(update={"admin_token": ""})
    hub = open_hub(settings)
    token, fresh = founding.found(hub)
    again, second = founding.found(hub)
    kept = settings.data_dir / "admin-token"
    assert (token, fresh, second) == (again, True, False)
    assert token.startswith("imp_")
    assert kept.read_text() == token
    assert kept.stat().st_mode & 0o777 == 0o600
    assert identity.viewer_of_token(hub, token).is_administrator
    assert len(rows_everywhere(hub)["token"]) == 1
    hub.close()


def test_another_token_that_is_set_later_works_beside_the_first(hub: Hub, stores: Settings) -> None:
    other = dataclasses.replace(hub, settings=stores.model_copy(update={"admin_token": "imp_second_one"}))
    founding.found(other)
    viewers = {identity.viewer_of_token(hub, token) for token in ("imp_test", "imp_second_one")}
    assert len(viewers) == 1


def test_a_revoked_first_token_does_not_come_back_with_the_next_start(hub: Hub) -> None:
    with hub.writing(HUB) as work:
        identity.revoke_token(work, identity.known_tokens(work)[0].id)
    with unchanged(hub):
        founding.found(hub)
    with pytest.raises(NotSignedIn):
        identity.viewer_of_token(hub, "imp_test")


def test_four_processes_that_start_at_once_agree_on_token_and_key(stores: Settings) -> None:
    told = stores.model_copy(update={"admin_token": "", "secret_key": ""}).model_dump(mode="json")
    command = [sys.executable, "-c", STARTING, json.dumps(told)]
    starters = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    for each in starters:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in starters:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    answers = [each.communicate(timeout=120)[0] for each in starters]
    assert [each.returncode for each in starters] == [0, 0, 0, 0]
    assert len(set(answers)) == 1
    token, secret = answers[0].split()
    assert (stores.data_dir / "admin-token").read_text() == token
    assert (stores.data_dir / "secret-key").read_text() == secret
    hub = open_hub(stores)
    counts = {name: len(rows_everywhere(hub)[name]) for name in ("principal", "token", "rendition_preset")}
    hub.close()
    assert counts == {"principal": 1, "token": 1, "rendition_preset": len(SEEDS) + len(list(channels.seeds()))}


def test_a_kept_secret_is_never_replaced_and_leaves_no_draft(tmp_path: Path) -> None:
    first, fresh = kept_secret(tmp_path / "key", "imp_")
    assert (first[:4], len(first), fresh) == ("imp_", 47, True)
    assert kept_secret(tmp_path / "key", "other") == (first, False)
    assert [path.name for path in tmp_path.iterdir()] == ["key"]
