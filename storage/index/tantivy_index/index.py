"""The index kept by tantivy: native filters, facets and orders. Advised from 50,000 assets."""

import contextlib
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import tantivy

from storage.index import analyser, conditions, highlighting, home, ordering, plan, texts, wording
from storage.index.contract import Access, Document, Hit, Hits, NeedsRebuild, Put, Remove, Search, Suggestion
from storage.index.plan import Plan, Step
from storage.index.query import Query
from storage.index.tantivy_index import counting, paging, schema, suggestions
from storage.index.tantivy_index.asking import Asking

#: Bytes the one writer thread gathers before it writes a segment; tantivy wants at least 15 MB.
_HEAP: Final = 64_000_000
_NOWHERE: Final = (-1, -1, -1)


class _Seen(NamedTuple):
    """The index as this process last saw it: which file said so, and the searcher of that moment."""

    generation: home.Generation
    stamp: tuple[int, int, int]
    index: Any
    searcher: Any
    seq: int


class TantivyIndex:
    """See `SearchIndex`."""

    fingerprint: Final = f"tantivy-0.27.0-{analyser.VERSION}-{texts.VERSION}-{schema.VERSION}"

    def __init__(self, directory: Path) -> None:
        self._home = home.Home(directory)
        self._schema = schema.build()
        self._reading = threading.Lock()
        self._writing = threading.Lock()
        self._seen: _Seen | None = None
        self._writer: tuple[Path, Any] | None = None

    @property
    def needs_rebuild(self) -> bool:
        generation = self._home.current()
        return generation is not None and generation.fingerprint != self.fingerprint

    @contextlib.contextmanager
    def writer_lock(self) -> Iterator[None]:
        with self._home.lead():
            try:
                yield
            finally:
                self._let_go()

    def checkpoint(self) -> int:
        try:
            seen = self._now()
        except NeedsRebuild:
            return 0
        return seen.seq if seen else 0

    def apply(self, ops: Sequence[Put | Remove], seq: int) -> None:
        with self._writing:
            self._home.check_leading()
            path = self._directory()
            if seq < self.checkpoint():
                return
            writer = self._open_writer(path)
            try:
                for id_, op in {op.id if isinstance(op, Remove) else op.document.id: op for op in ops}.items():
                    writer.delete_documents_by_term("id", id_)
                    if isinstance(op, Put):
                        writer.add_document(schema.document(op.document))
                _set_checkpoint(writer, seq)
                writer.commit()
            except BaseException:
                writer.rollback()
                raise

    def rebuild(self, documents: Iterable[Document], seq: int) -> None:
        with self._writing:
            path = self._home.begin()
            writer = tantivy.Index(self._schema, str(path)).writer(_HEAP, 1)
            known: set[int] = set()
            for document in documents:
                if document.id in known:
                    writer.delete_documents_by_term("id", document.id)
                known.add(document.id)
                writer.add_document(schema.document(document))
            _set_checkpoint(writer, seq)
            writer.commit()
            writer.wait_merging_threads()
            self._let_go()
            self._home.switch(path, self.fingerprint)

    def optimise(self) -> None:
        """Tantivy merges by itself after commits; this waits until it has."""
        with self._writing:
            self._home.check_leading()
            self._let_go()

    def revisions(self, after_id: int, limit: int) -> list[tuple[int, int]]:
        ordering.check_revisions(limit)
        seen = self._now()
        return paging.revisions(seen.searcher, Asking(self._schema, seen.searcher), after_id, limit) if seen else []

    def search(self, search: Search) -> Hits:
        ordering.check(search)
        if search.conditions is not None:
            conditions.check(search.conditions)
        seen = self._now()
        if seen is None:
            return Hits((), 0, 0, dict.fromkeys(search.facets, ()))
        planned = plan.of(search.query)
        whole, page = self._page(seen, search, planned)
        relaxed = False
        if search.relax and search.query is not None and not page.total:
            for kinder in wording.relaxed(search.query, self._occurs(seen, search.access)):
                planned = plan.of(kinder)
                whole, page = self._page(seen, search, planned)
                relaxed = bool(page.total)
                if relaxed:
                    break
        return Hits(
            hits=tuple(_highlighted(seen.searcher, page, planned) if search.highlight else page.hits),
            total=page.total,
            seq=seen.seq,
            facets=counting.count(seen.searcher, whole, search.facets),
            counted=counting.facts(seen.searcher, whole, search.counted),
            relaxed=relaxed,
        )

    def suggest(self, prefix: str, access: Access, limit: int = 10) -> list[Suggestion]:
        seen = self._now()
        if seen is None:
            return []
        return suggestions.suggest(seen.searcher, self._schema, self._visible(seen, access), prefix, limit)

    def correct(self, query: Query, access: Access) -> str | None:
        seen = self._now()
        if seen is None:
            return None
        visible = self._visible(seen, access)

        def beginning(prefix: str) -> list[wording.Known]:
            counts = suggestions.counted(seen.searcher, visible, "word", prefix)
            return [wording.Known(word, count) for word, count in counts]

        return wording.corrected(query, self._occurs(seen, access), beginning)

    def close(self) -> None:
        self._let_go()
        self._seen = None

    def _now(self) -> _Seen | None:
        """The newest state: costs two stats while nothing changes."""
        while True:
            generation = self._home.current()
            if generation is None:
                return None
            if generation.fingerprint != self.fingerprint:
                raise NeedsRebuild("This search index was made by another analyser or schema; rebuild it.")
            seen = self._seen
            if seen and seen.generation is generation and seen.stamp == _stamp(generation.path):
                return seen
            try:
                with self._reading:
                    self._seen = self._reopened(generation)
                    return self._seen
            except (OSError, ValueError):
                # A writer switched generations between our reading of the pointer and our opening of its
                # files.
                if self._home.current() is generation:
                    raise

    def _reopened(self, generation: home.Generation) -> _Seen:
        seen = self._seen
        stamp = _stamp(generation.path)
        if seen and seen.generation is generation:
            if seen.stamp == stamp:
                return seen
            index = seen.index
            index.reload()
        else:
            index = _opened(generation.path)
        searcher = index.searcher()
        return _Seen(generation, stamp, index, searcher, self._seq(searcher))

    def _seq(self, searcher: Any) -> int:
        hits = searcher.search(Asking(self._schema, searcher).checkpoint(), limit=1, count=False).hits
        return int(searcher.doc(hits[0][1]).get_first("seq")) if hits else 0

    def _page(self, seen: _Seen, search: Search, planned: Plan) -> tuple[Any, paging.Page]:
        asking = Asking(self._schema, seen.searcher)
        whole = asking.whole(planned, asking.allowed(search.access, search.conditions))
        if search.order[0].field == "relevance" and _is_ranked(planned):
            return whole, paging.by_score(seen.searcher, whole, search)
        return whole, paging.by_columns(seen.searcher, asking, whole, search)

    def _visible(self, seen: _Seen, access: Access) -> Any:
        asking = Asking(self._schema, seen.searcher)
        return asking.visible(asking.allowed(access, None))

    def _occurs(self, seen: _Seen, access: Access) -> wording.Occurs:
        asking = Asking(self._schema, seen.searcher)
        allowed = asking.allowed(access, None)

        def occurs(step: Step) -> bool:
            whole = asking.whole(Plan(step, None), allowed)
            return bool(seen.searcher.search(whole, limit=1).count)

        return occurs

    def _directory(self) -> Path:
        """The generation to write to, made when there is none."""
        generation = self._home.current()
        if generation is None:
            path = self._home.begin()
            writer = tantivy.Index(self._schema, str(path)).writer(_HEAP, 1)
            writer.commit()
            writer.wait_merging_threads()
            self._home.switch(path, self.fingerprint)
            return path
        if generation.fingerprint != self.fingerprint:
            raise NeedsRebuild("This search index was made by another analyser or schema; rebuild it.")
        return generation.path

    def _open_writer(self, path: Path) -> Any:
        """The writer of this generation, kept while leading: opening one starts threads."""
        if self._writer is None or self._writer[0] != path:
            self._let_go()
            self._writer = (path, tantivy.Index.open(str(path)).writer(_HEAP, 1))
        return self._writer[1]

    def _let_go(self) -> None:
        if self._writer is not None:
            self._writer[1].wait_merging_threads()
            self._writer = None


