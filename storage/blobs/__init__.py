"""The bytes themselves, kept under their SHA-256 and never overwritten.

What every store promises stands in `interface`; `from_url` opens the one that the settings name.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from storage.blobs.disk import DiskBlobs
from storage.blobs.interface import (
    BlobError,
    BlobMissing,
    BlobStore,
    DigestMismatch,
    Presigns,
    Stored,
    StoreFull,
    StoreUnavailable,
    Sweeps,
)
from storage.blobs.memory import MemoryBlobs

__all__ = [
    "BlobError",
    "BlobMissing",
    "BlobStore",
    "DigestMismatch",
    "DiskBlobs",
    "MemoryBlobs",
    "Presigns",
    "StoreFull",
    "StoreUnavailable",
    "Stored",
    "Sweeps",
    "from_url",
    "parts_of",
]

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION = re.compile(r"[A-Za-z0-9_-]{1,64}")
_S3_FORM = "s3://KEY:SECRET@HOST:PORT/BUCKET?secure=true&region=REGION"


@dataclass(frozen=True)
class S3Parts:
    """What an `s3:` URL says."""

    endpoint: str
    bucket: str
    access_key: str
    secret_key: str
    secure: bool
    region: str | None


def parts_of(url: str) -> S3Parts:
    """Reads an `s3:` URL; ``ValueError`` with one sentence, which never repeats a secret."""
    try:
        parts = urlsplit(url)
    except ValueError:  # its message would quote the URL
        raise ValueError(f"The S3 URL cannot be read; it is written as {_S3_FORM}.") from None
    if parts.scheme != "s3":
        raise ValueError(f"An S3 URL is written as {_S3_FORM}.")
    return _s3_parts(parts)


def from_url(url: str, default_dir: Path) -> BlobStore:
    """Open the store that a URL names, creating what it needs.

    - ``file:`` is the folder "blobs" in the default directory, ``file:///absolute/path`` that folder;
    - ``memory:`` is gone with the process;
    - ``s3://KEY:SECRET@HOST:PORT/BUCKET?secure=false&region=…`` is a bucket, with its spool in the folder
      "spool" of the default directory. ``secure`` (https) is true unless told otherwise; special
      characters in key and secret are percent-encoded.

    Anything else raises ``ValueError`` with one sentence, which never repeats a secret. A store that is
    named well but cannot be reached raises `StoreUnavailable`.
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # its message would quote the URL
        raise ValueError(f"The blob URL cannot be read; an S3 is written as {_S3_FORM}.") from None
    match parts.scheme:
        case "file":
            return DiskBlobs(_folder(parts, default_dir))
        case "memory":
            return _memory(parts)
        case "s3":
            return _s3(parts, default_dir / "spool")
    raise ValueError('A blob URL begins with "file:", "memory:" or "s3:".')


def _folder(parts: SplitResult, default_dir: Path) -> Path:
    if parts.netloc or parts.query or parts.fragment:
        raise ValueError('A blob URL for files is "file:" or "file:///absolute/path", with nothing after it.')
    if not parts.path:
        return default_dir / "blobs"
    path = Path(unquote(parts.path))
    if not path.is_absolute():
        raise ValueError('The path in the blob URL must be absolute, as in "file:///absolute/path".')
    return path


def _memory(parts: SplitResult) -> MemoryBlobs:
    if parts.netloc or parts.path or parts.query or parts.fragment:
        raise ValueError('The blob URL for memory is "memory:", with nothing after it.')
    return MemoryBlobs()


def _s3(parts: SplitResult, spool: Path) -> BlobStore:
    from storage.blobs.s3 import S3Blobs

    asked = _s3_parts(parts)
    return S3Blobs(
        asked.endpoint,
        asked.bucket,
        access_key=asked.access_key,
        secret_key=asked.secret_key,
        secure=asked.secure,
        region=asked.region,
        spool=spool,
    )


def _s3_parts(parts: SplitResult) -> S3Parts:
    bucket = parts.path.strip("/")
    if not _BUCKET.fullmatch(bucket):
        raise ValueError(
            "The blob URL must end in the name of a bucket: 3 to 63 small letters, digits, dots and hyphens; "
            "a slash in key or secret is written as %2F."
        )
    options = _options(parts.query)
    return S3Parts(
        _endpoint(parts),
        bucket,
        access_key=_credential(parts.username),
        secret_key=_credential(parts.password),
        secure=options.get("secure", "true") == "true",
        region=options.get("region"),
    )


def _endpoint(parts: SplitResult) -> str:
    try:
        host, port = parts.hostname, parts.port
    except ValueError:  # its message would quote what stands where the port should
        raise ValueError(f"The port in the blob URL is not a number; the form is {_S3_FORM}.") from None
    if not host:
        raise ValueError(f"The blob URL names no host; the form is {_S3_FORM}.")
    host = f"[{host}]" if ":" in host else host
    return f"{host}:{port}" if port else host


def _credential(encoded: str | None) -> str:
    if not encoded:
        raise ValueError(f"The blob URL lacks a key or a secret; the form is {_S3_FORM}.")
    return unquote(encoded)


def _options(query: str) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    if unknown := options.keys() - {"secure", "region"}:
        raise ValueError(f"The blob URL has {len(unknown)} option(s) besides secure and region.")
    if options.get("secure", "true") not in {"true", "false"}:
        raise ValueError('In the blob URL "secure" is true (https) or false (http).')
    if not _REGION.fullmatch(options.get("region", "default")):
        raise ValueError('In the blob URL "region" is a plain name, such as eu-central-1.')
    return options
