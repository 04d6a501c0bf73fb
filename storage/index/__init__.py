"""The search index: find assets by words, filters and facets; disposable, rebuilt from the rows.

`open_index` gives a `SearchIndex` kept by Whoosh (embedded, the default) or tantivy (an extra; advised from
50,000 assets). What it promises stands in `contract`, the filters in `conditions`, what people may type in
`query`.
"""

from pathlib import Path
from typing import Literal, TypeAlias, get_args

from storage.index import analyser, conditions, query
from storage.index.contract import (
    FACET_VALUES,
    MAX_LIMIT,
    MAX_RANK,
    MAX_REVISIONS,
    RELEVANCE,
    Access,
    Document,
    Door,
    FacetField,
    FacetValue,
    Fragment,
    Hit,
    Hits,
    NeedsRebuild,
    NotLeading,
    OrderBy,
    OrderField,
    Position,
    Put,
    Remove,
    Search,
    SearchIndex,
    SearchRefused,
    Suggestion,
    Tag,
    Term,
    TextMatch,
    TooDeep,
)

__all__ = [
    "FACET_VALUES",
    "MAX_LIMIT",
    "MAX_RANK",
    "MAX_REVISIONS",
    "RELEVANCE",
    "Access",
    "BackendMissing",
    "Document",
    "Door",
    "FacetField",
    "FacetValue",
    "Fragment",
    "Hit",
    "Hits",
    "Kind",
    "NeedsRebuild",
    "NotLeading",
    "OrderBy",
    "OrderField",
    "Position",
    "Put",
    "Remove",
    "Search",
    "SearchIndex",
    "SearchRefused",
    "Suggestion",
    "Tag",
    "Term",
    "TextMatch",
    "TooDeep",
    "analyser",
    "conditions",
    "open_index",
    "query",
]

Kind: TypeAlias = Literal["whoosh", "tantivy"]


class BackendMissing(RuntimeError):
    """The engine asked for is not installed, or there is none of that name; the message says what to do."""


def open_index(kind: str, directory: Path) -> SearchIndex:
    """The index in this directory, which is made when missing. Nothing is written before the first
    `apply`.
    """
    if kind == "whoosh":
        from storage.index.whoosh_index import WhooshIndex

        return WhooshIndex(directory)
    if kind != "tantivy":
        raise BackendMissing(f"There is no search engine “{kind}”; there are {', '.join(get_args(Kind))}.")
    try:
        from storage.index.tantivy_index import TantivyIndex
    except ModuleNotFoundError as missing:
        if missing.name != "tantivy":
            raise
        raise BackendMissing("The search engine tantivy is not installed; add the extra [tantivy].") from missing
    return TantivyIndex(directory)
