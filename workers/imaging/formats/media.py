"""A file of moving pictures or sound, opened with one thread and within limits; by FFmpeg (the extra `video`).

Only files are read: FFmpeg's other protocols and play lists that lead elsewhere are switched off.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from domain.recipes import FailureCode
from workers.imaging import failures
from workers.imaging.formats.still import library

#: FFmpeg's readers by media type: it is never left to guess, for some of its formats name other files.
DEMUXERS = {
    "video/mp4": "mov",
    "video/quicktime": "mov",
    "video/3gpp": "mov",
    "video/webm": "matroska",
    "video/x-matroska": "matroska",
    "video/x-msvideo": "avi",
    "video/mpeg": "mpeg",
    "video/mp2t": "mpegts",
    "video/x-flv": "flv",
    "video/x-ms-wmv": "asf",
    "application/mxf": "mxf",
    "video/ogg": "ogg",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "audio/flac": "flac",
    "audio/ogg": "ogg",
    "audio/mp4": "mov",
    "audio/aac": "aac",
    "audio/aiff": "aiff",
}
_OF_THE_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS})
MICROSECONDS = 1_000_000


@contextmanager
def opened(source: Path, media_type: str) -> Iterator[Any]:
    """The container; what FFmpeg refuses is `PictureError` with the code that fits."""
    av = library("av", "video")
    av.logging.set_level(av.logging.PANIC)
    if source.stat().st_size == 0:
        raise failures.refused(FailureCode.EMPTY)
    # A file object instead of a name: there is no path that anything inside could be relative to.
    with source.open("rb") as file:
        try:
            with av.open(file, format=DEMUXERS[media_type], options={"enable_drefs": "0"}) as container:
                yield container
        except av.error.FFmpegError as error:
            if error.errno in _OF_THE_DISK:  # what is made is written while this is read
                raise OSError(error.errno, os.strerror(error.errno)) from error
            raise failures.translated(error, source, media_type) from error


def pictures(container: Any) -> Any | None:
    """The stream of moving pictures; None where there is none. The cover of a record is not one."""
    for stream in container.streams.video:
        if not _is_cover(stream):
            stream.thread_count, stream.thread_type = 1, "NONE"
            return stream
    return None


def sound(container: Any) -> Any | None:
    for stream in container.streams.audio:
        stream.thread_count, stream.thread_type = 1, "NONE"
        return stream
    return None


def seconds(container: Any) -> float:
    """0 where the file does not say."""
    return max(0.0, (container.duration or 0) / MICROSECONDS)


def _is_cover(stream: Any) -> bool:
    av = library("av", "video")
    return bool(stream.disposition & av.stream.Disposition.attached_pic)
