"""The engines compared: ours, Whoosh as its manual has it, and tantivy with nothing of ours between.

Always true here:
- All of them index the words our analyser finds, and answer 20 ids, the total, and facets when asked.
"""

import shutil
import time
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import tantivy
from tantivy import FieldType, Occur, Order, Query

from bench.search import corpus
from bench.search.tasks import Task
from storage import index
from storage.index import Document, Door, OrderBy, Search, analyser, conditions, ordering, query, texts

PAGE: Final = 20
FACETS: Final = ("kind", "tag", "media_type", "year")
Answer = tuple[int, int]


class Engine(Protocol):
    @property
    def name(self) -> str: ...

    def build(self, directory: Path, documents: Iterable[Document]) -> None: ...

    def open(self, directory: Path) -> None: ...

    def run(self, task: Task) -> Answer:
        """How many hits came and how many there are."""

    def close(self) -> None: ...


@dataclass
class Ours:
    kind: str

    @property
    def name(self) -> str:
        return f"our {self.kind}"

    def build(self, directory: Path, documents: Iterable[Document]) -> None:
        made = index.open_index(self.kind, directory)
        with made.writer_lock():
            made.rebuild(documents, 1)
        made.close()

    def open(self, directory: Path) -> None:
        self.opened = index.open_index(self.kind, directory)

    def run(self, task: Task) -> Answer:
        parts: list[conditions.Condition] = []
        if task.kind:
            parts.append(conditions.Is("kind", task.kind))
        if task.since:
            parts.append(conditions.Between("created_at", task.since, None))
        answer = self.opened.search(
            Search(
                query=query.parse(task.text),
                access=None if task.access is None else (Door((task.access,)),),
                conditions=conditions.All(tuple(parts)) if parts else None,
                order=(OrderBy("created_at"),) if task.newest_first else index.RELEVANCE,
                facets=("kind", "tag", "media_type", "year") if task.facets else (),
                limit=PAGE,
            )
        )
        return len(answer.hits), answer.total

    def close(self) -> None:
        self.opened.close()


class RawTantivy:
    """The least code that answers: one field of stems, fast attributes, hand-made queries, an aggregation."""

    name = "raw tantivy"

    def __init__(self) -> None:
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("stem", tokenizer_name="whitespace", index_option="position")
        builder.add_text_field("word", tokenizer_name="whitespace", index_option="basic")
        builder.add_text_field("access", tokenizer_name="raw", index_option="basic")
        for name in ("kind", "media_type"):
            builder.add_text_field(name, tokenizer_name="raw", index_option="basic", fast=True)
        for name in ("id", "tag", "year", "created_at"):
            builder.add_integer_field(name, indexed=True, fast=True)
        self.schema = builder.build()

    def build(self, directory: Path, documents: Iterable[Document]) -> None:
        directory.mkdir(parents=True)
        writer = tantivy.Index(self.schema, str(directory)).writer(64_000_000, 1)
        for document in documents:
            analysed = texts.analysed(texts.of(document))
            made = tantivy.Document()
            made.add_text("stem", " ".join(token.stem for text in analysed for token in text.words))
            made.add_text("word", " ".join({token.surface for text in analysed for token in text.words}))
            made.add_text("kind", document.kind)
            made.add_text("media_type", document.media_type or "")
            for term in document.access:
                made.add_text("access", term)
            for tag in document.tags:
                made.add_integer("tag", tag.id)
            made.add_integer("id", document.id)
            made.add_integer("year", ordering.year(document))
            made.add_integer("created_at", ordering.microseconds(document.created_at))
            writer.add_document(made)
        writer.commit()
        writer.wait_merging_threads()

    def open(self, directory: Path) -> None:
        self.searcher = tantivy.Index.open(str(directory)).searcher()

    def run(self, task: Task) -> Answer:
        query_ = self._query(task)
        newest = "created_at" if task.newest_first else None
        result: Any = self.searcher.search(query_, limit=PAGE, order_by_field=newest, order=Order.Desc)
        ids = self.searcher.fast_field_values("id", [address for _, address in result.hits])
        if task.facets:
            self.searcher.aggregate(query_, {name: {"terms": {"field": name, "size": 50}} for name in FACETS})
        return len(ids), result.count

    def close(self) -> None:
        pass

    def _query(self, task: Task) -> Any:
        stems = [analyser.analyse(word).words[0].stem for word in task.words]
        if task.phrase:
            made = Query.phrase_query(self.schema, "stem", [*stems])
        elif task.prefix:
            made = Query.regex_query(self.schema, "word", analyser.fold(task.words[0]) + ".*")
        else:
            terms = [Query.term_query(self.schema, "stem", stem, "freq") for stem in stems]
            occur = Occur.Should if task.any_word else Occur.Must
            made = terms[0] if len(terms) == 1 else Query.boolean_query([(occur, term) for term in terms])
        clauses = [(Occur.Must, made)]
        if task.access:
            clauses.append((Occur.Must, Query.term_set_query(self.schema, "access", sorted(task.access))))
        if task.kind:
            clauses.append((Occur.Must, Query.term_query(self.schema, "kind", task.kind, "basic")))
        if task.since:
            low = ordering.microseconds(task.since)
            clauses.append((Occur.Must, Query.range_query(self.schema, "created_at", FieldType.Integer, low)))
        return clauses[0][1] if len(clauses) == 1 else Query.boolean_query(clauses)


