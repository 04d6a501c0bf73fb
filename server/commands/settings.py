"""`settings`: what every setting says, without its secrets."""

from __future__ import annotations

import re
import sys
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table

from storage.settings import Settings, load

SECRETS = frozenset({"admin_token", "oidc_client_secret", "secret_key"})
_MASK = "•••"
_SCHEMES = ("file", "http", "https", "memory", "mysql", "postgres", "postgresql", "postgresql+psycopg", "s3", "sqlite")
#: Options of addresses that are no secrets.
_OPTIONS = frozenset({"connect_timeout", "host", "port", "region", "secure", "sslmode"})
#: An address of which every part is surely what it seems: no letter in it could also end an earlier part.
_URL = re.compile(
    r"""(?P<scheme>[a-z0-9+]+)://
    (?:(?P<user>[^/@:?#\s]*)(?P<password>:[^/@?#\s]*)?@)?
    (?P<place>(?:[\w.-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?(?:/[^@?#]*)?)
    (?:\?(?P<query>[^@?#]*))?""",
    re.VERBOSE | re.ASCII,
)
_FILE = re.compile(r"file:|memory:|(file|sqlite):///[^?#]*")


def register(app: typer.Typer) -> None:
    app.command("settings")(settings)


def settings(as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False) -> None:
    """List every setting with its value and meaning; secrets are masked."""
    rows = listed(load())
    if as_json:
        sys.stdout.buffer.write(orjson.dumps(rows, option=orjson.OPT_INDENT_2) + b"\n")
        return
    table = Table(show_edge=False)
    table.add_column("variable", no_wrap=True)
    table.add_column("value", overflow="fold")
    table.add_column("meaning", overflow="fold")
    for row in rows:
        table.add_row(row["name"], row["value"], row["description"])
    Console().print(table)


def listed(values: Settings) -> list[dict[str, str]]:
    """Name, value as text and description of every setting, no secret among them."""
    return [
        {
            "name": f"IMPRIMATUR_{name.upper()}",
            "value": _masked(name, str(getattr(values, name))),
            "description": field.description or "",
        }
        for name, field in type(values).model_fields.items()
    ]


def _masked(name: str, value: str) -> str:
    if name in SECRETS:
        return _MASK if value else ""
    return _masked_url(value) if name.endswith("_url") else value


def _masked_url(url: str) -> str:
    """Without its secrets; nothing but the scheme where it is not sure which part of it is one."""
    if not url or _FILE.fullmatch(url):
        return url
    scheme = url.partition(":")[0]
    if scheme not in _SCHEMES:
        return _MASK
    parts = _URL.fullmatch(url)
    if parts is None or (scheme == "s3" and not parts["password"]):
        return f"{scheme}://{_MASK}"
    who = "" if parts["user"] is None else f"{parts['user']}:{_MASK}@" if parts["password"] else f"{_MASK}@"
    query = "" if parts["query"] is None else "?" + "&".join(map(_masked_option, parts["query"].split("&")))
    return f"{scheme}://{who}{parts['place']}{query}"


def _masked_option(option: str) -> str:
    name, _, _ = option.partition("=")
    return option if name in _OPTIONS else f"{name}={_MASK}" if re.fullmatch("[a-z_]+=.*", option) else _MASK
