"""Fetching the files of sessions, a file of each in turn, a ZIP at once; and taking in what lies in the hot folder."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from domain import fetching, importing
from domain.asking import message_of
from domain.fetching import FetchLane, UnpackSession
from domain.work import Work
from storage import blobs
from storage.jobs import Claimed
from workers.registry import Chore, Handler, JobFailed, Tools, Write


@dataclass(frozen=True)
class AskFetching:
    """Ask again for whatever still waits to be fetched, should its job have died."""

    kind: ClassVar[str] = "ask_fetching"
    queue: ClassVar[str] = "upkeep"
    priority: ClassVar[int] = 0
    max_attempts: ClassVar[int] = 3

    def unique_key(self) -> str:
        return self.kind


@dataclass(frozen=True)
class WatchFolder:
    """Take in what rests in the hot folder."""

    kind: ClassVar[str] = "watch_folder"
    queue: ClassVar[str] = "upkeep"
    priority: ClassVar[int] = 0
    max_attempts: ClassVar[int] = 3

    def unique_key(self) -> str:
        return self.kind


def fetch_lane(tools: Tools, job: Claimed) -> Write:
    lane = message_of(FetchLane, job.payload).lane
    while sessions := fetching.sessions_of(tools.hub, lane):
        for session_id in sessions:
            tools.tick()
            try:
                fetching.fetch_next(tools.hub, session_id, tools.tick)
            except blobs.StoreUnavailable as error:
                raise JobFailed("UNAVAILABLE", str(error), retryable=True) from error
    return _nothing_more


def unpack_session(tools: Tools, job: Claimed) -> Write:
    fetching.fetch_zip(tools.hub, message_of(UnpackSession, job.payload).session_id, tools.tick)
    return _nothing_more


def ask_fetching(_tools: Tools, _job: Claimed) -> Write:
    return fetching.lanes_to_ask


def watch_folder(tools: Tools, _job: Claimed) -> Write:
    folder = tools.hub.settings.hot_folder
    if folder:
        for outcome in importing.watch(tools.hub, Path(folder), stop=threading.Event(), tick=tools.tick):
            tools.log.info("hot_folder.file", word=outcome.word.value, reason=outcome.reason, asset=outcome.asset_id)
    return _nothing_more


def _nothing_more(_work: Work) -> None: ...


HANDLERS: dict[str, Handler] = {
    FetchLane.kind: fetch_lane,
    UnpackSession.kind: unpack_session,
    AskFetching.kind: ask_fetching,
    WatchFolder.kind: watch_folder,
}
CHORES = (
    Chore("ask_fetching", timedelta(minutes=5), AskFetching()),
    Chore("watch_folder", timedelta(minutes=1), WatchFolder()),
)
