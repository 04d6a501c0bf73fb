"""Whether one who holds this may hand out that: nobody gives more than they have themselves.

Answers on the safe side: what cannot be shown to lie inside counts as beyond.
"""

from __future__ import annotations

from domain.holdings import Holdings, Reach, Scope, Tree


def covers(mine: Holdings, theirs: Holdings) -> bool:
    """Whether everything that `theirs` opens now and may open later is open to `mine` as well."""
    return all(_reaches(mine.reach(permission), reach) for permission, reach in theirs.reaches.items())


def _reaches(mine: Reach, theirs: Reach) -> bool:
    if not all(any(_inside(inner, outer) for outer in mine.allowed) for inner in theirs.allowed):
        return False
    return not theirs.allowed or set(mine.denied) <= set(theirs.denied)


def _inside(inner: Scope, outer: Scope) -> bool:
    if inner == outer:
        return True
    if not isinstance(outer, Tree):
        return False
    if outer.orgs is None and outer.kind is None:
        return True
    if not isinstance(inner, Tree) or outer.kind not in {None, inner.kind}:
        return False
    return outer.orgs is None or (inner.orgs is not None and inner.orgs <= outer.orgs)