def _is_ranked(planned: Plan) -> bool:
    """Whether scores differ at all: a single beginning or near word counts the same wherever it stands."""
    leaves = plan.scored(planned.root)
    return len(leaves) > 1 or any(isinstance(leaf, plan.Term | plan.Sequence) for leaf in leaves)


def _opened(path: Path) -> Any:
    index = tantivy.Index.open(str(path))
    # The default watches the directory from a thread of its own; asking before each search is surer.
    index.config_reader("manual")
    return index


def _set_checkpoint(writer: Any, seq: int) -> None:
    writer.delete_documents_by_term("role", schema.CHECKPOINT)
    writer.add_document(schema.checkpoint(seq))


def _stamp(path: Path) -> tuple[int, int, int]:
    """What tantivy's table of contents looks like from outside: it is replaced at every commit."""
    try:
        stat = os.stat(f"{path}/meta.json")  # noqa: PTH116 - asked before every search; a Path costs more than the question
    except FileNotFoundError:
        return _NOWHERE
    return (stat.st_ino, stat.st_mtime_ns, stat.st_size)


def _highlighted(searcher: Any, page: paging.Page, planned: Plan) -> list[Hit]:
    leaves = highlighting.leaves(planned)
    if not leaves:
        return page.hits
    hits = []
    for hit, address in zip(page.hits, page.addresses, strict=True):
        stored = texts.unpacked(bytes(searcher.doc(address).get_first("texts")))
        hits.append(hit._replace(matches=highlighting.matches(stored, leaves)))
    return hits
