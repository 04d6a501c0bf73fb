"""The progress bar of an import: on a terminal, on standard error, so that standard output stays for results."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from domain.importing import Outcome, Word
from server.commands.import_.telling import Account


class Bar:
    """Bytes, files, rate and time left; shows nothing at all where there is no terminal."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self.is_shown = console.is_terminal
        self._progress = Progress(
            TextColumn("{task.fields[told]}"),
            BarColumn(bar_width=None),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not self.is_shown,
        )
        self._task = self._progress.add_task("", total=None, told="Looking through the folder …")
        self._files = self._bytes = self._seen = 0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._progress.stop()

    def expect(self, files: int, size: int) -> None:
        self._files, self._bytes = files, size
        self._progress.reset(self._task, total=size)

    def moved(self, count: int) -> None:
        """So many bytes were just read; may be called from any thread."""
        self._progress.advance(self._task, count)

    def note(self, outcome: Outcome, account: Account) -> None:
        """One more file is done with; what needed no reading shrinks the task instead of speeding it up."""
        if not self.is_shown:
            return
        if outcome.word is not Word.SKIPPED:
            self._seen += 1
        if outcome.word in {Word.UNCHANGED, Word.REFUSED}:
            self._bytes = max(0, self._bytes - outcome.byte_size)
        refused = f", {account.refused:,} refused" if account.refused else ""
        told = f"{self._seen:,}/{max(self._files, self._seen):,} files{refused}"
        self._progress.update(self._task, total=self._bytes, told=told)
