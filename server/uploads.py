"""Resumable uploads by tus 1.0: creation, creation-with-upload, checksum, termination and expiration.

Whatever has arrived stays when a client goes away; a part that came with a checksum stays only whole and right. Two
batches of bytes per upload are the most that memory ever holds. The last part of an upload's address is its id.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from email.utils import format_datetime
from functools import partial
from urllib.parse import urlsplit

import anyio
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from domain import assets, global_ids, intake
from domain.refusals import Conflict, FileRefused, Gone, StorageFull
from domain.work import Viewer
from server import desk, tus
from server.desk import Desk
from server.problems import HttpRefusal
from storage import staging
from storage.tables import UploadRow

#: Bytes gathered before they are handed to a disk thread.
BATCH = 1024 * 1024
#: Seconds without a single byte after which a client counts as gone; it may resume.
IDLE_SECONDS = 30


@tus.spoken
async def create(request: Request) -> Response:
    """POST /uploads: an upload, and its first bytes when the request brings any."""
    at = desk.of(request)
    viewer = await at.viewer(request)
    length = tus.length_of(request)
    told = tus.metadata_of(request)
    brings = tus.brings_bytes(request)
    if brings:
        tus.refuse_beyond(request, length)
    row = await at.write(
        viewer,
        lambda work: intake.begin(work, at.staging, length=length, file_name=told.file_name, sha256=told.sha256),
    )
    headers = {"Location": _address(at, row), **_headers(row)}
    with tus.also_telling(headers):
        if not brings:
            return Response(status_code=201, headers={**headers, "Upload-Offset": "0"})
        headers |= await _append(request, at, viewer, row, 0)
    return Response(status_code=201, headers=headers)


@tus.spoken
async def ask(request: Request) -> Response:
    """HEAD /uploads/{id}: how much is here. Settles an upload that a crash left full but unfinished."""
    return await _settled_meanwhile(partial(_asked, request))


async def _asked(request: Request) -> Response:
    at = desk.of(request)
    viewer, row = await _own(request, at)
    kept = await at.with_bytes(lambda: intake.offset(row, at.staging))
    headers = {
        **_headers(row),
        "Upload-Offset": str(kept),
        "Upload-Length": str(row.length),
        "Upload-Metadata": tus.spelt(row.file_name, row.expected_sha256),
    }
    if kept == row.length:
        headers |= await _finished(at, viewer, row)
    return Response(headers=headers)


@tus.spoken
async def append(request: Request) -> Response:
    """PATCH /uploads/{id}: more bytes, beginning exactly where the last ones ended."""
    tus.refuse_other_content(request)
    return await _settled_meanwhile(partial(_appended, request, tus.offset_of(request)))


async def _appended(request: Request, offset: int) -> Response:
    at = desk.of(request)
    viewer, row = await _own(request, at)
    if row.state == "COMPLETE":
        _refuse_elsewhere(offset, row.length)
        return Response(
            status_code=204, headers={**_headers(row), "Upload-Offset": str(offset), **await _finished(at, viewer, row)}
        )
    return Response(status_code=204, headers={**_headers(row), **await _append(request, at, viewer, row, offset)})


@tus.spoken
async def terminate(request: Request) -> Response:
    """DELETE /uploads/{id}: forgets the upload; an asset made of it stays."""
    at = desk.of(request)
    viewer = await at.viewer(request)
    upload_id = request.path_params["upload_id"]
    await at.write(viewer, lambda work: intake.discard(work, at.staging, upload_id))
    return Response(status_code=204)


async def options(request: Request) -> Response:
    return Response(status_code=204, headers=tus.abilities(desk.of(request).hub.settings.max_upload_bytes))


async def _settled_meanwhile(answer: Callable[[], Awaitable[Response]]) -> Response:
    """Answers anew if the bytes went between the row's reading and theirs: another request completed the upload."""
    try:
        return await answer()
    except Gone:  # nothing of the body is read before this
        return await answer()


async def _own(request: Request, at: Desk) -> tuple[Viewer, UploadRow]:
    viewer = await at.viewer(request)
    upload_id = request.path_params["upload_id"]
    return viewer, await at.read(viewer, lambda work: intake.own(work, upload_id))


async def _append(request: Request, at: Desk, viewer: Viewer, row: UploadRow, offset: int) -> dict[str, str]:
    """Takes the body in; the headers that tell what stands now."""
    checksum = tus.checksum_of(request)
    async with _writing(at, row, checked=checksum is not None) as writer:
        _refuse_elsewhere(offset, writer.start)
        tus.refuse_beyond(request, row.length - offset)
        try:
            await _pour(request, at, writer, row.length)
        except BaseException:
            if checksum is not None:
                await _shielded(at, writer.take_back)
            raise
        finally:
            at.meters.uploaded.inc(writer.size - writer.start)
        if checksum is not None and writer.part_digest() != checksum:
            await _shielded(at, writer.take_back)
            raise tus.wrong_checksum()
        await at.with_bytes(partial(_keep, writer))
        headers = {"Upload-Offset": str(writer.size)}
        if writer.size == row.length:
            with tus.also_telling(headers):
                headers |= await _settle(at, viewer, row, writer)
    return headers


