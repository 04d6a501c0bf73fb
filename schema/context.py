"""What resolvers share while one request is answered: who asks, the unit of work, and batched reads.

A query sees one snapshot. Each mutation field is a unit of work of its own, and what is read of its answer is read
from a fresh snapshot taken after its commit. A batched read of the domain, `(work, ids) → {id: value}`, is a loader.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

from strawberry.dataloader import DataLoader

from domain import delivery
from domain.delivery import Leave
from domain.hub import Hub
from domain.licensing.terms import Request
from domain.refusals import StorageUnavailable
from domain.work import Viewer, Work
from schema.cost import Allowance
from storage import database

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Context:
    def __init__(
        self,
        hub: Hub,
        viewer: Viewer,
        request_id: str,
        reason: str | None = None,
        languages: tuple[str, ...] = (),
    ) -> None:
        self.hub = hub
        #: In which texts are wanted, the most wanted first.
        self.languages = languages
        #: Why the request is made, as it says itself.
        self.reason = reason
        self.viewer = viewer
        self.request_id = request_id
        #: What was left out of the answer for want of a permission, as `schema.fields` tells it.
        self.denied: list[dict[str, Any]] = []
        #: What the request costs, and what it leaves to spend; None where nothing limits that.
        self.cost = 0
        self.allowance: Allowance | None = None
        #: Done before a snapshot is taken.
        self.before_reading: Callable[[], None] = lambda: None
        self._open = ExitStack()
        self._reading: Work | None = None
        self._loaders: dict[Hashable, DataLoader[Any, Any]] = {}

    @property
    def work(self) -> Work:
        """The unit of work to read with, opened when first asked for."""
        if self._reading is None:
            self.before_reading()
            self._reading = self._open.enter_context(self.hub.reading(self.viewer, self.request_id))
        return self._reading

    @contextmanager
    def writing(self) -> Iterator[Work]:
        """A unit of work to write with; whatever was read before is forgotten."""
        self.close()
        with self.hub.writing(self.viewer, self.request_id) as work:
            work.reason = self.reason
            yield work

    async def load(
        self,
        read: Callable[..., Mapping[Key, Value]],
        key: Key,
        *arguments: Hashable,
    ) -> Value | None:
        """`read(work, keys, *arguments)[key]`, with all keys asked for at the same time read at once."""
        name = (read, *arguments)
        if name not in self._loaders:
            self._loaders[name] = DataLoader(load_fn=self._batched(read, arguments))
        # Others wait for the same reading: whoever is given up for an error elsewhere must not take it with them.
        found: Value | None = await asyncio.shield(self._loaders[name].load(key))
        return found

    async def leave(self, version_id: int, use: Request | None = None) -> Leave | None:
        """By what an address of the version is given for this use; None: it is not. All that are asked for at the same
        time are decided at once, and what is to be kept of it is written in one transaction of its own, beside the
        snapshot that is read.
        """
        return await self.load(self._leaves, version_id, use)

    def close(self) -> None:
        """Ends the snapshot; the next read takes a new one."""
        self._loaders.clear()
        self._reading = None
        self._open.close()

    def _leaves(self, work: Work, version_ids: Iterable[int], use: Request | None) -> Mapping[int, Leave]:
        found, drafts = delivery.leaves(work, version_ids, use)
        if drafts:
            try:
                with self.hub.aside(self.viewer, self.request_id) as writing:
                    found |= delivery.keep(writing, drafts)
            except database.Contended as busy:
                raise StorageUnavailable("The database is busy: ask again in a moment.") from busy
        return found

    def _batched(self, read: Callable[..., Mapping[Any, Any]], arguments: tuple[Hashable, ...]) -> Any:
        async def batch(keys: Iterable[Any]) -> list[Any]:
            wanted = list(keys)
            found = read(self.work, wanted, *arguments)
            return [found.get(key) for key in wanted]

        return batch
