"""Delivery of bytes: `/files/{token}` for one immutable file, `/latest/{token}` for whatever is approved now.

An answer is what the token's signature allows and nothing a browser could run: no sniffing, a sandbox without rights,
originals only to be saved. A file's entity tag is its SHA-256, and no cache keeps it longer than its address is valid;
caches that are shared ask again after a minute, for it may be taken down. No byte leaves before its delivery is
recorded.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, TypeVar
from urllib.parse import quote

import anyio
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from domain import delivery
from domain.audit import Served
from domain.delivery import Delivery, Draft, Undecided
from domain.work import HUB, Work
from server import desk, logs, recording
from server.desk import Desk
from server.problems import HttpRefusal

T = TypeVar("T")

#: Bytes read and sent at a time: what one slow client holds in memory.
PIECE = 256 * 1024
#: Seconds that a redirect to the latest version may be kept: how long a revoked approval may linger in caches.
LATEST_SECONDS = 60
#: Seconds after which a cache that is shared asks again: how long what was taken down may linger there.
SHARED_SECONDS = 60

#: Decisions that one opening makes, each in vain where the rights moved before it was kept.
MOST_TRIES = 3

_RANGE = re.compile(r"bytes=\s*(\d*)-(\d*)\s*", re.ASCII | re.IGNORECASE)
#: Hexadecimal digits that tell one head from another.
_TAG = 16
#: More digits than any file has bytes.
_LONGEST_NUMBER = 18


async def file(request: Request) -> Response | Stream:
    at = desk.of(request)
    token, address = request.path_params["token"], at.address(request)
    return await answer(request, await at.read(HUB, lambda work: delivery.open_door(work, token, address)))


async def latest(request: Request) -> Response:
    at = desk.of(request)
    token, address = request.path_params["token"], at.address(request)
    found = await _decided(at, lambda work: delivery.latest(work, token, address))
    left = (found.valid_until - at.hub.clock()).total_seconds()
    headers = {
        "Location": found.url,
        "Cross-Origin-Resource-Policy": "cross-origin",
        **caching(found.asset_id, min(LATEST_SECONDS, left), is_public=found.is_public),
    }
    return Response(status_code=302, headers=headers)


async def _decided(at: Desk, question: Callable[[Work], T]) -> T:
    """What the question finds, once the decision that it needs was kept; 503 where the rights move all the time."""
    for _ in range(MOST_TRIES):
        try:
            return await at.read(HUB, question)
        except Undecided as undecided:
            await at.write(HUB, partial(_keep, undecided.drafts))
    raise HttpRefusal(503, "BUSY", "The rights are being changed: ask again in a moment.", {"Retry-After": "1"})


def _keep(drafts: list[Draft], work: Work) -> None:
    delivery.keep(work, drafts)


@dataclass(frozen=True)
class Inside:
    """A file that stands as bytes [start, stop) in another one, but that it begins with `head` instead of with its
    first `instead` bytes.
    """

    start: int
    stop: int
    head: bytes = b""
    instead: int = 0

    @property
    def size(self) -> int:
        return len(self.head) + self.stop - self.start - self.instead

    @property
    def tag(self) -> str:
        """What tells it from the others inside of the same bytes."""
        said = self.head[self.instead :]
        return f"-{self.start}" + (f"-{hashlib.sha256(said).hexdigest()[:_TAG]}" if said else "")

    def place(self, at: int) -> int:
        """Where its byte number `at` stands in the bytes around it: what only the head says stands nowhere."""
        grown = len(self.head) - self.instead
        return self.start + (at if at < self.instead else max(self.instead, at - grown))


async def answer(
    request: Request,
    opened: Delivery,
    inside: Inside | None = None,
    more: Mapping[str, str] | None = None,
) -> Response | Stream:
    """The bytes, or the file `inside` of them, as the request's conditions and ranges ask; with `more` headers."""
    at = desk.of(request)
    whole = inside or Inside(0, opened.byte_size)
    headers = _headers(opened, inside, (opened.valid_until - at.hub.clock()).total_seconds()) | dict(more or {})
    tag = headers["ETag"]
    if not _matches(request.headers.get("if-match"), tag, otherwise=True):
        raise HttpRefusal(412, "PRECONDITION_FAILED", "This address holds other bytes than you asked for.")
    if _matches(request.headers.get("if-none-match"), tag, otherwise=False):
        return Response(status_code=304, headers=headers)
    wanted = _wanted(request, whole.size, tag)
    start, stop = wanted or (0, whole.size)
    headers |= {"Content-Type": opened.media_type, "Content-Length": str(stop - start)}
    if wanted is not None:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{whole.size}"
    return await _opened(request, at, opened, (whole, start, stop), 200 if wanted is None else 206, headers)


def whole(request: Request, opened: Delivery, content: bytes) -> Response:
    """All of it, at hand already and written down, to a request that asks for all of it."""
    left = (opened.valid_until - desk.of(request).hub.clock()).total_seconds()
    return Response(content, 200, _headers(opened, None, left), opened.media_type)