class StockWhoosh:
    """Whoosh by its manual: a text field per text, sortable columns, default writer, its own searcher and
    facets.
    """

    name = "stock Whoosh"
    _TEXTS: Final = ("title", "description", "tag", "campaign", "file", "creator")

    def __init__(self) -> None:
        # Whoosh's source warns when first compiled.
        warnings.simplefilter("ignore", SyntaxWarning)
        from whoosh import analysis, fields

        blank = analysis.RegexTokenizer(r"\S+")
        columns = {name: fields.ID(sortable=True) for name in ("kind", "media_type", "year")}
        self.schema = fields.Schema(
            id=fields.ID(stored=True, unique=True),
            access=fields.KEYWORD(),
            tag_id=fields.KEYWORD(sortable=True),
            created_at=fields.NUMERIC(int, bits=64, sortable=True),
            **columns,
            **{name: fields.TEXT(analyzer=blank) for name in self._TEXTS},
        )

    def build(self, directory: Path, documents: Iterable[Document]) -> None:
        from whoosh import index as whoosh_index

        directory.mkdir(parents=True)
        writer = whoosh_index.create_in(str(directory), self.schema).writer(limitmb=256)
        for document in documents:
            stems: dict[str, list[str]] = {}
            for text in texts.analysed(texts.of(document)):
                stems.setdefault(texts.FIELDS[text.field], []).extend(token.stem for token in text.words)
            writer.add_document(
                id=str(document.id),
                access=" ".join(document.access),
                tag_id=" ".join(str(tag.id) for tag in document.tags),
                kind=document.kind,
                media_type=document.media_type,
                year=str(ordering.year(document)),
                created_at=ordering.microseconds(document.created_at),
                **{name: " ".join(words) for name, words in stems.items()},
            )
        writer.commit()

    def open(self, directory: Path) -> None:
        from whoosh import index as whoosh_index

        self.searcher = whoosh_index.open_dir(str(directory)).searcher()

    def run(self, task: Task) -> Answer:
        from whoosh import query as q
        from whoosh import sorting

        grouped = None
        if task.facets:
            columns = {name: sorting.FieldFacet(name, maptype=sorting.Count) for name in ("kind", "media_type", "year")}
            columns["tag"] = sorting.FieldFacet("tag_id", allow_overlap=True, maptype=sorting.Count)
            grouped = sorting.Facets()
            for name, facet in columns.items():
                grouped.add_facet(name, facet)
        filters = []
        if task.access:
            filters.append(q.Or([q.Term("access", term) for term in task.access]))
        if task.kind:
            filters.append(q.Term("kind", task.kind))
        if task.since:
            filters.append(q.NumericRange("created_at", ordering.microseconds(task.since), None))
        result = self.searcher.search(
            self._query(task),
            limit=PAGE,
            groupedby=grouped,
            filter=q.And(filters) if filters else None,
            sortedby=sorting.FieldFacet("created_at", reverse=True) if task.newest_first else None,
        )
        if task.facets:
            for name in ("kind", "media_type", "year", "tag"):
                result.groups(name)
        return result.scored_length(), len(result)

    def close(self) -> None:
        self.searcher.close()

    def _query(self, task: Task) -> Any:
        from whoosh import query as q

        if task.prefix:
            return q.Or([q.Prefix(name, analyser.fold(task.words[0])) for name in self._TEXTS])
        stems = [analyser.analyse(word).words[0].stem for word in task.words]
        if task.phrase:
            return q.Or([q.Phrase(name, stems) for name in self._TEXTS])
        terms = [q.Or([q.Term(name, stem) for name in self._TEXTS]) for stem in stems]
        return (q.Or if task.any_word else q.And)(terms)


def prepared(engine: Engine, cache: Path, size: int) -> float | None:
    """The engine's index of so many assets, built when missing or outdated: CPU seconds then, else None."""
    directory = cache / f"{engine.name.replace(' ', '-')}-{size}"
    spent = None
    if not (directory / "complete").exists() or _is_outdated(engine, directory / "index"):
        shutil.rmtree(directory, ignore_errors=True)
        spent = built(engine, directory / "index", size)
        (directory / "complete").touch()
    engine.open(directory / "index")
    return spent


def _is_outdated(engine: Engine, directory: Path) -> bool:
    """Whether it was built by an analyser or schema of ours that is no longer in use."""
    return isinstance(engine, Ours) and index.open_index(engine.kind, directory).needs_rebuild


def built(engine: Engine, directory: Path, size: int) -> float:
    """Build from scratch; CPU seconds, without making up the assets."""
    documents = list(corpus.documents(size))
    before = time.process_time()
    engine.build(directory, documents)
    return time.process_time() - before


def size_of(directory: Path) -> int:
    """Bytes on the disk."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