@asynccontextmanager
async def _writing(at: Desk, row: UploadRow, *, checked: bool = False) -> AsyncIterator[staging.Writer]:
    writer = await at.with_bytes(lambda: intake.writer(row, at.staging, checked=checked))
    try:
        yield writer
    finally:
        await _shielded(at, partial(writer.__exit__, None, None, None))


async def _pour(request: Request, at: Desk, writer: staging.Writer, length: int) -> None:
    """Until the body ends. `ClientDisconnect` and a refusal leave what had arrived with the writer."""
    pieces: list[bytes] = []
    gathered = 0
    try:
        async for piece in _body(request):
            gathered += len(piece)
            if writer.size + gathered > length:
                pieces.clear()
                await _shielded(at, writer.take_back)
                raise tus.too_long()
            pieces.append(piece)
            if gathered >= BATCH:
                batch, pieces, gathered = pieces, [], 0
                await at.with_bytes(partial(_write, writer, batch))
    finally:
        if pieces:
            await _shielded(at, partial(_write, writer, pieces))


async def _body(request: Request) -> AsyncIterator[bytes]:
    """The body as it comes; raises `ClientDisconnect`, and `tus.idle()` when nothing comes any more."""
    more = True
    while more:
        with anyio.move_on_after(IDLE_SECONDS) as waiting:
            message = await request.receive()
        if waiting.cancelled_caught:
            raise tus.idle()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        more = message.get("more_body", False)
        if piece := message.get("body", b""):
            yield piece


def _write(writer: staging.Writer, pieces: list[bytes]) -> None:
    try:
        for piece in pieces:
            writer.write(piece)
    except staging.Full:
        raise StorageFull from None


def _keep(writer: staging.Writer) -> None:
    try:
        writer.keep()
    except staging.Full:
        raise StorageFull from None


async def _settle(at: Desk, viewer: Viewer, row: UploadRow, writer: staging.Writer) -> dict[str, str]:
    try:
        digest = await at.with_bytes(lambda: intake.store(at.hub.blobs, row, writer))
    except FileRefused:
        await at.write(viewer, lambda work: intake.reject(work, row))
        await at.with_bytes(writer.remove)
        raise
    await at.write(viewer, lambda work: intake.complete(work, row, digest))
    await at.with_bytes(writer.remove)
    return await _what_it_is(at, viewer, digest)


async def _finished(at: Desk, viewer: Viewer, row: UploadRow) -> dict[str, str]:
    """What a full upload is; another request that is settling it right now is not waited for."""
    if row.sha256 is not None:
        return await _what_it_is(at, viewer, row.sha256)
    try:
        async with _writing(at, row) as writer:
            return await _settle(at, viewer, row, writer)
    except intake.Locked:
        return {}


async def _what_it_is(at: Desk, viewer: Viewer, digest: str) -> dict[str, str]:
    same = await at.read(viewer, lambda work: [asset.id for asset in assets.with_digest(work, digest)])
    known = {"Imprimatur-Duplicate-Of": global_ids.encode("Asset", same[0])} if same else {}
    return {"Imprimatur-Sha256": digest, **known}


def _refuse_elsewhere(offset: int, expected: int) -> None:
    if offset != expected:
        raise Conflict(f"The upload stands at byte {expected}, not {offset}: ask for its offset and go on from there.")


def _headers(row: UploadRow) -> dict[str, str]:
    return {"Upload-Expires": format_datetime(row.expires_at, usegmt=True), "Cache-Control": "no-store"}


def _address(at: Desk, row: UploadRow) -> str:
    """Without a host, so that it leads wherever the client came to; behind the same prefix as everything else."""
    return f"{urlsplit(at.hub.settings.public_url).path}/uploads/{row.id}"


async def _shielded(at: Desk, do: Callable[[], object]) -> None:
    """Finishes even while the request is being cancelled: the file must be flushed and let go."""
    with anyio.CancelScope(shield=True):
        await at.with_bytes(do)


async def _all(request: Request) -> Response:
    return await {"POST": create, "OPTIONS": options}[request.method](request)


async def _one(request: Request) -> Response:
    return await _METHODS[request.method](request)


async def _overridden(request: Request) -> Response:
    """POST from where no other method gets through: the one that is meant stands in a header."""
    meant = request.headers.get("x-http-method-override", "").strip().upper()
    return await _METHODS.get(meant, _no_such_method)(request)


@tus.spoken
async def _no_such_method(_request: Request) -> Response:
    sentence = "An upload is not sent to with POST, unless X-HTTP-Method-Override says PATCH, HEAD or DELETE."
    raise HttpRefusal(405, "METHOD_NOT_ALLOWED", sentence, {"Allow": ", ".join(_METHODS)})


_METHODS = {"HEAD": ask, "PATCH": append, "DELETE": terminate, "OPTIONS": options}
ROUTES = [
    Route("/uploads", _all, methods=["POST", "OPTIONS"]),
    Route("/uploads/", _all, methods=["POST", "OPTIONS"]),
    Route("/uploads/{upload_id}", _one, methods=[*_METHODS]),
    Route("/uploads/{upload_id}", _overridden, methods=["POST"]),
]