@dataclass(frozen=True)
class Stream:
    """An answer of exactly `length` bytes, the `head` first, or one that ends short if the store fails; stops when the
    client leaves.
    """

    at: Desk
    reader: BinaryIO
    length: int
    status: int
    headers: dict[str, str]
    head: bytes = b""

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(_leave, receive, group.cancel_scope)
                await self._send(send)
                group.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await self.at.with_bytes(self.reader.close)

    async def _send(self, send: Send) -> None:
        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in self.headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": raw})
        left = self.length - len(self.head)
        if self.head:
            await send({"type": "http.response.body", "body": self.head, "more_body": True})
        while piece := await self.at.with_bytes(partial(self.reader.read, min(PIECE, left))):
            left -= len(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if left == 0:
            await send({"type": "http.response.body", "body": b"", "more_body": False})


def disposition(kind: str, file_name: str) -> str:
    """`Content-Disposition` of RFC 6266: the name in full for today's clients, and in ASCII for all others."""
    plain = unicodedata.normalize("NFKD", file_name).encode("ascii", "ignore").decode()
    plain = re.sub(r'["\\%;\x00-\x1f\x7f]', "_", plain).strip() or "file"
    named = f'{kind}; filename="{plain}"'
    return named if plain == file_name else f"{named}; filename*=UTF-8''{quote(file_name, safe='')}"


def caching(asset_id: int | None, seconds: float, *, is_public: bool) -> dict[str, str]:
    """Whatever is of one asset may be kept this long: by its reader's own cache, or by shared ones, which then ask
    again each minute and are told the key by which to purge all of the asset at once.
    """
    most = max(0, int(seconds))
    if not is_public:
        return {"Cache-Control": f"private, max-age={most}"}
    shared = f"public, max-age={most}" + (f", s-maxage={SHARED_SECONDS}" if most > SHARED_SECONDS else "")
    return {"Cache-Control": shared, "Surrogate-Key": f"asset-{asset_id}"}


def _headers(opened: Delivery, inside: Inside | None, seconds_left: float) -> dict[str, str]:
    """Shared caches may keep a rendition of what is approved; all else may be confidential: only its reader's may."""
    kept = caching(opened.asset_id, seconds_left, is_public=opened.is_public)
    return {
        **kept,
        "ETag": f'"{opened.sha256}{"" if inside is None else inside.tag}"',
        "Accept-Ranges": "bytes",
        "Cache-Control": f"{kept['Cache-Control']}, immutable",
        "Content-Disposition": disposition("inline" if opened.inline else "attachment", opened.file_name),
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "X-Content-Type-Options": "nosniff",
    }


def _matches(header: str | None, tag: str, *, otherwise: bool) -> bool:
    """Whether a list of entity tags names ours; a weak one never equals a strong one where bytes are compared."""
    if header is None:
        return otherwise
    named = [each.strip() for each in header.split(",")]
    if not otherwise:  # If-None-Match compares weakly
        named = [each.removeprefix("W/") for each in named]
    return "*" in named or tag in named


def _wanted(request: Request, size: int, tag: str) -> tuple[int, int] | None:
    """The bytes [start, stop) asked for; None for all of them.

    All of them also for several ranges, ranges we cannot read, and ranges of other bytes than these (`If-Range`; we
    tell no dates, so no date ever fits). Only GET knows ranges.
    """
    found = _RANGE.fullmatch(request.headers.get("range", ""))
    if request.method != "GET" or found is None or request.headers.get("if-range", tag) != tag:
        return None
    first, last = found.groups()
    if (
        not (first or last)
        or max(len(first), len(last)) > _LONGEST_NUMBER
        or (first and last and int(last) < int(first))
    ):
        return None
    start = int(first) if first else max(0, size - int(last))
    stop = min(size, int(last) + 1) if first and last else size
    if start >= stop:
        raise HttpRefusal(
            416,
            "RANGE",
            f"The file has {size:,} bytes: none of those you asked for.",
            {"Content-Range": f"bytes */{size}"},
        )
    return start, stop


async def _opened(
    request: Request,
    at: Desk,
    what: Delivery,
    wanted: tuple[Inside, int, int],
    status: int,
    headers: dict[str, str],
) -> Response | Stream:
    """Bytes [start, stop) of what is inside. They are opened before the first header goes out, so that missing ones are
    an honest error; and before that it is written down that they leave.
    """
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    inside, start, stop = wanted
    grown = len(inside.head)
    span = inside.place(max(start, grown)), inside.place(max(stop, grown))
    reader = await at.with_bytes(lambda: at.hub.blobs.open(what.sha256, *span))
    try:
        told = inside.place(start), inside.place(stop)
        await recording.of(request).record(Served(what, *told, logs.recorded_id(), at.address(request)))
    except BaseException:
        with anyio.CancelScope(shield=True):
            await at.with_bytes(reader.close)
        raise
    return Stream(at, reader, stop - start, status, headers, inside.head[start:stop])


async def _leave(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


ROUTES = [
    Route("/files/{token}", file, methods=["GET"]),
    Route("/latest/{token}", latest, methods=["GET"]),
]
