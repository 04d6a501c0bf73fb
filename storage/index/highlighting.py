"""Why a document was found: pieces of its texts with the places that matched, from the offsets of the one
analyser.

Always true here:
- Fragments are cut from the NFC form of a text; match offsets count characters of the fragment.
- A short text is one fragment; of a long one at most FRAGMENTS pieces are shown, cut between words.
"""

from collections.abc import Sequence as List
from typing import Final

from storage.index import analyser, nearest, plan
from storage.index.analyser import Token
from storage.index.contract import Fragment, TextMatch
from storage.index.plan import Beginning, Leaf, Near, Sequence, Term
from storage.index.texts import FIELDS, Text

SHORT: Final = 200
FRAGMENTS: Final = 3
#: Characters shown on either side of a match in a long text.
AROUND: Final = 60

Span = tuple[int, int]


def matches(texts: List[Text], leaves: List[Leaf]) -> tuple[TextMatch, ...]:
    """Per field, in the order of FIELDS, the fragments that contain what the leaves look for."""
    found: dict[int, list[Fragment]] = {}
    for field, text in texts:
        wanted = [leaf for leaf in leaves if leaf.field in {None, field}]
        spans = _spans(text, wanted)
        if spans:
            found.setdefault(field, []).extend(_fragments(analyser.normalise(text), spans))
    return tuple(TextMatch(FIELDS[field], tuple(found[field][:FRAGMENTS])) for field in sorted(found))


def leaves(planned: plan.Plan) -> list[Leaf]:
    return plan.scored(planned.root)


def _spans(text: str, wanted: List[Leaf]) -> list[Span]:
    words, joined = analyser.analyse(text)
    spans = {(token.start, token.end) for leaf in wanted for token in _tokens(leaf, words, joined)}
    return _merged(sorted(spans))


def _tokens(leaf: Leaf, words: list[Token], joined: list[Token]) -> list[Token]:
    if isinstance(leaf, Sequence):
        return _runs(leaf.stems, words)
    every = [*words, *joined]
    if isinstance(leaf, Term):
        return [token for token in every if token.stem == leaf.stem]
    if isinstance(leaf, Beginning):
        return [token for token in every if token.surface.startswith(leaf.prefix)]
    return _near(leaf, every)


def _runs(stems: tuple[str, ...], words: list[Token]) -> list[Token]:
    found = []
    for at in range(len(words) - len(stems) + 1):
        run = words[at : at + len(stems)]
        if all(token.stem == stem for token, stem in zip(run, stems, strict=True)):
            found += run
    return found


def _near(leaf: Near, every: list[Token]) -> list[Token]:
    same = [token for token in every if token.surface[:1] == leaf.surface[:1]]
    near = nearest.within([token.surface for token in same], leaf.surface, leaf.edits)
    return [same[at] for at, _ in near]


def _merged(spans: list[Span]) -> list[Span]:
    """Overlapping spans as one."""
    merged: list[Span] = []
    for start, end in spans:
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _fragments(text: str, spans: list[Span]) -> list[Fragment]:
    if len(text) <= SHORT:
        return [Fragment(text, tuple(spans))]
    fragments: list[Fragment] = []
    waiting = spans
    while waiting and len(fragments) < FRAGMENTS:
        start = _backed(text, waiting[0][0])
        inside = [span for span in waiting if span[1] <= max(start + SHORT, waiting[0][1])]
        end = _forward(text, inside[-1][1])
        fragments.append(Fragment(text[start:end], tuple((first - start, last - start) for first, last in inside)))
        waiting = waiting[len(inside) :]
    return fragments


def _backed(text: str, at: int) -> int:
    """Where a fragment around a match begins: some characters before, after a blank."""
    if at <= AROUND:
        return 0
    blank = text.find(" ", at - AROUND, at)
    return at - AROUND if blank < 0 else blank + 1


def _forward(text: str, at: int) -> int:
    if len(text) - at <= AROUND:
        return len(text)
    blank = text.rfind(" ", at, at + AROUND)
    return at + AROUND if blank < 0 else blank
