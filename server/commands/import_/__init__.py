"""`import DIR`: a folder of files becomes assets, with a progress bar on the way and an account at the end.

Exit codes: 0 when everything was taken or was here already, 3 when files were refused, 130 when it was stopped by
Ctrl+C, 1 when the hub could take no more, 2 for arguments or settings that cannot be used.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from domain import founding, identity, importing
from domain.hub import Hub
from domain.work import HUB
from server.commands.import_ import telling
from server.commands.import_.bar import Bar
from server.opening import opened
from storage import jobs as job_rows
from storage.settings import load

HALTED, REFUSED, STOPPED = 1, 3, 130
MOST_JOBS = 32
#: Files at once. Small ones mostly wait for the disk to say that it has them, so there are more than cores.
DEFAULT_JOBS = max(4, min(8, os.cpu_count() or 1))


def register(app: typer.Typer) -> None:
    app.command("import")(import_folder)


def import_folder(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder.", exists=True, file_okay=False, readable=True)
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object per file on standard output, and a last one that sums up.")
    ] = False,
    tag_folders: Annotated[
        bool, typer.Option("--tag-folders", help="Tag new assets with the names of the folders above them.")
    ] = False,
    own_work: Annotated[
        bool, typer.Option("--own-work", help="Declare new assets the brand's own work: they can be approved at once.")
    ] = False,
    jobs: Annotated[int, typer.Option("--jobs", min=1, max=MOST_JOBS, help="Files at once.")] = DEFAULT_JOBS,
) -> None:
    """Bring a folder of files into the hub; run it again to go on where it was stopped."""
    stop = threading.Event()
    account = telling.Account()
    with opened(load()) as hub, _stopping(stop), _output(stop):
        bring = partial(importing.run, threads=jobs, tag_folders=tag_folders, own_work=own_work)
        sentence = _bring(hub, folder, account, stop, bring, as_json=as_json)
        waiting = _waiting(hub)
    ended = "HALTED" if sentence else "STOPPED" if stop.is_set() else "COMPLETE"
    if as_json:
        telling.write_json(account.as_json(ended, sentence))
    else:
        telling.write_lines(account.as_lines())
    telling.explain(telling.closing(account, ended, sentence, waiting))
    raise typer.Exit({"HALTED": HALTED, "STOPPED": STOPPED}.get(ended, REFUSED if account.refused else 0))


def _bring(
    hub: Hub,
    folder: Path,
    account: telling.Account,
    stop: threading.Event,
    bring: Callable[..., Iterator[importing.Outcome]],
    *,
    as_json: bool,
) -> str | None:
    """Why it could not go on, if so."""
    founding.found(hub)
    with hub.writing(HUB) as work:
        viewer = identity.administrator(work)
    with Bar() as bar:
        if bar.is_shown:
            bar.expect(*importing.survey(hub, folder, stop))
        outcomes = bring(hub, viewer, folder, stop=stop, moved=bar.moved)
        try:
            for outcome in outcomes:
                account.note(outcome)
                bar.note(outcome, account)
                if as_json and telling.is_worth_a_line(outcome):
                    telling.write_json(telling.file_as_json(outcome))
        except importing.Halted as halted:
            return str(halted)
    return None


def _waiting(hub: Hub) -> int:
    with hub.reading(HUB) as work:
        return job_rows.waiting(work.session)["READY"]


@contextmanager
def _stopping(stop: threading.Event) -> Iterator[None]:
    """The first Ctrl+C ends the import in good order, the second at once; both lose nothing."""
    signals = (signal.SIGINT, signal.SIGTERM)

    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.set()
        for each in signals:
            signal.signal(each, signal.SIG_DFL)

    before = {each: signal.signal(each, ask) for each in signals}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def _output(stop: threading.Event) -> Iterator[None]:
    """Whoever stops reading our output stops the import."""
    try:
        yield
    except BrokenPipeError:
        stop.set()
        # What is still buffered must not fail once more at exit.
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(HALTED) from None
