"""Titles, tags and words that begin with what is being typed, counted over the documents a viewer sees."""

from typing import Any

from tantivy import Occur, Query

from storage.index import suggesting, texts
from storage.index.analyser import fold
from storage.index.contract import Suggestion
from storage.index.ordering import TITLE_BYTES
from storage.index.texts import NUMBERS, Text


def suggest(searcher: Any, made: Any, visible: Any, prefix: str, limit: int) -> list[Suggestion]:
    typed = suggesting.typed(prefix)
    if typed is None:
        return []
    beginning = typed.folded.encode()[:TITLE_BYTES].decode(errors="ignore")
    titles = []
    for key, count in counted(searcher, visible, "title", beginning)[:limit]:
        title = _first(_example(searcher, made, visible, "title", key), "title")
        titles.append(Suggestion(title, "title", count))
    tags = []
    for key, count in counted(searcher, visible, "tag_name", typed.folded)[:limit]:
        found = _example(searcher, made, visible, "tag_name", key)
        name = next((text for field, text in found if field == NUMBERS["tag"] and fold(text) == key), key)
        tags.append(Suggestion(name, "tag", count))
    words = []
    for word, count in counted(searcher, visible, "word", typed.last)[:limit] if typed.last else []:
        spelt = suggesting.spelling(_example(searcher, made, visible, "word", word), word)
        words.append(Suggestion(typed.head + spelt, "word", count))
    return suggesting.mixed(titles, tags, words, limit)


def counted(searcher: Any, visible: Any, field: str, prefix: str) -> list[tuple[str, int]]:
    """Terms beginning so with how many visible documents have each, the most frequent first."""
    terms = [term for term in searcher.terms_with_prefix(field, prefix, visible) if term[1]]
    return sorted(terms, key=lambda term: (-term[1], term[0]))


def _example(searcher: Any, made: Any, visible: Any, field: str, term: str) -> list[Text]:
    """The texts of a visible document with this term."""
    with_it = Query.term_query(made, field, term, "basic")
    query = Query.boolean_query([(Occur.Must, visible), (Occur.Must, with_it)])
    hits = searcher.search(query, limit=1, count=False).hits
    return texts.unpacked(bytes(searcher.doc(hits[0][1]).get_first("texts"))) if hits else []


def _first(found: list[Text], field: str) -> str:
    return next((text for number, text in found if number == NUMBERS[field]), "")
