"""`check` and `reindex`: whether what is kept is whole, and making the search index anew."""

from __future__ import annotations

from typing import Annotated

import typer

from domain import integrity, search
from server.serve import opened
from storage.index import NotLeading
from storage.settings import load


def register(app: typer.Typer) -> None:
    app.command("check")(check)
    app.command("reindex")(reindex)


def check(
    deep: Annotated[bool, typer.Option("--deep", help="Read every byte again and compare digests.")] = False,
) -> None:
    """Compare rows, stored bytes and search index; exit code 1 when something is wrong."""
    tally = integrity.Tally()
    with opened(load()) as hub:
        for finding in integrity.check(hub, tally, deep=deep):
            typer.echo(f"{finding.kind}: {finding.sentence}")
    looked_at = f"{tally.blobs:,} blobs of {tally.bytes:,} bytes and {tally.keys:,} stored keys"
    typer.echo(f"Looked at {looked_at}: {tally.findings or 'no'} {'finding' if tally.findings == 1 else 'findings'}.")
    if tally.findings:
        raise typer.Exit(1)


def reindex() -> None:
    """Build the search index anew from the rows; no worker may be writing to it meanwhile."""
    with opened(load()) as hub:
        try:
            search.rebuild(hub)
        except NotLeading:
            typer.echo("Workers are writing to this search index: stop them, or their server, and try again.", err=True)
            raise typer.Exit(1) from None
    typer.echo("The search index was built anew.")
