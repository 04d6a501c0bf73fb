"""A fixed evaluation of what people find: assets of a made-up sports brand, queries with judgements, MRR and
nDCG.

Always true here:
- Assets and judgements stand in text files and change only with a reason; every figure is deterministic.
- Every query is judged twice: strictly, where each word must be found, which tells analysers apart; and as a
  person meets it, where a search that finds nothing is relaxed.
"""

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from storage.index import Document, Search, SearchIndex, Tag, query

_HERE: Final = Path(__file__).parent
_MADE: Final = datetime(2024, 6, 1, tzinfo=UTC)
#: Hits looked at per query.
DEPTH: Final = 10


@dataclass(frozen=True, slots=True)
class Judged:
    language: str
    tries: str
    text: str
    grades: dict[int, int]


@dataclass(frozen=True, slots=True)
class Score:
    """Means over queries, between 0 and 1: the reciprocal rank of the first asset meant, and nDCG at
    DEPTH.
    """

    mrr: float
    ndcg: float
    queries: int


def documents() -> list[Document]:
    return [_document(fields) for fields in _lines("assets.txt")]


def queries() -> list[Judged]:
    judged = []
    for language, tries, text, relevant in _lines("queries.txt"):
        grades = dict(_grade(entry) for entry in relevant.split())
        judged.append(Judged(language, tries, text, grades))
    return judged


def scores(searched: SearchIndex, *, relax: bool) -> dict[str, Score]:
    """Per language and per kind of difficulty, and of all."""
    results = [(judged, *score(judged, ranking(searched, judged.text, relax=relax))) for judged in queries()]
    groups: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for judged, mrr, ndcg in results:
        for group in (judged.language, judged.tries, "all"):
            groups[group].append((mrr, ndcg))
    return {
        group: Score(sum(mrr for mrr, _ in some) / len(some), sum(ndcg for _, ndcg in some) / len(some), len(some))
        for group, some in groups.items()
    }


def ranking(searched: SearchIndex, text: str, *, relax: bool) -> list[int]:
    answer = searched.search(Search(query=query.parse(text), limit=DEPTH, relax=relax))
    return [hit.id for hit in answer.hits]


def score(judged: Judged, ranked: list[int]) -> tuple[float, float]:
    """The reciprocal rank of the first asset of the best grade, and nDCG (Järvelin and Kekäläinen 2002)."""
    best = max(judged.grades.values())
    reciprocal = next((1 / rank for rank, id_ in enumerate(ranked, 1) if judged.grades.get(id_) == best), 0.0)
    gained = _gain([judged.grades.get(id_, 0) for id_ in ranked])
    return reciprocal, gained / _gain(sorted(judged.grades.values(), reverse=True)[:DEPTH])


def _gain(grades: list[int]) -> float:
    return math.fsum((2**grade - 1) / math.log2(rank + 1) for rank, grade in enumerate(grades, 1))


def _document(fields: list[str]) -> Document:
    id_, title, description, tags, file_name = fields
    return Document(
        id=int(id_),
        org_id=1,
        access=frozenset({"everyone"}),
        title=title,
        description=description,
        tags=tuple(Tag(_tag_id(name), name) for name in tags.split(", ")),
        file_names=(file_name,),
        kind="FILE",
        lifecycle="ACTIVE",
        created_at=_MADE,
        updated_at=_MADE,
    )


def _tag_id(name: str) -> int:
    """A tag's id: the same name is the same tag."""
    return int.from_bytes(name.casefold().encode()[:7].ljust(7, b"\0"), "big")


def _grade(entry: str) -> tuple[int, int]:
    id_, _, grade = entry.partition("=")
    return int(id_), int(grade)


def _lines(name: str) -> Iterator[list[str]]:
    for line in (_HERE / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield [field.strip() for field in line.split(" | ")]
