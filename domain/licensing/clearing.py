"""A version and all that it is made of, against one use: everything that must carry it, and all that forbids it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from domain.licensing import barring, carrying
from domain.licensing.passing import Ask, Bar, Clause
from domain.licensing.terms import Facts, Subject
from domain.refusals import Conflict


@dataclass(slots=True)
class Cleared:
    clauses: list[Clause] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)


def subjects(facts: Facts, version_id: int) -> list[Subject]:
    """The version and all that it is made of, each once, parts before wholes. `Conflict` where one is its own part."""
    found: dict[int, Subject] = {}
    above: set[int] = set()
    stack: list[tuple[int, bool]] = [(version_id, False)]
    while stack:
        at, left = stack.pop()
        if left:
            above.discard(at)
            found[at] = facts.subjects[at]
        elif at in above:
            raise Conflict(f"Version {at} is part of itself: take it out of its own components.", ("components",))
        elif at not in found:
            above.add(at)
            stack.append((at, True))
            stack += [(part.version_id, False) for part in facts.subjects[at].components]
    return list(found.values())


def shares(versions: Iterable[Subject]) -> dict[int, int]:
    """How many of the versions each licence covers."""
    found: dict[int, int] = {}
    for subject in versions:
        for license_id in {rights.license_id for rights in subject.rights if rights.license_id is not None}:
            found[license_id] = found.get(license_id, 0) + 1
    return found


def cleared(facts: Facts, versions: Iterable[Subject], ask: Ask) -> Cleared:
    found = Cleared()
    for subject in versions:
        found.clauses += carrying.clauses(facts, subject, ask)
        found.bars += barring.bars(facts, subject, ask)
    return found
