"""The unit of work that every domain function takes first.

One `Work` is one transaction, opened and committed by whoever stands at the edge; domain code never commits.
A refusal raised anywhere inside rolls all of it back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from domain.holdings import Holdings, everything
from storage.blobs import BlobStore
from storage.index import SearchIndex

Clock = Callable[[], datetime]

#: The brand itself, made by the first migration; sub-organisations stand below it.
BRAND_ORG_ID = 1


@dataclass(frozen=True)
class Viewer:
    """Who is asking. `principal_id` is None when the hub itself acts (a worker, a sweep)."""

    principal_id: int | None
    org_id: int
    name: str
    #: Whether they hold everything, everywhere.
    is_administrator: bool
    holdings: Holdings = field(default_factory=Holdings, compare=False)
    #: The token that was shown, and whoever made the guest link, if one was.
    token_id: int | None = field(default=None, compare=False)
    on_behalf_of: int | None = field(default=None, compare=False)
    #: Whether that token is a session's: the person themselves.
    by_session: bool = field(default=False, compare=False)
    #: Until when they are who they are by what they showed, if nothing is committed: when the token, or a grant of
    #: theirs, ends. None: for ever.
    until: datetime | None = field(default=None, compare=False)
    #: Where the request came from, as the audit keeps it: a keyed digest, not an address.
    origin: str | None = field(default=None, compare=False)


#: The hub acting on its own behalf.
HUB = Viewer(principal_id=None, org_id=BRAND_ORG_ID, name="imprimatur", is_administrator=True, holdings=everything())


@dataclass(frozen=True)
class Limits:
    """What an operator may have set differently; everything fixed stands next to what it limits."""

    max_upload_bytes: int = 100 * 1024**3
    upload_days: int = 7
    url_hours: int = 1
    #: Days that an asset lies in the trash before its bytes are purged.
    trash_days: int = 30
    #: Whether pictures say in themselves which hub made them of what.
    content_credentials: bool = False
    #: Names of the buckets that files may be imported from.
    buckets: frozenset[str] = frozenset()
    #: Whose word on who somebody is counts.
    issuers: frozenset[str] = frozenset()


def system_clock() -> datetime:
    return datetime.now(UTC)


@dataclass
class Work:
    session: Session
    viewer: Viewer
    blobs: BlobStore
    index: SearchIndex
    secret: bytes
    clock: Clock = system_clock
    limits: Limits = field(default_factory=Limits)
    public_url: str = ""
    request_id: str | None = None
    #: Why, where the request as a whole said so: events without a reason of their own take it.
    reason: str | None = None
    #: Types of the events that were recorded in it.
    recorded: set[str] = field(default_factory=set)

    @property
    def now(self) -> datetime:
        return self.clock()
