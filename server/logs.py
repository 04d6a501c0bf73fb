"""What the server writes down: structured lines on standard error, each with the id of its request.

No line holds a token, a signed address or a query string: what opens doors is shortened before it is logged.
"""

from __future__ import annotations

import logging
import re
import secrets
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from structlog.typing import Processor

from storage.settings import Settings

log: structlog.stdlib.BoundLogger = structlog.get_logger("imprimatur.server")

#: What a client may call its own request; anything else is replaced, so that log lines cannot be forged.
REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
#: What of these the record of what was done keeps, for it is never erased: an UUID, a trace's or an ULID is no name.
PLAIN_ID = re.compile(
    r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-7][0-9A-HJKMNP-TV-Z]{25}",
)
#: First parts of addresses whose second part opens a door.
SECRET_BEHIND = frozenset({"files", "latest", "transforms", "uploads"})
#: The same, two parts long.
SECRET_BEHIND_TWO = frozenset({"auth/invite", "iiif/3"})
SHOWN_OF_SECRET = 8
LONGEST_PATH = 200
#: Libraries whose informative lines are noise here: the access line says it all.
QUIET = ("uvicorn", "uvicorn.error", "uvicorn.access", "alembic", "asyncio", "urllib3")


def configure(settings: Settings) -> None:
    """Sends this process's log lines, our own and the libraries', to standard error."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    console = settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())
    structlog.configure(
        processors=[*_shared(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_shared(),
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendered(console=console)],
        ),
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def request_id() -> str | None:
    """The id of the request that is being answered, if one is."""
    found: str | None = structlog.contextvars.get_contextvars().get("request_id")
    return found


def recorded_id() -> str | None:
    """The id of the same request in the record of what was done."""
    found: str | None = structlog.contextvars.get_contextvars().get("recorded_as")
    return found or request_id()


def named(offered: str | None) -> str:
    """The id a request goes by: the one it brought if that is well formed, else a new one."""
    if offered and REQUEST_ID.fullmatch(offered):
        return offered
    return secrets.token_hex(16)


def names(request_id: str) -> dict[str, str]:
    """What every line of a request says of it: its id and, where the record does not keep that, the one it does."""
    if PLAIN_ID.fullmatch(request_id):
        return {"request_id": request_id}
    return {"request_id": request_id, "recorded_as": secrets.token_hex(16)}


def shown(path: str) -> str:
    """The path as it may be written down."""
    first, slash, secret = path.lstrip("/").partition("/")
    second, further, last = secret.partition("/")
    if further and f"{first}/{second}" in SECRET_BEHIND_TWO:
        return f"/{first}/{second}/{last[:SHOWN_OF_SECRET]}…"
    if slash and first in SECRET_BEHIND:
        return f"/{first}/{secret[:SHOWN_OF_SECRET]}…"
    return path[:LONGEST_PATH]


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        _by_its_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _by_its_name(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Lines of other parts, which know a request as it is recorded, go by the id that its client knows, too."""
    if (known := request_id()) is not None:
        line["request_id"] = known
    return line


def _rendered(*, console: bool) -> list[Any]:
    if console:  # plain tracebacks: the pretty ones print local variables, and so secrets
        plain = structlog.dev.plain_traceback
        return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    return [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]
