"""What is true of an index right now: one small SQLite file, and the only thing that ever commits.

Which segments there are, which of their documents are dead, where each asset stands, its texts, and the
checkpoint. Whoosh's own table of contents is not used: it would commit apart from the checkpoint, and it is
never synced.

Always true here:
- One transaction takes the index from one batch to the next; segments' files are on the disk before it
  begins.
- `change` grows with every transaction; the dead carry the change that killed them, so that readers catch up
  cheaply.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

from pysqlite3 import dbapi2 as sqlite

NAME: Final = "sidecar.sqlite"
_SCHEMA: Final = """
create table state (id integer primary key check (id = 0), seq integer not null, change integer not null);
create table segment (name text primary key, documents integer not null);
create table dead (segment text not null, document integer not null, change integer not null);
create index dead_change on dead (change);
create table place (id integer primary key, segment text not null, document integer not null, texts blob not
null); insert into state values (0, 0, 0);
"""
#: Parameters one statement may bring; SQLite takes 32,766.
_MANY: Final = 10_000


class Place(NamedTuple):
    segment: str
    document: int


class State(NamedTuple):
    """`dead` are the (segment, document) pairs that died since the change asked about."""

    seq: int
    change: int
    segments: list[str]
    dead: list[Place]


def create(directory: Path) -> None:
    connection = _connect(directory, "rwc")
    try:
        connection.executescript("pragma journal_mode = wal; begin;" + _SCHEMA + "commit;")
    finally:
        connection.close()


class Reader:
    """Reads; not to be used by two threads at once."""

    def __init__(self, directory: Path) -> None:
        self._connection = _connect(directory, "rw")

    def version(self) -> int:
        """Another number than last time when somebody committed since. Costs microseconds."""
        found: int = self._connection.execute("pragma data_version").fetchone()[0]
        return found

    def state(self, since: int) -> State:
        """Everything that holds now, at one moment."""
        connection = self._connection
        connection.execute("begin")
        try:
            seq, change = connection.execute("select seq, change from state").fetchone()
            segments = [name for (name,) in connection.execute("select name from segment order by name")]
            dead = connection.execute("select segment, document from dead where change > ?", (since,)).fetchall()
        finally:
            connection.execute("commit")
        return State(seq, change, segments, [Place(*row) for row in dead])

    def texts(self, ids: list[int]) -> dict[int, bytes]:
        marks = ",".join("?" * len(ids))
        rows = self._connection.execute(f"select id, texts from place where id in ({marks})", ids)  # noqa: S608 - marks
        return dict(rows.fetchall())

    def close(self) -> None:
        self._connection.close()


class Writer:
    """One transaction; nothing holds until `commit`."""

    def __init__(self, directory: Path) -> None:
        self._connection = _connect(directory, "rw")
        self._connection.execute("begin immediate")
        self.seq, self._change = self._connection.execute("select seq, change from state").fetchone()
        self._change += 1

    def segments(self) -> list[tuple[str, int]]:
        """Names and how many documents each was written with."""
        rows: list[tuple[str, int]] = self._connection.execute("select name, documents from segment").fetchall()
        return rows

    def dead(self, segment: str) -> list[int]:
        rows = self._connection.execute("select document from dead where segment = ?", (segment,))
        return [document for (document,) in rows]

    def bury(self, ids: list[int]) -> None:
        """The documents that stood for these assets are dead."""
        for at in range(0, len(ids), _MANY):
            some = ids[at : at + _MANY]
            marks = ",".join("?" * len(some))
            self._connection.execute(
                f"insert into dead select segment, document, ? from place where id in ({marks})",  # noqa: S608 - question marks only
                (self._change, *some),
            )
            self._connection.execute(f"delete from place where id in ({marks})", some)  # noqa: S608 - likewise

    def add_segment(self, name: str, documents: int) -> None:
        self._connection.execute("insert into segment values (?, ?)", (name, documents))

    def place(self, rows: Iterable[tuple[int, str, int, bytes]]) -> None:
        """Rows of id, segment, document, texts."""
        self._connection.executemany("insert into place values (?, ?, ?, ?)", rows)

    def move(self, segment: str, ids: Iterable[int]) -> None:
        """The assets `ids`, in this order, are now the documents 0, 1, … of a segment."""
        rows = ((segment, document, asset) for document, asset in enumerate(ids))
        self._connection.executemany("update place set segment = ?, document = ? where id = ?", rows)

    def drop_segments(self, names: Iterable[str]) -> None:
        for name in names:
            self._connection.execute("delete from segment where name = ?", (name,))
            self._connection.execute("delete from dead where segment = ?", (name,))

    def commit(self, seq: int) -> None:
        self._connection.execute("update state set seq = ?, change = ?", (seq, self._change))
        self._connection.execute("commit")

    def close(self) -> None:
        """Ends the transaction, undone unless committed."""
        self._connection.close()


def _connect(directory: Path, mode: str) -> Any:
    uri = f"{(directory / NAME).absolute().as_uri()}?mode={mode}"
    connection = sqlite.connect(uri, uri=True, timeout=30, isolation_level=None, check_same_thread=False)
    # What a power cut takes of the newest commits is applied again from the checkpoint that remains.
    connection.execute("pragma synchronous = normal")
    return connection
