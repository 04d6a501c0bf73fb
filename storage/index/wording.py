"""What to make of words nobody wrote: other readings of a query, and the nearest known words.

Always true here:
- Only words that occur in no document the viewer sees are touched; whatever is quoted, prefixed or filtered
  stays.
- Short words are left alone: within three letters everything is near everything.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from storage.index import analyser, nearest, plan
from storage.index.plan import Step
from storage.index.query import And, Filter, Fuzzy, Node, Not, Or, Prefix, Query, Word

#: From which length on an unknown word may be the beginning of one.
PREFIX_FROM: Final = 3


class Known(NamedTuple):
    """A word of the vocabulary, and how many documents the viewer sees with it."""

    word: str
    documents: int


Occurs = Callable[[Step], bool]
WordsBeginning = Callable[[str], Sequence[Known]]


def relaxed(query: Query, occurs: Occurs) -> list[Query]:
    """Kinder readings of a query that found nothing, the strictest first.

    Each unknown word is the beginning of one, else misspelt; and then any of the words is enough.
    """
    if query.root is None:
        return []
    kinder = _relaxed(query.root, occurs)
    readings = dict.fromkeys([kinder, _any_of(kinder)])
    return [Query(root, query.text) for root in readings if root != query.root]


def corrected(query: Query, occurs: Occurs, words_beginning: WordsBeginning) -> str | None:
    """The query's text with each unknown word replaced by the nearest known one; None when nothing was
    replaced.
    """
    text = query.text
    for word in reversed(query.words()):
        better = None if occurs(plan.word(word)) else _nearest(word, words_beginning)
        if better is not None:
            text = text[: word.start] + better + text[word.end :]
    return None if text == query.text else text


def _relaxed(node: Node, occurs: Occurs) -> Node:
    if isinstance(node, And | Or):
        return replace(node, parts=tuple(_relaxed(part, occurs) for part in node.parts))
    if isinstance(node, Not):
        # What is unknown excludes nothing; what is near it was not meant to be excluded.
        return node
    if isinstance(node, Word) and not occurs(plan.word(node)):
        return _reading(node, occurs)
    return node


def _any_of(node: Node) -> Node:
    """Any of the words of a query's outermost AND is enough; what filters and excludes stays required."""
    if not isinstance(node, And):
        return node
    wanted = tuple(part for part in node.parts if not isinstance(part, Not | Filter))
    rest = tuple(part for part in node.parts if isinstance(part, Not | Filter))
    if len(wanted) < 2:  # noqa: PLR2004 - one word is all of them
        return node
    return And((Or(wanted), *rest)) if rest else Or(wanted)


def _reading(node: Word, occurs: Occurs) -> Node:
    surface = _surface(node)
    if len(surface) >= PREFIX_FROM:
        prefix = Prefix(node.text, node.scope)
        if occurs(plan.leaf(prefix)):
            return prefix
    edits = nearest.errors_allowed(surface)
    return Fuzzy(node.text, edits, node.scope) if edits else node


def _nearest(node: Word, words_beginning: WordsBeginning) -> str | None:
    surface = _surface(node)
    edits = nearest.errors_allowed(surface)
    if not edits:
        return None
    known = words_beginning(surface[0])
    near = nearest.within([word for word, _ in known], surface, edits)
    ranked = [(distance, -known[at].documents, known[at].word) for at, distance in near if known[at].documents]
    return min(ranked)[2] if ranked else None


def _surface(node: Word) -> str:
    return "".join(token.surface for token in analyser.analyse(node.text).words)
