"""`check` and `reindex`: whether what is kept is whole, and making the search index anew."""

from __future__ import annotations

from typing import Annotated

import typer

from domain import integrity, search
from server.serve import opened
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
    """Build the search index anew from the rows; searching goes on meanwhile."""
    with opened(load()) as hub:
        is_done = search.reindex(hub)
    if not is_done:
        typer.echo("The workers hold the search index and have not built it anew in time: see their log.", err=True)
        raise typer.Exit(1)
    typer.echo("The search index was built anew.")
