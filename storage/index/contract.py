"""What a search index promises, whichever engine keeps it.

Always true here:
- The rows are the truth. An index can be thrown away and built again; it is fed with whole documents, never
  with changes.
- `apply` and `rebuild` are all or nothing, also under kill -9, and move the checkpoint together with the
  documents.
- Once `apply` has returned, no process's next search shows a removed document, or one to a viewer it was
  taken from.
- Totals and facets are counted after access and conditions: nothing a viewer may not see adds to a number.
- One process at a time writes, holding `writer_lock`; any number of processes and threads read.
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, NamedTuple, Protocol, TypeAlias

from storage.index import conditions, query

#: One page and one more, so that the caller learns whether there is a next page.
MAX_LIMIT: Final = 101
#: How far a ranking is followed; beyond it, sorting by a date pages without end.
MAX_RANK: Final = 10_000
#: Revisions told at once.
MAX_REVISIONS: Final = 10_000
#: Values answered per facet.
FACET_VALUES: Final = 50

OrderField: TypeAlias = Literal["relevance", "created_at", "updated_at", "captured_at", "title", "byte_size"]
FacetField: TypeAlias = Literal["kind", "tag", "media_type", "year"]
#: A word that documents carry; a number stands for the document with this id, which need not carry it.
Term: TypeAlias = str | int


class Door(NamedTuple):
    """Lets in the documents that carry at least one term of every group of `all_of`, and no term of `none_of`.

    Without groups and terms it lets in every document; an empty group lets in none.
    """

    all_of: tuple[frozenset[Term], ...]
    none_of: frozenset[Term] = frozenset()


#: A document is seen if any of the doors lets it in; None sees all, and () nothing.
Access: TypeAlias = tuple[Door, ...] | None


class SearchRefused(ValueError):
    """The search cannot be answered as asked; the message is a whole sentence."""


class TooDeep(SearchRefused):
    """A ranking was followed beyond its 10,000th hit."""


class NotLeading(RuntimeError):
    """Someone wrote without holding the writer's lock, or the lock is held elsewhere."""


class NeedsRebuild(RuntimeError):
    """The index on disk was made by another analyser or schema and answers nothing until it is rebuilt."""


@dataclass(frozen=True, slots=True)
class Tag:
    id: int
    name: str
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One asset, or one face of it, as the index knows it. `access` holds the terms that the doors of a search
    ask for.
    """

    id: int
    org_id: int
    access: frozenset[str]
    title: str
    description: str = ""
    tags: tuple[Tag, ...] = ()
    campaigns: tuple[str, ...] = ()
    file_names: tuple[str, ...] = ()
    #: Creator, credit line, photographer: what `creator:` asks for.
    creators: tuple[str, ...] = ()
    #: Anything else worth finding: keywords, alternative texts.
    texts: tuple[str, ...] = ()
    #: What it says in fields of the brand's own (`storage.index.facts`).
    facts: frozenset[str] = frozenset()
    kind: str
    lifecycle: str
    media_type: str | None = None
    width: int | None = None
    height: int | None = None
    byte_size: int | None = None
    created_at: datetime
    updated_at: datetime
    captured_at: datetime | None = None
    revision: int = 1


@dataclass(frozen=True, slots=True)
class Put:
    """The document is now this, whether it was known before or not."""

    document: Document


@dataclass(frozen=True, slots=True)
class Remove:
    """The document is gone; removing an unknown one is no error."""

    id: int


class Position(NamedTuple):
    """Where a hit stands in its order: one key per field of the order, then the id, which breaks ties.

    Keys: `relevance` a float, dates microseconds since 1970 (UTC), `byte_size` bytes, `title` its sort key (a
    string); None where the value is missing. Plain enough to be written into a cursor.
    """

    key: tuple[float | int | str | None, ...]
    id: int


@dataclass(frozen=True, slots=True)
class OrderBy:
    field: OrderField
    descending: bool = True


RELEVANCE: Final = (OrderBy("relevance"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is asked.

    - `query` None finds everything that `access` and `conditions` let through; `access` None is a viewer who
      sees all.
    - `order`: relevance stands alone and descending. Missing values sort as the smallest. Ties are broken by
      the id in the direction of the last field; titles sort by the first 48 bytes of their folded form.
    - The hits strictly between `after` and `before` are paged, from the beginning or, with `backward`, from
      the end; they always come in the order asked.
    - `counted` are facts of the mark `=`: `Hits.counted` tells how many of those found say each, where any do.
    - `relax`: when nothing is found, words that occur nowhere the viewer sees are tried as beginnings of
      words, then as misspellings, and then any of the words is enough; `Hits.relaxed` tells.
    """

    query: "query.Query | None" = None
    access: Access = None
    conditions: "conditions.Condition | None" = None
    order: tuple[OrderBy, ...] = RELEVANCE
    after: Position | None = None
    before: Position | None = None
    backward: bool = False
    limit: int = 20
    facets: tuple[FacetField, ...] = ()
    counted: tuple[str, ...] = ()
    highlight: bool = False
    relax: bool = False


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of one text (in Unicode NFC) and where in it the matches stand, as [start, end) character
    offsets.
    """

    text: str
    matches: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class TextMatch:
    field: str
    fragments: tuple[Fragment, ...]


class Hit(NamedTuple):
    """`revision` is the one indexed: a caller who finds another in the rows knows that this hit is behind."""

    id: int
    revision: int
    score: float
    position: Position
    matches: tuple[TextMatch, ...] = ()


@dataclass(frozen=True, slots=True)
class FacetValue:
    """`value` is a tag's id for `tag`, a year for `year`, else the word itself."""

    value: str | int
    count: int


