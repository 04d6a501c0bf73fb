"""`python -m bench.relevance` prints how well both engines find what was meant; `--misses` also where they do
not.
"""

import sys
import tempfile
from pathlib import Path

from bench import relevance
from storage import index


def main() -> None:
    for kind in ("whoosh", "tantivy"):
        with tempfile.TemporaryDirectory() as directory:
            searched = index.open_index(kind, Path(directory))
            with searched.writer_lock():
                searched.rebuild(relevance.documents(), 1)
            strict, relaxed = (relevance.scores(searched, relax=relax) for relax in (False, True))
            print(f"\n{kind}, {len(relevance.documents())} assets  strict MRR, nDCG@10   relaxed MRR, nDCG@10")
            for group, score in strict.items():
                kinder = relaxed[group]
                print(f"  {group:14} {score.queries:3} {score.mrr:17.3f} {score.ndcg:8.3f}", end="")
                print(f"{kinder.mrr:15.3f} {kinder.ndcg:8.3f}")
            if "--misses" in sys.argv:
                _print_misses(searched)
            searched.close()


def _print_misses(searched: index.SearchIndex) -> None:
    for judged in relevance.queries():
        ranked = relevance.ranking(searched, judged.text, relax=True)
        mrr, ndcg = relevance.score(judged, ranked)
        if mrr < 1 or ndcg < 0.8:
            print(f"  {mrr:.2f} {ndcg:.2f} {judged.tries:12} {judged.text:32} {ranked[:6]} meant {judged.grades}")


if __name__ == "__main__":
    main()
