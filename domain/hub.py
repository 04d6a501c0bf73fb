"""What one process of the hub holds open, and the only place where units of work begin and end."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from domain import recompiling
from domain.refusals import Refusal, StorageFull, StorageUnavailable
from domain.work import Clock, Limits, Viewer, Work, system_clock
from storage import blobs, database, hurry, index, migrate, snapshots
from storage.settings import Settings


@dataclass(frozen=True)
class Hub:
    settings: Settings
    database: database.Database
    blobs: blobs.BlobStore
    index: index.SearchIndex
    secret: bytes
    clock: Clock = system_clock

    @contextmanager
    def writing(self, viewer: Viewer, request_id: str | None = None) -> Iterator[Work]:
        """A unit of work that commits when the block ends and leaves nothing behind when it raises.

        What the stores give up on is raised as `refusal_of` tells it; `storage.database.Contended` as it is.
        """
        with _refusing(), self.database.writing() as session:
            work = self.work(session, viewer, request_id)
            yield work
            recompiling.ask(work)

    @contextmanager
    def reading(self, viewer: Viewer, request_id: str | None = None) -> Iterator[Work]:
        """A unit of work over one snapshot that must not write. Raises like `writing`."""
        with _refusing(), self.database.reading() as session:
            yield self.work(session, viewer, request_id)

    @contextmanager
    def aside(self, viewer: Viewer, request_id: str | None = None) -> Iterator[Work]:
        """`writing`, while a unit of work that reads is open on the same thread."""
        with _refusing(), self.database.aside() as session:
            yield self.work(session, viewer, request_id)

    @contextmanager
    def snapshot(self, viewer: Viewer) -> Iterator[tuple[Work, snapshots.Snapshot]]:
        """Like `reading`, with the raw snapshot beside it."""
        with _refusing(), snapshots.opened(self.database) as snapshot:
            yield self.work(snapshot.session, viewer), snapshot

    @contextmanager
    def at_hand(self, viewer: Viewer) -> Iterator[tuple[Work, snapshots.Snapshot]]:
        """Like `snapshot`, for whoever keeps nobody waiting. Raises `hurry.NotAtHand` as soon as it would."""
        with hurry.hurried(), snapshots.opened_at_hand(self.database) as snapshot:
            yield self.work(snapshot.session, viewer), snapshot

    def work(self, session: Session, viewer: Viewer, request_id: str | None = None) -> Work:
        return Work(
            session=session,
            viewer=viewer,
            blobs=self.blobs,
            index=self.index,
            secret=self.secret,
            clock=self.clock,
            limits=Limits(
                max_upload_bytes=self.settings.max_upload_bytes,
                upload_days=self.settings.upload_days,
                url_hours=self.settings.url_hours,
                trash_days=self.settings.trash_days,
                content_credentials=self.settings.content_credentials,
                buckets=frozenset(self.settings.buckets),
                issuers=self.settings.issuers,
            ),
            public_url=self.settings.public_url,
            request_id=request_id,
        )

    def close(self) -> None:
        self.index.close()
        self.database.close()


def refusal_of(error: BaseException | None) -> Refusal | None:
    """What a store gave up on, as people are told; None for anything else."""
    match error:
        case database.Full():
            return StorageFull("The disk of the database is full: nothing was changed.")
        case blobs.StoreFull():
            return StorageFull()
        case blobs.StoreUnavailable():
            return StorageUnavailable("The blob store cannot be reached: try again later.")
        case blobs.BlobMissing():
            return StorageUnavailable("The blob store lacks the bytes of this file: tell whoever runs this hub.")
    return None


def open_hub(settings: Settings, *, upgrade: bool | None = None, clock: Clock = system_clock) -> Hub:
    """Opens (and on first use makes) everything in the data dir.

    The embedded SQLite database is brought to the present schema at once; another database only when `upgrade` is
    true, else a schema that is behind raises `storage.migrate.Behind`.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    opened = database.open_database(settings.database_url)
    with ExitStack() as on_failure:
        on_failure.callback(opened.close)
        migrate.ensure(opened, upgrade=not opened.is_postgres if upgrade is None else upgrade)
        hub = Hub(
            settings=settings,
            database=opened,
            blobs=blobs.from_url(settings.blob_url, settings.data_dir),
            index=index.open_index(settings.search_backend, settings.index_dir),
            secret=secret_of(settings),
            clock=clock,
        )
        on_failure.pop_all()
    return hub


def secret_of(settings: Settings) -> bytes:
    """The signing key: the one that is set, else one made once for this data dir."""
    if settings.secret_key:
        return settings.secret_key.encode()
    return kept_secret(settings.data_dir / "secret-key")[0].encode()


def kept_secret(path: Path, mark: str = "") -> tuple[str, bool]:
    """A random text kept in `path` (mode 0600), and whether it was made just now. Two processes get the same one.

    A new one begins with `mark`.
    """
    fresh = mark + secrets.token_urlsafe(32)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(fresh)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)  # unlike a rename this never replaces what another process put there first
    except FileExistsError:
        return path.read_text().strip(), False
    finally:
        draft.unlink()
    return fresh, True


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except (database.Full, blobs.BlobError) as error:
        refusal = refusal_of(error)
        if refusal is None:
            raise
        raise refusal from error