@dataclass(frozen=True, slots=True)
class Hits:
    """`total` is exact. `seq` is the checkpoint this answer reflects at least."""

    hits: tuple[Hit, ...]
    total: int
    seq: int
    facets: dict[str, tuple[FacetValue, ...]] = field(default_factory=dict)
    counted: dict[str, int] = field(default_factory=dict)
    relaxed: bool = False


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`text` is what the search box would hold; `count` how many documents the viewer sees with it."""

    text: str
    kind: Literal["title", "tag", "word"]
    count: int


class SearchIndex(Protocol):
    """A search index in one directory. Every method may be called from any thread."""

    @property
    def fingerprint(self) -> str:
        """What analyser and schema this program would index with: another text means other tokens."""

    @property
    def needs_rebuild(self) -> bool:
        """The directory was filled under another fingerprint: `apply`, `revisions`, `search`, `suggest`,
        `correct` raise NeedsRebuild.
        """

    def writer_lock(self) -> AbstractContextManager[None]:
        """Lead: hold the right to write, across processes, until the block ends or the process dies.

        Never waits: raises NotLeading when another holds it.
        """

    def apply(self, ops: Sequence[Put | Remove], seq: int) -> None:
        """Put and remove, all or nothing, and move the checkpoint to `seq`; of several ops on one id the last
        counts.

        Doing the same again changes nothing. A batch older than the checkpoint is passed over, for it is in
        the index already. Raises NotLeading outside `writer_lock`.
        """

    def checkpoint(self) -> int:
        """The `seq` of the newest batch that any search from now on reflects; 0 when nothing was ever
        applied.
        """

    def revisions(self, after_id: int, limit: int) -> list[tuple[int, int]]:
        """Id and revision of the first `limit` documents with an id above `after_id`, in order of id, whoever may
        see them: what the rows are compared with.

        Refuses a limit below 1 or above MAX_REVISIONS with SearchRefused.
        """

    def search(self, search: Search) -> Hits:
        """Answer; refuses with SearchRefused (TooDeep among them) or ConditionError."""

    def suggest(self, prefix: str, access: Access, limit: int = 10) -> list[Suggestion]:
        """How what is being typed may go on: titles and tags that begin so, then words that complete its last
        word.

        Only what stands in documents the viewer sees. An empty prefix suggests nothing.
        """

    def correct(self, query: "query.Query", access: Access) -> str | None:
        """Did you mean: the query's text with the words nobody wrote replaced by the nearest ones the viewer
        could find.

        None when every word is known or nothing near is.
        """

    def rebuild(self, documents: Iterable[Document], seq: int) -> None:
        """Build anew beside the old, then switch; readers keep the old until the switch, and half a rebuild
        counts for nothing. Raises NotLeading outside `writer_lock`.
        """

    def optimise(self) -> None:
        """Merge what many batches left behind, where it pays. For idle moments: searching goes on, applying waits.

        How long depends on the engine and on what gathered; the benchmarks say. Raises NotLeading outside
        `writer_lock`.
        """

    def close(self) -> None:
        """Let go of files. The object answers nothing afterwards."""
