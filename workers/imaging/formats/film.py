"""Films: one frame as a poster; and what is known of films and recordings alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageStat

from domain.recipes import FailureCode, Recipe
from workers.imaging import failures, opening
from workers.imaging.formats import loudness, media, waveform
from workers.imaging.formats.still import Known, Still
from workers.imaging.limits import Limits

MEDIA_TYPES = frozenset(name for name in media.DEMUXERS if not name.startswith("audio/"))
SOUND_TYPES = frozenset(media.DEMUXERS) - MEDIA_TYPES

#: Where a poster is looked for when no moment is named, as parts of the whole: films begin and end in black.
_MOMENTS = (0.1, 0.25, 0.5, 0.0)
#: A frame whose brightness varies less than this shows nothing.
_FLAT = 4.0
#: FFmpeg says how far a player has to turn the picture counter-clockwise.
_TURNS = {
    90: Image.Transpose.ROTATE_90,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_270,
}


def still(source: Path, media_type: str, recipes: Sequence[Recipe], limits: Limits) -> Still:
    """The frame at `at_seconds`, on which the recipes agree; where that is 0, the first one that shows anything.

    Of a film that holds sound only it is the waveform.
    """
    with media.opened(source, media_type) as container:
        stream = media.pictures(container)
        if stream is not None:
            opening.check_size(stream.codec_context.width, stream.codec_context.height, limits.of_canvases)
            picture = _poster(container, stream, recipes[0].at_seconds)
            return Still(picture, *picture.size)
    return waveform.still(source, media_type, recipes, limits)


def known(source: Path, media_type: str, limits: Limits) -> Known:
    with media.opened(source, media_type) as container:
        stream = media.pictures(container)
        width, height = _shown_size(container, stream, limits) if stream is not None else (None, None)
        entries = [*described(container), *_of_pictures(stream)]
        said = {name.lower(): value for name, value in container.metadata.items() if isinstance(value, str)}
    with media.opened(source, media_type) as container:
        entries += loudness.entries(container, limits)
    return Known(
        width=width,
        height=height,
        mode="RGB" if stream is not None else None,
        entries=tuple(entries),
        title=said.get("title", ""),
        creator=said.get("artist", "") or said.get("author", ""),
        rights=said.get("copyright", ""),
    )


def sampled(container: Any, begin: float, length: float, rate: int) -> Iterator[Image.Image]:
    """`rate` pictures a second, from `begin` on, as they are shown; fewer where the film ends before."""
    stream = media.pictures(container)
    if stream is None:
        raise failures.refused(FailureCode.UNSUPPORTED_FORMAT, "The film holds no moving pictures.")
    if begin > media.seconds(container):
        raise failures.refused(FailureCode.OUT_OF_RANGE, "The film is shorter than the moment asked for.")
    if begin:
        container.seek(int(begin * media.MICROSECONDS))
    wanted = 0
    for frame in container.decode(stream):
        at = (frame.time or 0.0) - begin
        if at >= length:
            return
        if at >= wanted / rate:
            wanted = int(at * rate) + 1
            yield as_shown(frame)


def described(container: Any) -> list[tuple[str, str, Any]]:
    """What the container and its sound say."""
    entries: list[tuple[str, str, Any]] = [
        ("media", "container", container.format.name.split(",")[0]),
        ("media", "durationSeconds", round(media.seconds(container), 3)),
        ("media", "bitRate", container.bit_rate or None),
    ]
    if (heard := media.sound(container)) is not None:
        entries += [
            ("media", "audioCodec", heard.codec_context.codec.canonical_name),
            ("media", "audioChannels", heard.codec_context.channels),
            ("media", "sampleRate", heard.codec_context.sample_rate),
        ]
    return [entry for entry in entries if entry[2]]


def _of_pictures(stream: Any | None) -> list[tuple[str, str, Any]]:
    if stream is None:
        return []
    rate = stream.average_rate
    entries: list[tuple[str, str, Any]] = [
        ("media", "videoCodec", stream.codec_context.codec.canonical_name),
        ("media", "pixelFormat", stream.codec_context.pix_fmt),
        ("media", "frameRate", round(float(rate), 3) if rate else None),
    ]
    return [entry for entry in entries if entry[2]]


def _shown_size(container: Any, stream: Any, limits: Limits) -> tuple[int, int]:
    """Told by the first frame, for only frames know how they lie."""
    opening.check_size(stream.codec_context.width, stream.codec_context.height, limits.of_canvases)
    for frame in container.decode(stream):
        return as_shown(frame).size
    raise failures.refused(FailureCode.DAMAGED)


def _poster(container: Any, stream: Any, at: float) -> Image.Image:
    length = media.seconds(container)
    if at:
        if at > length:
            raise failures.refused(FailureCode.OUT_OF_RANGE, "The film is shorter than the moment asked for.")
        return _first(_frames(container, stream, at), [])
    return _first((frame for part in _MOMENTS for frame in _one(container, stream, length * part)), [_is_telling])


def _one(container: Any, stream: Any, at: float) -> Iterable[Image.Image]:
    for picture in _frames(container, stream, at):
        return [picture]
    return []


def _frames(container: Any, stream: Any, at: float) -> Iterable[Image.Image]:
    """From the first frame shown at or after that moment; the last one where no later one follows."""
    container.seek(int(at * media.MICROSECONDS))
    last = None
    for frame in container.decode(stream):
        last = frame
        if frame.time is None or frame.time >= at:
            yield as_shown(frame)
    if last is not None and (last.time or 0) < at:
        yield as_shown(last)


def _first(pictures: Iterable[Image.Image], tests: list[Any]) -> Image.Image:
    """The first that passes, else the first at all."""
    first = None
    for picture in pictures:
        first = first or picture
        if all(test(picture) for test in tests):
            return picture
    if first is None:
        raise failures.refused(FailureCode.DAMAGED)
    return first


def _is_telling(picture: Image.Image) -> bool:
    return ImageStat.Stat(picture.convert("L").resize((64, 64))).stddev[0] > _FLAT


def as_shown(frame: Any) -> Image.Image:
    """In RGB, with square pixels, upright."""
    picture: Image.Image = frame.to_image()
    if (ratio := frame_shape(frame)) != 1:
        picture = picture.resize((max(1, round(picture.width * ratio)), picture.height))
    turn = _TURNS.get(int(frame.rotation) % 360)
    return picture.transpose(turn) if turn is not None else picture


def frame_shape(frame: Any) -> float:
    """A pixel's width by its height."""
    ratio = getattr(frame, "sample_aspect_ratio", None)
    return float(ratio) if ratio and 0.1 < ratio < 10 else 1.0  # noqa: PLR2004 - beyond these it is a mistake
