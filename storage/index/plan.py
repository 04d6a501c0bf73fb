"""What a query means to an index: the typed tree turned into stems, sequences and conditions, the same for
every engine.

Always true here:
- A word matches what has its stem. A name (`BrandHero_2024`, `16:9`) matches its pieces side by side or
  itself joined.
- Beside rarer words a stop word is welcome but not required; alone, quoted, or in a field it is required.
- A query of plain words and phrases only also asks for the one asset called exactly so: `exact`.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from storage.index import analyser
from storage.index.conditions import Condition
from storage.index.query import And, Filter, Fuzzy, Node, Not, Or, Phrase, Prefix, Query, Word
from storage.index.texts import NUMBERS

#: What being called exactly as the query adds to a score; no sum of ordinary term scores comes near.
TITLE_BONUS: Final = 2_000.0
NAME_BONUS: Final = 1_000.0


@dataclass(frozen=True, slots=True)
class Term:
    stem: str
    surface: str
    field: int | None


@dataclass(frozen=True, slots=True)
class Sequence:
    """These stems side by side in one text."""

    stems: tuple[str, ...]
    field: int | None


@dataclass(frozen=True, slots=True)
class Beginning:
    """A surface that begins so."""

    prefix: str
    field: int | None


@dataclass(frozen=True, slots=True)
class Near:
    """A surface at most `edits` typing errors away that begins with the same letter."""

    surface: str
    edits: int
    field: int | None


@dataclass(frozen=True, slots=True)
class Where:
    condition: Condition


@dataclass(frozen=True, slots=True)
class Every:
    """All of `parts`; `welcome` only adds to the score."""

    parts: tuple["Step", ...]
    welcome: tuple["Step", ...] = ()


@dataclass(frozen=True, slots=True)
class Some:
    parts: tuple["Step", ...]


@dataclass(frozen=True, slots=True)
class Without:
    part: "Step"


Leaf: TypeAlias = Term | Sequence | Beginning | Near
Step: TypeAlias = Leaf | Where | Every | Some | Without


@dataclass(frozen=True, slots=True)
class Plan:
    """`exact` is the digest of what an asset would be called, or None when the query is more than a name."""

    root: Step | None
    exact: int | None


NOTHING: Final = Plan(None, None)


@lru_cache(maxsize=1_024)
def of(query: Query | None) -> Plan:
    """The query's plan; a search, its next pages and its facets ask for the same one."""
    if query is None or query.root is None:
        return NOTHING
    return Plan(_step(query.root), _exact(query))


def word(node: Word) -> Step:
    """What a single typed word asks for."""
    field = _field(node.scope)
    words, joined = analyser.analyse(node.text)
    if len(words) == 1:
        return Term(words[0].stem, words[0].surface, field)
    readings = [_sequence(words, field)]
    whole = _without_pieces(words, joined)
    if len(whole) < len(words):
        readings.append(_sequence(whole, field))
    return readings[0] if len(readings) == 1 else Some(tuple(readings))


def leaf(node: Word | Phrase | Prefix | Fuzzy) -> Step:
    """What one leaf of the typed tree asks for."""
    if isinstance(node, Word):
        return word(node)
    field = _field(node.scope)
    words = analyser.analyse(node.text).words
    if isinstance(node, Phrase):
        return _sequence(words, field)
    if isinstance(node, Fuzzy):
        return Near("".join(token.surface for token in words)[: analyser.MAX_WORD], node.edits, field)
    return _beginning(words, field)


def scored(step: Step | None) -> list[Leaf]:
    """The leaves that may add to a score: those not under a NOT."""
    if step is None or isinstance(step, Where | Without):
        return []
    if isinstance(step, Every):
        return [leaf for part in (*step.parts, *step.welcome) for leaf in scored(part)]
    if isinstance(step, Some):
        return [leaf for part in step.parts for leaf in scored(part)]
    return [step]


def needs_words(step: Step | None) -> bool:
    """Whether only documents with some word can be found: never those that merely lack one or meet a condition."""
    if isinstance(step, Every):
        return any(needs_words(part) for part in step.parts)
    if isinstance(step, Some):
        return all(needs_words(part) for part in step.parts)
    return not (step is None or isinstance(step, Where | Without))


def _step(node: Node) -> Step:
    if isinstance(node, And):
        return _every(node)
    if isinstance(node, Or):
        return Some(tuple(_step(part) for part in node.parts))
    if isinstance(node, Not):
        return Without(_step(node.part))
    if isinstance(node, Filter):
        return Where(node.condition)
    return leaf(node)


def _beginning(words: list[analyser.Token], field: int | None) -> Step:
    whole = Beginning("".join(token.surface for token in words), field)
    if len(words) == 1:
        return whole
    apart = Every((_sequence(words[:-1], field), Beginning(words[-1].surface, field)))
    return Some((whole, apart))


def _sequence(words: list[analyser.Token], field: int | None) -> Term | Sequence:
    if len(words) == 1:
        return Term(words[0].stem, words[0].surface, field)
    return Sequence(tuple(token.stem for token in words), field)


def _without_pieces(words: list[analyser.Token], joined: list[analyser.Token]) -> list[analyser.Token]:
    """The words with every joined name in the place of its pieces; of nested ones the longest."""
    whole: list[analyser.Token] = []
    for token in sorted([*joined, *words], key=lambda token: (token.start, -token.end)):
        if not whole or token.start >= whole[-1].end:
            whole.append(token)
    return whole


def _every(node: And) -> Step:
    required = [part for part in node.parts if not _is_common(part)]
    welcome = [part for part in node.parts if _is_common(part)]
    if not any(_says_something(part) for part in required):
        required, welcome = list(node.parts), []
    parts = tuple(_step(part) for part in required)
    if len(parts) == 1 and not welcome:
        return parts[0]
    return Every(parts, tuple(_step(part) for part in welcome))


def _is_common(node: Node) -> bool:
    return isinstance(node, Word) and node.scope is None and analyser.fold(node.text) in analyser.STOP_WORDS


def _says_something(node: Node) -> bool:
    return not isinstance(node, Not | Filter)


def _field(scope: str | None) -> int | None:
    return None if scope is None else NUMBERS[scope]


def _exact(query: Query) -> int | None:
    root = query.root
    parts = root.parts if isinstance(root, And) else (root,)
    if all(isinstance(part, Word | Phrase) and part.scope is None for part in parts):
        return analyser.digest(analyser.key(query.text))
    return None
