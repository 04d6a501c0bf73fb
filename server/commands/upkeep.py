"""`migrate`, `check`, `reindex`, `sweep` and `own-work`: the database brought to the present schema, whether what is
kept is whole, the search index made anew, bytes nobody points at, and what was approved before anybody asked whose it
is.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from domain import founding, identity, integrity, search, sweeping
from domain.licensing import own_work
from domain.work import HUB
from server.opening import opened
from storage.settings import load


def register(app: typer.Typer) -> None:
    app.command("migrate")(migrate)
    app.command("check")(check)
    app.command("reindex")(reindex)
    app.command("sweep")(sweep)
    app.command("own-work")(declare_own_work)


def migrate() -> None:
    """Bring the database to the present schema; safe to run from several machines at once."""
    with opened(load(), upgrade=True):
        typer.echo("The database is at the present schema.")


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


def sweep(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would go; nothing is written.")] = False,
    hours: Annotated[
        int, typer.Option("--older-than-hours", min=1, help="Safety age: nothing that came later goes.")
    ] = int(sweeping.SAFETY.total_seconds()) // 3600,
) -> None:
    """Let go of stored bytes that nothing points at."""
    gone = size = strays = 0
    with opened(load()) as hub:
        for found in sweeping.sweep(hub, dry_run=dry_run, age=timedelta(hours=hours)):
            if found.is_stray:
                strays += 1
                typer.echo(f"STRAY: {found.sha256} has {found.byte_size:,} bytes and no row; its time begins now.")
                continue
            gone, size = gone + 1, size + found.byte_size
            typer.echo(f"{'WOULD GO' if dry_run else 'GONE'}: {found.sha256} has {found.byte_size:,} bytes.")
    word = "Would let go" if dry_run else "Let go"
    typer.echo(f"{word} of {gone:,} {'blob' if gone == 1 else 'blobs'} of {size:,} bytes; {strays:,} without a row.")


def declare_own_work(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count; nothing is written.")] = False,
) -> None:
    """Declare approved assets of whose rights nobody ever said anything their organisations' own work."""
    beyond = count = 0
    with opened(load()) as hub:
        founding.found(hub)
        with hub.writing(HUB) as work:
            viewer = identity.administrator(work)
        while True:
            with hub.reading(HUB) as work:
                found = own_work.unsaid(work, beyond)
            if not found:
                break
            beyond = found[-1]
            if dry_run:
                count += len(found)
                continue
            with hub.writing(viewer) as work:
                count += own_work.declare_unsaid(work, found)
    typer.echo(
        f"{'Would declare' if dry_run else 'Declared'} {count:,} {'asset' if count == 1 else 'assets'} own work."
    )
