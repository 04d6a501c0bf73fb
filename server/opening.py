"""How a hub is opened for whoever runs it, a server or one command: whole, or a sentence that says why not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from domain.hub import Hub, open_hub
from server.starting import CannotStart
from storage import blobs, migrate
from storage.settings import Settings

#: What PEP 249 calls a database that does not answer or has no room, and one that is none; the classes themselves
#: belong to the drivers.
_UNUSABLE = frozenset({"OperationalError", "DatabaseError"})


@contextmanager
def opened(settings: Settings, *, upgrade: bool | None = None) -> Iterator[Hub]:
    """The hub of these settings, closed in the end; `CannotStart` says in a sentence why there is none."""
    try:
        hub = open_hub(settings, upgrade=upgrade)
    except (migrate.Behind, blobs.BlobError, ValueError) as error:
        raise CannotStart(str(error)) from error
    except OSError as error:
        raise CannotStart(f"The data dir cannot be used: {error.strerror or error} ({settings.data_dir}).") from error
    except Exception as error:
        if type(error).__name__ not in _UNUSABLE:
            raise
        raise CannotStart(f"The database cannot be used: {_first_line(error)}") from error
    try:
        yield hub
    finally:
        hub.close()


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", error)).strip().partition("\n")[0]
