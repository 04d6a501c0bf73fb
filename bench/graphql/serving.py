"""The hub's server as it is, for a benchmark; with `uncached` it forgets before every request what it read.

python -m bench.graphql.serving warm|uncached
"""

from __future__ import annotations

import sys

from schema.plans import kept
from server import serve
from storage import settings
from storage.database import Database


def main() -> None:
    if sys.argv[1] == "uncached":
        _forgetting()
    serve.serve(settings.load())


def _forgetting() -> None:
    remembered = kept.of

    def of(database: Database) -> kept.Memory:
        memory = remembered(database)
        memory.values, memory.answers = kept.Kept(), kept.Answers()
        return memory

    kept.of = of


if __name__ == "__main__":
    main()
