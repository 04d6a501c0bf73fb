"""What a parsed query says, as a tree of plain values."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from storage.index.conditions import Condition

#: The texts a word can be confined to.
Scope: TypeAlias = Literal["title", "description", "tag", "campaign", "file", "creator"]


@dataclass(frozen=True, slots=True)
class Word:
    """One word as typed, and where it stands in the query: [start, end)."""

    text: str
    start: int
    end: int
    scope: Scope | None = None


@dataclass(frozen=True, slots=True)
class Phrase:
    text: str
    scope: Scope | None = None


@dataclass(frozen=True, slots=True)
class Prefix:
    text: str
    scope: Scope | None = None


@dataclass(frozen=True, slots=True)
class Fuzzy:
    """Words at most `edits` (1 or 2) insertions, deletions, replacements or swaps away, with the same first
    letter.
    """

    text: str
    edits: int
    scope: Scope | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    condition: Condition


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: "Node"


Node: TypeAlias = Word | Phrase | Prefix | Fuzzy | Filter | And | Or | Not


@dataclass(frozen=True, slots=True)
class Query:
    """`root` is None when the text says nothing: such a query finds everything. `text` is as typed."""

    root: Node | None
    text: str

    def words(self) -> list[Word]:
        """The plain words that are looked for, in the order typed; not those under a NOT."""
        waiting: list[Node] = [] if self.root is None else [self.root]
        found: list[Word] = []
        while waiting:
            node = waiting.pop()
            if isinstance(node, Word):
                found.append(node)
            elif isinstance(node, And | Or):
                waiting.extend(node.parts)
        return sorted(found, key=lambda word: word.start)
