"""What a search must answer, worked out document by document, with nothing but the contract to go by."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from functools import cmp_to_key
from typing import Any

from storage.index import Access, Document, Search, analyser
from storage.index import conditions as c
from storage.index import query as q

Text = tuple[str, analyser.Analysed]


def matching(documents: Iterable[Document], search: Search) -> list[Document]:
    """The documents found, in no particular order."""
    return [
        each
        for each in documents
        if sees(search.access, each)
        and (search.conditions is None or holds(search.conditions, each))
        and (search.query is None or search.query.root is None or says(search.query.root, each))
    ]


def sees(access: Access, document: Document) -> bool:
    carried = document.access | {document.id}
    return access is None or any(
        all(group & carried for group in door.all_of) and not door.none_of & carried for door in access
    )


def ordered(documents: Iterable[Document], search: Search) -> list[Document]:
    """In the order asked, ties broken by the id in the direction of the last field."""

    def compare(one: Document, other: Document) -> int:
        for by in search.order:
            first, second = _sort_key(one, by.field), _sort_key(other, by.field)
            if first != second:
                return (1 if first > second else -1) * (-1 if by.descending else 1)
        return (1 if one.id > other.id else -1) * (-1 if search.order[-1].descending else 1)

    return sorted(documents, key=cmp_to_key(compare))


def facet(documents: Iterable[Document], field: str) -> list[tuple[Any, int]]:
    counts: Counter[Any] = Counter()
    for each in documents:
        counts.update(set(_facet_values(each, field)))
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:50]


def holds(condition: c.Condition, document: Document) -> bool:  # noqa: PLR0911, PLR0912 - one for each kind
    match condition:
        case c.All(parts):
            return all(holds(part, document) for part in parts)
        case c.AnyOf(parts):
            return any(holds(part, document) for part in parts)
        case c.Not(part):
            return not holds(part, document)
        case c.HasTag(tag_ids):
            return any(tag.id in tag_ids for tag in document.tags)
        case c.StartsWith(_, prefix):
            return document.media_type is not None and document.media_type.startswith(prefix)
        case c.FieldIs(key, words):
            return any(f"{key}{word}" in document.facts for word in words)
        case c.FieldBetween(key, least, most):
            return any(_lies_between(number, least, most) for number in _numbers(key, document))
        case c.FieldSays(key):
            return f"{key}" in document.facts
        case c.Among() | c.Deliverable():
            return document.id in c.ids_of(condition)
    value = getattr(document, condition.field)
    if value is None:
        return False
    match condition:
        case c.Is(_, wanted):
            return bool(value == wanted)
        case c.OneOf(_, wanted_any):
            return value in wanted_any
        case c.Between(_, low, high):
            return _lies_between(value, low, high)
    raise AssertionError(condition)


def says(node: q.Node, document: Document) -> bool:  # noqa: PLR0911 - one for each kind of node
    """Whether the document answers a typed query, stop words aside: these are welcome beside other words."""
    match node:
        case q.And(parts):
            required = [part for part in parts if not _is_stop_word(part)]
            if not any(not isinstance(part, q.Not | q.Filter) for part in required):
                required = list(parts)
            return all(says(part, document) for part in required)
        case q.Or(parts):
            return any(says(part, document) for part in parts)
        case q.Not(part):
            return not says(part, document)
        case q.Filter(condition):
            return holds(condition, document)
        case q.Word(text, _, _, scope):
            return _has_word(text, scope, document)
        case q.Phrase(text, scope):
            return _has_run([token.stem for token in analyser.analyse(text).words], scope, document)
        case q.Prefix(text, scope):
            return _has_beginning(text, scope, document)
        case q.Fuzzy(text, edits, scope):
            wanted = _surface(text)
            return any(
                surface[0] == wanted[0] and distance(surface, wanted) <= edits for surface in _surfaces(scope, document)
            )
    raise AssertionError(node)


def distance(one: str, other: str) -> int:
    """Optimal string alignment, by its textbook recurrence."""
    table = [[i + j if not i * j else 0 for j in range(len(other) + 1)] for i in range(len(one) + 1)]
    for i in range(1, len(one) + 1):
        for j in range(1, len(other) + 1):
            differs = one[i - 1] != other[j - 1]
            table[i][j] = min(table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + differs)
            if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
                table[i][j] = min(table[i][j], table[i - 2][j - 2] + 1)
    return table[-1][-1]


def _numbers(key: int, document: Document) -> list[int]:
    """Numbers are told as words, too."""
    mark = f"{key}:"
    return [int(fact.removeprefix(mark)) for fact in document.facts if fact.startswith(mark)]


def counted(documents: Iterable[Document], facts: Iterable[str]) -> dict[str, int]:
    counts = Counter(fact for each in documents for fact in each.facts)
    return {fact: counts[fact] for fact in facts if counts[fact]}


def _lies_between(value: Any, low: Any, high: Any) -> bool:
    below = high is None or (value < high if isinstance(value, datetime) else value <= high)
    return below and (low is None or bool(low <= value))


def _sort_key(document: Document, field: str) -> tuple[int, Any]:
    value = getattr(document, field)
    if field == "title":
        return (1, analyser.fold(value).encode())
    return (0, 0) if value is None else (1, value)


def _facet_values(document: Document, field: str) -> list[Any]:
    if field == "tag":
        return [tag.id for tag in document.tags]
    if field == "year":
        return [(document.captured_at or document.created_at).year]
    value = getattr(document, field)
    return [] if value is None else [value]


def _texts(scope: str | None, document: Document) -> list[analyser.Analysed]:
    texts = {
        "title": [document.title],
        "description": [document.description],
        "tag": [text for tag in document.tags for text in (tag.name, *tag.synonyms)],
        "campaign": document.campaigns,
        "file": document.file_names,
        "creator": document.creators,
        "other": document.texts,
    }
    chosen = texts.values() if scope is None else [texts[scope]]
    return [analyser.analyse(text) for many in chosen for text in many]


def _surfaces(scope: str | None, document: Document) -> list[str]:
    return [token.surface for text in _texts(scope, document) for token in (*text.words, *text.joined)]


def _has_word(text: str, scope: str | None, document: Document) -> bool:
    words, joined = analyser.analyse(text)
    if len(words) == 1 or joined:
        stem = words[0].stem if len(words) == 1 else joined[-1].stem
        for found in _texts(scope, document):
            if any(token.stem == stem for token in (*found.words, *found.joined)):
                return True
    return len(words) > 1 and _has_run([token.stem for token in words], scope, document)


def _has_beginning(text: str, scope: str | None, document: Document) -> bool:
    """Of a name that is split, the whole may begin a word, or its last piece may where the others stand."""
    *before, last = analyser.analyse(text).words
    surfaces = _surfaces(scope, document)
    if any(surface.startswith(_surface(text)) for surface in surfaces):
        return True
    begun = any(surface.startswith(last.surface) for surface in surfaces)
    return bool(before) and begun and _has_run([token.stem for token in before], scope, document)


def _has_run(stems: list[str], scope: str | None, document: Document) -> bool:
    for words, joined in _texts(scope, document):
        if len(stems) == 1 and any(token.stem == stems[0] for token in joined):
            return True
        found = [token.stem for token in words]
        if any(found[at : at + len(stems)] == stems for at in range(len(found))):
            return True
    return False


def _surface(text: str) -> str:
    return "".join(token.surface for token in analyser.analyse(text).words)


def _is_stop_word(node: q.Node) -> bool:
    return isinstance(node, q.Word) and node.scope is None and analyser.fold(node.text) in analyser.STOP_WORDS
