"""What a test does to a search index in a process of its own: to kill it while it writes, to read beside a
writer.

``python -m tests.contracts.index_children <verb> <kind> <folder>`` prints one line per step.
"""

import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from storage import index
from storage.index import Document, Put, Remove, Search, query
from tests.contracts.index_samples import document

ROOT = Path(__file__).parents[2]
#: Each batch puts so many documents and removes one of the batch before.
BATCH = 4
STEADY = 10


@contextmanager
def child(verb: str, kind: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """The child with its pipes; it is killed with SIGKILL at the end of the block if it is still there."""
    command = (sys.executable, "-m", __spec__.name, verb, kind, str(folder))
    with subprocess.Popen(
        command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=1
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def tell(process: subprocess.Popen[str], text: str) -> None:
    assert process.stdin is not None
    process.stdin.write(text + "\n")
    process.stdin.flush()


def batch(seq: int) -> list[Put | Remove]:
    """The `seq`th of an endless series: every document says which batch it came with."""
    first = seq * BATCH
    made: list[Put | Remove] = [Put(document(first + at, f"Series {seq}")) for at in range(BATCH)]
    return [*made, Remove(first - 1)]


def after(seq: int) -> set[int]:
    """The documents there are after batch `seq`."""
    removed = {number * BATCH - 1 for number in range(1, seq + 1)}
    return set(range(BATCH, (seq + 1) * BATCH)) - removed


def rebuilt() -> Iterator[Document]:
    for id_ in range(1, 41):
        yield document(id_, "Built anew")


def swap(seq: int) -> list[Put | Remove]:
    """Take one of ten documents away and put another in its place: there are always ten."""
    return [Remove(seq), Put(document(seq + STEADY, "Steady"))]


def _say(what: object) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def _apply(kind: str, folder: Path) -> None:
    """Apply batch after batch, telling each one applied, until killed."""
    written = index.open_index(kind, folder)
    with written.writer_lock():
        for seq in range(written.checkpoint() + 1, 10_000):
            written.apply(batch(seq), seq)
            _say(seq)


def _rebuild(kind: str, folder: Path) -> None:
    """Rebuild, telling each document given and at last that it is done."""

    def telling() -> Iterator[Document]:
        for each in rebuilt():
            _say(each.id)
            time.sleep(0.002)
            yield each

    written = index.open_index(kind, folder)
    with written.writer_lock():
        written.rebuild(telling(), 1_000)
    _say("done")
    sys.stdin.readline()


def _answer(kind: str, folder: Path) -> None:
    """Answer each line with how many documents there are of that word."""
    read = index.open_index(kind, folder)
    for text in sys.stdin:
        _say(read.search(Search(query=query.parse(text.strip()))).total)


def _watch(kind: str, folder: Path) -> None:
    """Search without pause until told to stop; tell how often, or what was wrong."""
    read = index.open_index(kind, folder)
    asked = Search(query=query.parse("steady"), facets=("kind", "year"), limit=20, highlight=True)
    newest = searches = 0
    stop = _told_to_stop()
    while not stop():
        answer = read.search(asked)
        searches += 1
        whole = answer.total == len(answer.hits) == answer.facets["kind"][0].count == STEADY
        if not whole or answer.seq < newest:
            _say(f"wrong: {answer}")
            return
        newest = answer.seq
    _say(f"right {searches}")


def _told_to_stop() -> Callable[[], bool]:
    return lambda: bool(select.select([sys.stdin], [], [], 0)[0])


VERBS = {"apply": _apply, "rebuild": _rebuild, "answer": _answer, "watch": _watch}

if __name__ == "__main__":
    VERBS[sys.argv[1]](sys.argv[2], Path(sys.argv[3]))
