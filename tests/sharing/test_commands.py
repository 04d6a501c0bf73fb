"""Tokens and partners from the command line: what is printed, and what it is worth."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from domain import founding, identity
from domain.guests import create_for_uploads
from domain.hub import Hub, open_hub
from domain.permissions import Permission
from domain.refusals import NotSignedIn
from domain.work import HUB, Viewer
from server.__main__ import main
from storage.settings import load
from storage.tables import OrganisationRow, PrincipalRow, TokenRow
from tests.asking import rows_everywhere

#: The exit code, what was printed, what was told beside it.
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs a command over a data dir of its own."""
    for name in os.environ:
        if name.startswith("IMPRIMATUR_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("IMPRIMATUR_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")

    def ran(*arguments: str) -> tuple[int, str, str]:
        with monkeypatch.context() as patch:
            patch.setattr("sys.argv", ["server", *arguments])
            try:
                code = main()
            except SystemExit as error:  # how typer ends
                code = int(error.code or 0)
        told = capfd.readouterr()
        return code, told.out, told.err

    return ran


def test_a_partner_is_an_affiliate_a_service_account_and_a_token_in_one_command(run: Run) -> None:
    founded(run)
    code, printed, told = run("partner", "add", "Nord GmbH", "--days", "90", "--network", "192.0.2.0/24")
    assert (code, told.count("\n")) == (0, 1)
    with opened() as hub:
        viewer = identity.viewer_of_token(hub, printed.strip(), "192.0.2.1")
        assert viewer.name == "Nord GmbH"
        rights = {Permission.ASSET_VIEW, Permission.ASSET_DOWNLOAD, Permission.USAGE_VIEW, Permission.USAGE_RECORD}
        assert set(viewer.holdings.reaches) == rights
        assert not viewer.holdings.in_org(Permission.ASSET_VIEW, 1)
        with hub.reading(HUB) as work:
            org = work.session.get_one(OrganisationRow, viewer.org_id)
            assert (org.name, org.kind, org.path) == ("Nord GmbH", "AFFILIATE", f"/1/{org.id}/")
            assert work.session.get_one(PrincipalRow, viewer.principal_id).kind == "SERVICE"
            token = work.session.get_one(TokenRow, viewer.token_id)
            assert token.expires_at is not None
            assert timedelta(days=89) < token.expires_at - token.created_at <= timedelta(days=90)
        before = rows_everywhere(hub)
    code, printed, told = run("partner", "add", "nord gmbh")
    assert (code, printed) == (1, "")
    assert told.startswith("There is an organisation called")
    with opened() as hub:
        assert rows_everywhere(hub) == before


def test_a_token_is_made_for_a_service_account_of_an_organisation_which_is_made_once(run: Run) -> None:
    """Even where no server has ever started."""
    run("partner", "add", "Nord")
    for where in ("nord", "2"):
        made = run("token", "create", "press site", "--organisation", where, "--role", "viewer")
        assert made[0] == 0
    with opened() as hub, hub.reading(HUB) as work:
        named = sa.select(PrincipalRow).where(PrincipalRow.name == "press site")
        account = work.session.scalars(named).one()
        assert account.org_id == 2
        tokens = sa.select(sa.func.count()).where(TokenRow.principal_id == account.id)
        assert work.session.scalar(tokens) == 2


def test_a_token_is_made_for_somebody_by_address_or_id(run: Run) -> None:
    founded(run)
    with opened() as hub, hub.writing(HUB) as work:
        work.session.get_one(PrincipalRow, 1).email = "anna@example.org"
    for whom in ("Anna@example.org", "1"):
        code, printed, _ = run(
            "token", "create", "mine", "--for", whom, "--scope", "ASSET_VIEW", "--scope", "tag.create"
        )
        assert code == 0
        with opened() as hub:
            viewer: Viewer = identity.viewer_of_token(hub, printed.strip())
            assert viewer.principal_id == 1
            assert set(viewer.holdings.reaches) == {Permission.ASSET_VIEW, Permission.TAG_CREATE}


@pytest.mark.parametrize(
    "arguments",
    [
        ("token", "create", "x", "--for", "nobody@example.org"),
        ("token", "create", "x", "--for", "999"),
        ("token", "create", "x", "--for", "9" * 30),
        ("token", "create", "x", "--organisation", "Nowhere"),
        ("token", "create", "x", "--organisation", "1", "--role", "emperor"),
        ("token", "create", "x", "--scope", "everything"),
        ("token", "create", "x", "--network", "example.org"),
        ("token", "create", "x", "--days", "0"),
        ("partner", "add", " "),
    ],
)
def test_what_cannot_be_made_is_one_sentence_and_changes_nothing(run: Run, arguments: tuple[str, ...]) -> None:
    founded(run)
    with opened() as hub:
        before = rows_everywhere(hub)
    code, printed, told = run(*arguments)
    assert (code, printed, told.count("\n")) == (1, "", 1)
    assert told.strip().endswith(".")
    with opened() as hub:
        assert rows_everywhere(hub) == before


def test_a_guest_is_nobody_to_make_tokens_for_and_their_link_is_not_listed(run: Run) -> None:
    founded(run)
    with opened() as hub, hub.writing(HUB) as work:
        host = identity.administrator(work)
        work.viewer = host
        create_for_uploads(work, 1, "A photographer", work.now + timedelta(days=1))
        guest = work.session.scalars(sa.select(PrincipalRow.id).where(PrincipalRow.name == "A photographer")).one()
    assert run("token", "create", "x", "--for", str(guest))[0] == 1
    assert "photographer" not in run("token", "list")[1]


def test_the_list_says_whose_a_token_is_and_how_it_stands(run: Run) -> None:
    founded(run)
    secret = run("partner", "add", "Nord")[1].strip()
    listed = run("token", "list")[1]
    assert "Nord" in listed
    assert "valid" in listed
    assert secret not in listed
    assert run("token", "revoke", "2")[1] == "Token 2 is revoked.\n"
    assert "revoked" in run("token", "list")[1]
    with opened() as hub, pytest.raises(NotSignedIn):
        identity.viewer_of_token(hub, secret)


@pytest.mark.parametrize(
    "arguments",
    [
        ("token", "create"),
        ("token", "create", "a", "--name", "b"),
        ("token", "create", "a", "--for", "1", "--organisation", "1"),
    ],
)
def test_what_contradicts_itself_is_a_matter_of_usage(run: Run, arguments: tuple[str, ...]) -> None:
    code, printed, _ = run(*arguments)
    assert (code, printed) == (2, "")


def founded(_run: Run) -> None:
    """A brand with its administrator and roles, as the first start makes it."""
    with opened() as hub:
        founding.found(hub)


@contextmanager
def opened() -> Iterator[Hub]:
    hub = open_hub(load())
    try:
        yield hub
    finally:
        hub.close()
