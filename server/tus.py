"""The tus 1.0 protocol's headers: read strictly, each mistake answered with a sentence that names the header."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps

from starlette.requests import Request
from starlette.responses import Response

from server import problems
from server.problems import HttpRefusal

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,checksum,termination,expiration"
ALGORITHM = "sha256"
CONTENT_TYPE = "application/offset+octet-stream"
#: Letters of the whole `Upload-Metadata` header, and of a number of bytes.
LONGEST_METADATA = 8192
LONGEST_NUMBER = 18
WRONG_CHECKSUM = 460

_VERSION = {"Tus-Resumable": VERSION}
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_KEY = re.compile(r"[!-+\--~]+")  # visible ASCII but the comma

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Told:
    """What the client said of its file; keys we do not know are read and left alone."""

    file_name: str
    sha256: str | None


def spoken(endpoint: Endpoint) -> Endpoint:
    """Refuses other versions of the protocol, and puts ours on every answer, refusals included."""

    @wraps(endpoint)
    async def speaking(request: Request) -> Response:
        try:
            _refuse_other_version(request)
            response = await endpoint(request)
        except problems.REFUSALS as error:
            response = problems.answer(problems.as_http(error))
        response.headers.update(_VERSION)
        return response

    return speaking


@contextmanager
def also_telling(headers: Mapping[str, str]) -> Iterator[None]:
    """A refusal from within carries these headers too: what stands in spite of it."""
    try:
        yield
    except problems.REFUSALS as error:
        raise problems.as_http(error).also(headers) from error


def abilities(max_bytes: int) -> dict[str, str]:
    return {
        **_VERSION,
        "Tus-Version": VERSION,
        "Tus-Extension": EXTENSIONS,
        "Tus-Checksum-Algorithm": ALGORITHM,
        "Tus-Max-Size": str(max_bytes),
    }


def length_of(request: Request) -> int:
    if "upload-defer-length" in request.headers:
        raise _bad("Upload-Defer-Length is not offered here: send Upload-Length.")
    return _number(request, "Upload-Length")


def offset_of(request: Request) -> int:
    return _number(request, "Upload-Offset")


def metadata_of(request: Request) -> Told:
    values = _metadata(request.headers.get("upload-metadata", ""))
    sha256 = _text(values, "sha256")
    if sha256 is not None and _SHA256.fullmatch(sha256) is None:
        raise _bad("Upload-Metadata: sha256 is the file's SHA-256 as 64 hexadecimal digits, itself in base64.")
    _text(values, "filetype")  # only read: what a file is, its bytes decide
    return Told(_text(values, "filename") or "", None if sha256 is None else sha256.lower())


def spelt(file_name: str, sha256: str | None) -> str:
    """`Upload-Metadata` as `HEAD` repeats it."""
    told = {"filename": file_name} | ({"sha256": sha256} if sha256 else {})
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in told.items())


def checksum_of(request: Request) -> bytes | None:
    """The digest that the body must have."""
    told = request.headers.get("upload-checksum")
    if told is None:
        return None
    algorithm, _, encoded = told.partition(" ")
    if algorithm != ALGORITHM:
        raise _bad(f"Upload-Checksum: the only algorithm here is {ALGORITHM}.")
    digest = _base64(encoded)
    if digest is None or len(digest) != hashlib.sha256().digest_size:
        raise _bad("Upload-Checksum: after the algorithm stands the digest, 32 bytes in base64.")
    return digest


def brings_bytes(request: Request) -> bool:
    """Whether a creation comes with its first bytes; other bodies are refused rather than overlooked."""
    if _content_type(request) == CONTENT_TYPE:
        return True
    if request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers:
        raise _other_content()
    return False


def refuse_other_content(request: Request) -> None:
    if _content_type(request) != CONTENT_TYPE:
        raise _other_content()


def refuse_beyond(request: Request, room: int) -> None:
    """Refuses, before a byte is read, a body that says it is longer than what is missing."""
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > room:
        raise too_long()


def too_long() -> HttpRefusal:
    sentence = "More bytes came than Upload-Length announced: none of this request's bytes were kept."
    return HttpRefusal(413, "TOO_LONG", sentence)


def wrong_checksum() -> HttpRefusal:
    sentence = "The bytes that arrived do not have the announced checksum: they were thrown away, send them again."
    return HttpRefusal(WRONG_CHECKSUM, "CHECKSUM_MISMATCH", sentence)


def idle() -> HttpRefusal:
    sentence = "Nothing more came: what had arrived is kept, go on from there."
    return HttpRefusal(408, "IDLE", sentence, {"Connection": "close"})


def _refuse_other_version(request: Request) -> None:
    if request.headers.get("tus-resumable") != VERSION:
        sentence = f"Uploads speak tus {VERSION}: send the header `Tus-Resumable: {VERSION}`."
        raise HttpRefusal(412, "TUS_VERSION", sentence, {"Tus-Version": VERSION})


def _number(request: Request, name: str) -> int:
    told = request.headers.get(name, "")
    if not (told.isascii() and told.isdecimal() and len(told) <= LONGEST_NUMBER):
        raise _bad(f"{name} is missing or no number: it counts bytes, in decimal digits.")
    return int(told)


def _metadata(header: str) -> dict[str, bytes]:
    if len(header) > LONGEST_METADATA:
        raise _bad(f"Upload-Metadata is longer than {LONGEST_METADATA:,} letters.")
    values: dict[str, bytes] = {}
    for pair in header.split(",") if header.strip() else ():
        key, _, encoded = pair.strip(" ").partition(" ")
        value = _base64(encoded)
        if _KEY.fullmatch(key) is None or value is None or key in values:
            raise _bad(
                "Upload-Metadata is a list like `filename d29ybGQ=,sha256 …`: each key once, its value in base64."
            )
        values[key] = value
    return values


def _text(values: Mapping[str, bytes], key: str) -> str | None:
    try:
        return values[key].decode() if key in values else None
    except UnicodeDecodeError:
        raise _bad(f"Upload-Metadata: {key} is no UTF-8.") from None


def _base64(encoded: str) -> bytes | None:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _other_content() -> HttpRefusal:
    return HttpRefusal(415, "CONTENT_TYPE", f"Bytes of an upload come as `Content-Type: {CONTENT_TYPE}`.")


def _bad(sentence: str) -> HttpRefusal:
    return HttpRefusal(400, "BAD_HEADER", sentence)
