"""The embedded index: Whoosh keeps the words, numpy answers, SQLite says what holds. Good to about 100,000
assets.
"""

import contextlib
import threading
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np

from storage.index import analyser, conditions, highlighting, home, ordering, plan, texts, wording
from storage.index.contract import (
    Access,
    Document,
    Hit,
    Hits,
    NeedsRebuild,
    Put,
    Remove,
    Search,
    Suggestion,
    TextMatch,
)
from storage.index.plan import Plan, Step
from storage.index.query import Query
from storage.index.whoosh_index import columns, counting, matching, merging, paging, segment, sidecar, suggestions
from storage.index.whoosh_index.batch import Batch
from storage.index.whoosh_index.matching import Matching
from storage.index.whoosh_index.segment import Mask
from storage.index.whoosh_index.snapshot import Live

#: Documents per segment while building: bounds memory, and what a merge later has to move.
_SHARE: Final = 16_384


class WhooshIndex:
    """See `SearchIndex`."""

    fingerprint: Final = f"whoosh-2.7.4-{analyser.VERSION}-{texts.VERSION}-{columns.VERSION}"

    def __init__(self, directory: Path) -> None:
        self._home = home.Home(directory)
        self._live = Live(self._home, self.fingerprint)
        self._writing = threading.Lock()

    @property
    def needs_rebuild(self) -> bool:
        generation = self._home.current()
        return generation is not None and generation.fingerprint != self.fingerprint

    @contextlib.contextmanager
    def writer_lock(self) -> Iterator[None]:
        with self._home.lead():
            generation = self._home.current()
            if generation is not None and generation.fingerprint == self.fingerprint:
                merging.sweep(generation.path)
            yield

    def checkpoint(self) -> int:
        try:
            return self._live.snapshot().seq
        except NeedsRebuild:
            return 0

    def apply(self, ops: Sequence[Put | Remove], seq: int) -> None:
        with self._writing:
            self._home.check_leading()
            directory = self._directory()
            writer = sidecar.Writer(directory)
            try:
                if seq < writer.seq:
                    return
                _write(directory, writer, ops)
                dropped = merging.merge_small(directory, writer)
                writer.commit(seq)
            finally:
                writer.close()
            merging.remove(directory, dropped)

    def rebuild(self, documents: Iterable[Document], seq: int) -> None:
        with self._writing:
            directory = self._home.begin()
            sidecar.create(directory)
            writer = sidecar.Writer(directory)
            try:
                for some in _batches(documents):
                    _write(directory, writer, [Put(document) for document in some])
                writer.commit(seq)
            finally:
                writer.close()
            self._home.switch(directory, self.fingerprint)

    def optimise(self) -> None:
        with self._writing:
            self._home.check_leading()
            directory = self._directory()
            writer = sidecar.Writer(directory)
            try:
                dropped = merging.merge_idle(directory, writer)
                writer.commit(writer.seq)
            finally:
                writer.close()
            merging.remove(directory, dropped)

    def revisions(self, after_id: int, limit: int) -> list[tuple[int, int]]:
        ordering.check_revisions(limit)
        return self._live.snapshot().revisions(after_id, limit)

    def search(self, search: Search) -> Hits:
        ordering.check(search)
        if search.conditions is not None:
            conditions.check(search.conditions)
        snapshot = self._live.snapshot()
        visible = snapshot.visible(search.access)
        allowed = matching.base(snapshot, visible.masks, search.conditions)
        query, planned = search.query, plan.of(search.query)
        run = Matching(snapshot, visible)
        masks = _found(run, planned, allowed)
        relaxed = False
        if search.relax and query is not None and not _any(masks):
            for kinder in wording.relaxed(query, lambda step: _occurs(run, step, visible.masks)):
                planned = plan.of(kinder)
                masks = _found(run, planned, allowed)
                relaxed = _any(masks)
                if relaxed:
                    break
        ranked = search.order[0].field == "relevance" and bool(plan.scored(planned.root))
        page = paging.page(snapshot, search, masks, run.scores(planned) if ranked else None)
        return Hits(
            hits=tuple(self._hits(page, planned, highlight=search.highlight)),
            total=sum(int(np.count_nonzero(mask)) for mask in masks),
            seq=snapshot.seq,
            facets={name: counting.count(snapshot, masks, name) for name in search.facets},
            counted=counting.facts(snapshot, masks, search.counted),
            relaxed=relaxed,
        )

    def suggest(self, prefix: str, access: Access, limit: int = 10) -> list[Suggestion]:
        return suggestions.suggest(self._live.snapshot(), self._texts, prefix, access, limit)

    def correct(self, query: Query, access: Access) -> str | None:
        snapshot = self._live.snapshot()
        visible = snapshot.visible(access)
        run = Matching(snapshot, visible)

        def beginning(prefix: str) -> list[wording.Known]:
            counts = suggestions.counted(snapshot, prefix, visible.masks)
            return [wording.Known(word, count) for word, count in counts.items()]

        return wording.corrected(query, lambda step: _occurs(run, step, visible.masks), beginning)

    def close(self) -> None:
        self._live.close()

    def _directory(self) -> Path:
        """The generation to write to, made when there is none."""
        generation = self._home.current()
        if generation is None:
            directory = self._home.begin()
            sidecar.create(directory)
            self._home.switch(directory, self.fingerprint)
            return directory
        if generation.fingerprint != self.fingerprint:
            raise NeedsRebuild("This search index was made by another analyser or schema; rebuild it.")
        return generation.path

    def _hits(self, page: list[paging.Found], planned: Plan, *, highlight: bool) -> Iterator[Hit]:
        leaves = highlighting.leaves(planned) if highlight else []
        found = self._texts([row.id for row in page]) if leaves else {}
        for row in page:
            matches: tuple[TextMatch, ...] = highlighting.matches(found.get(row.id, []), leaves) if leaves else ()
            yield Hit(row.id, row.revision, row.score, row.position, matches)

    def _texts(self, ids: list[int]) -> dict[int, list[texts.Text]]:
        rows = self._live.texts(ids)
        return {id_: texts.unpacked(row) for id_, row in rows.items()}


def _write(directory: Path, writer: sidecar.Writer, ops: Sequence[Put | Remove]) -> None:
    last = {op.id if isinstance(op, Remove) else op.document.id: op for op in ops}
    writer.bury(list(last))
    put = [op.document for op in last.values() if isinstance(op, Put)]
    if not put:
        return
    name = segment.new_name()
    batch = Batch()
    found = [(document.id, name, at, texts.packed(batch.add(document))) for at, document in enumerate(put)]
    segment.write(directory, name, batch.columns(), batch.postings())
    writer.add_segment(name, len(batch))
    writer.place(found)


def _batches(documents: Iterable[Document]) -> Iterator[list[Document]]:
    waiting = iter(documents)
    while some := list(islice(waiting, _SHARE)):
        yield some


def _found(run: Matching, planned: Plan, allowed: list[Mask]) -> list[Mask]:
    if planned.root is None:
        return allowed
    return [mask & base for mask, base in zip(run.masks(planned.root), allowed, strict=True)]


def _any(masks: list[Mask]) -> bool:
    return any(mask.any() for mask in masks)


def _occurs(run: Matching, step: Step, visible: list[Mask]) -> bool:
    return _any([mask & base for mask, base in zip(run.masks(step), visible, strict=True)])
