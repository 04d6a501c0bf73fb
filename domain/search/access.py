"""What opens a document of the index to a viewer: a term per organisation, and one for what is approved there."""

from __future__ import annotations

from domain import identity
from domain.assets.listing import Stage
from domain.work import Work


def terms(work: Work, stage: Stage) -> frozenset[str]:
    opened = identity.access_terms(work)
    return opened if stage is Stage.DRAFT else frozenset(approved_term(term) for term in opened)


def approved_term(term: str) -> str:
    return f"{term}:approved"
