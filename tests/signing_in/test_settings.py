"""Settings of signing in that cannot be used stop the start, each with a sentence that names it."""

from __future__ import annotations

import pytest

from server.commands.settings import listed
from storage.settings import BadSettings, Settings, load

OIDC = {"OIDC_ISSUER": "https://id.example", "OIDC_CLIENT_ID": "hub"}


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ({"OIDC_ISSUER": "http://id.example", "OIDC_CLIENT_ID": "hub"}, "OIDC_ISSUER"),
        ({"OIDC_ISSUER": "id.example", "OIDC_CLIENT_ID": "hub"}, "OIDC_ISSUER"),
        ({"OIDC_ISSUER": "https://user:word@id.example", "OIDC_CLIENT_ID": "hub"}, "OIDC_ISSUER"),
        ({"OIDC_ISSUER": "https://id.example"}, "OIDC_CLIENT_ID"),
        ({**OIDC, "OIDC_SCOPES": "email"}, "OIDC_SCOPES"),
        ({**OIDC, "OIDC_NEWCOMERS": "everybody"}, "OIDC_NEWCOMERS"),
        ({"JWT_ISSUER": "https://id.example"}, "JWT_AUDIENCE"),
        ({"JWT_ISSUER": "ftp://id.example", "JWT_AUDIENCE": "x"}, "JWT_ISSUER"),
        ({"JWT_JWKS_URL": "file:///etc/passwd"}, "JWT_JWKS_URL"),
        ({"PASSWORD_LOGIN": "on"}, "PASSWORD_LOGIN"),
        ({"TRUSTED_PROXIES": "10.0.0.0/8, proxy"}, "TRUSTED_PROXIES"),
        ({"TRUSTED_PROXIES": "10.0.0.1/8"}, "TRUSTED_PROXIES"),
        ({"TOKEN_BUDGET": "-1"}, "TOKEN_BUDGET"),
        ({"STRANGER_RATE": "many"}, "STRANGER_RATE"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, told: dict[str, str], named: str
) -> None:
    for name, value in told.items():
        monkeypatch.setenv(f"IMPRIMATUR_{name}", value)
    with pytest.raises(BadSettings, match=f"IMPRIMATUR_{named}"):
        load()


def test_loopback_may_go_without_encryption() -> None:
    for host in ("127.0.0.1:9", "localhost", "[::1]:8"):
        assert Settings(oidc_issuer=f"http://{host}", oidc_client_id="x").oidc_issuer


def test_every_setting_is_listed_and_no_secret_shown() -> None:
    shown = {row["name"]: row for row in listed(Settings(oidc_client_secret="hush-hush"))}
    for name in ("OIDC_ISSUER", "JWT_AUDIENCE", "PASSWORD_LOGIN", "TRUSTED_PROXIES", "TOKEN_BUDGET", "STRANGER_RATE"):
        assert shown[f"IMPRIMATUR_{name}"]["description"]
    assert "hush" not in str(shown)


def test_several_trusted_networks_stand_side_by_side() -> None:
    told = Settings(trusted_proxies="10.0.0.0/8, 2001:db8::/32,")
    assert [str(network) for network in told.trusted_networks] == ["10.0.0.0/8", "2001:db8::/32"]
