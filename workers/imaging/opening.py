"""Opening a stranger's picture: the formats we take, and the checks that come before a single pixel is decoded.

Pillow is never left to guess: exactly one of its readers is asked, the one that the file's signature names.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pi_heif
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    ExifTags,
    GifImagePlugin,
    Image,
    ImageFile,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    PsdImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from domain.recipes import FailureCode
from workers.imaging import failures, frames
from workers.imaging.limits import Limits

#: Media type → Pillow's reader. Postscript and metafiles are left out for good: reading them runs programs.
#: Multi-picture JPEGs are opened by the JPEG reader, which turns into the other one by itself.
READERS = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/webp": "WEBP",
    "image/avif": "AVIF",
    "image/heic": "HEIF",
    "image/heif": "HEIF",
    "image/gif": "GIF",
    "image/tiff": "TIFF",
    "image/bmp": "BMP",
    "image/jp2": "JPEG2000",
    "image/vnd.adobe.photoshop": "PSD",
}

# Imported here, once and before any fork: else Pillow looks all its plugins up in every job anew.
_PLUGINS = (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    PsdImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
Image.preinit()

# One thread per process: the cores are shared out among processes, and a thread's stack counts as memory.
pi_heif.register_heif_opener(decode_threads=1, thumbnails=False, depth_images=False, aux_images=False)
AvifImagePlugin.DEFAULT_MAX_THREADS = 1

#: Their readers allocate whole canvases, whatever is asked of them.
_CANVASES = frozenset({"image/webp", "image/gif", "image/avif", "image/heic", "image/heif", "image/jp2"})
_NOT_PAGES = frozenset({"image/jpeg", "image/vnd.adobe.photoshop"})
_TURNED_BY_READER = frozenset({"TIFF", "HEIF"})
#: Orientations whose stored width is the displayed height.
ON_ITS_SIDE = frozenset({5, 6, 7, 8})
_UPRIGHT = 1
_MIRRORED_DIAGONALLY = 8


@contextmanager
def opened(source: Path, media_type: str, limits: Limits, *, page: int = 0) -> Iterator[ImageFile.ImageFile]:
    """The picture with its header read and found within `limits`, nothing decoded; `PictureError` else.

    `page` counts pages and frames from 0; OUT_OF_RANGE where there are not so many.
    """
    picture = _open(source, media_type, limits)
    with picture:
        if page:
            _turn_to(picture, page, source, media_type, limits)
        yield picture


def decode(picture: ImageFile.ImageFile, source: Path, media_type: str) -> None:
    """Reads the pixels; `PictureError` when they cannot all be read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture.load()
    except Exception as error:
        raise failures.translated(error, source, media_type) from error


def turn_left_to_do(picture: Image.Image) -> int:
    """The orientation (1–8 as in EXIF) of what the reader hands out: TIFF and HEIC are turned upright by theirs."""
    return _UPRIGHT if picture.format in _TURNED_BY_READER else orientation(picture)


def orientation(picture: Image.Image) -> int:
    """How the stored picture lies, 1–8 as in EXIF; 1 where nothing sensible is said."""
    if picture.format == "HEIF":
        return int(picture.info.get("original_orientation") or _UPRIGHT)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            said = embedded_exif(picture).get(ExifTags.Base.Orientation, _UPRIGHT)
    except Exception:  # noqa: BLE001 - unreadable EXIF says nothing
        return _UPRIGHT
    return said if isinstance(said, int) and _UPRIGHT <= said <= _MIRRORED_DIAGONALLY else _UPRIGHT


def embedded_exif(picture: Image.Image) -> Image.Exif:
    """Without decoding: PNG's own `getexif` reads all pixels to see what stands behind them."""
    return Image.Image.getexif(picture)


def count_frames(picture: Image.Image, source: Path, media_type: str, limits: Limits) -> int:
    """Frames of an animation, pages of a TIFF, at least 1; layers and previews do not count."""
    if media_type in _NOT_PAGES:
        return 1
    if media_type == "image/gif":
        return max(1, frames.in_gif(source, limits.frames))
    if media_type == "image/tiff":
        return max(1, frames.in_tiff(source, limits.frames))
    return max(1, int(getattr(picture, "n_frames", 1)))


def check_size(width: int, height: int, limits: Limits) -> None:
    """Raises `PictureError` for a picture that is too large or no picture at all."""
    if width < 1 or height < 1:
        raise failures.refused(FailureCode.ABSURD_DIMENSIONS, "The picture has no width or no height.")
    longer, shorter = max(width, height), min(width, height)
    if longer > limits.longest_side or longer > shorter * limits.aspect:
        sentence = f"The picture says it is {width:,} × {height:,} pixels, which makes no sense for a picture."
        raise failures.refused(FailureCode.ABSURD_DIMENSIONS, sentence)
    if width * height > limits.pixels:
        raise failures.refused(FailureCode.TOO_MANY_PIXELS, _too_many(width, height, limits))


def _open(source: Path, media_type: str, limits: Limits) -> ImageFile.ImageFile:
    if source.stat().st_size == 0:
        raise failures.refused(FailureCode.EMPTY)
    reader = READERS.get(media_type)
    if media_type in _CANVASES:
        limits = limits.of_canvases
    if reader is None:
        raise failures.refused(FailureCode.UNSUPPORTED_FORMAT)
    try:
        return _checked(_read_header(source, reader, limits), source, media_type, limits)
    except Image.DecompressionBombError as error:
        raise failures.refused(FailureCode.TOO_MANY_PIXELS, _as_pillow_says(error, limits)) from error
    except Exception as error:
        raise failures.translated(error, source, media_type) from error


def _read_header(source: Path, reader: str, limits: Limits) -> ImageFile.ImageFile:
    # Some readers allocate the whole canvas while they open, so Pillow has to know the budget beforehand;
    # it raises above twice its limit.
    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = (limits.pixels + 1) // 2
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Image.open(source, formats=[reader])
    finally:
        Image.MAX_IMAGE_PIXELS = before


def _checked(picture: ImageFile.ImageFile, source: Path, media_type: str, limits: Limits) -> ImageFile.ImageFile:
    try:
        check_size(*picture.size, limits)
        _check_frames(picture, count_frames(picture, source, media_type, limits), limits)
    except BaseException:
        picture.close()
        raise
    return picture


def _turn_to(picture: ImageFile.ImageFile, page: int, source: Path, media_type: str, limits: Limits) -> None:
    """Pages may be of different sizes, so each is checked."""
    if page >= count_frames(picture, source, media_type, limits):
        raise failures.refused(FailureCode.OUT_OF_RANGE, f"The file has no page {page + 1}.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture.seek(page)
    except Exception as error:
        raise failures.translated(error, source, media_type) from error
    check_size(*picture.size, limits)


def _as_pillow_says(error: Image.DecompressionBombError, limits: Limits) -> str | None:
    """Its message holds the number of pixels and nothing else of use."""
    found = re.search(r"\((\d+) pixels\)", str(error))
    return f"The picture says it has {_millions(int(found[1]))} pixels; {_taken(limits)}" if found else None


def _check_frames(picture: Image.Image, held: int, limits: Limits) -> None:
    if picture.width * picture.height * held > limits.frame_pixels:
        sentence = f"The {held:,} frames of the file have more pixels together than this hub takes."
        raise failures.refused(FailureCode.TOO_MANY_PIXELS, sentence)


def _too_many(width: int, height: int, limits: Limits) -> str:
    counted = _millions(width * height)
    return f"The picture says it is {width:,} × {height:,} pixels, that is {counted}; {_taken(limits)}"


def _taken(limits: Limits) -> str:
    return f"this hub takes {_millions(limits.pixels)}."


def _millions(pixels: int) -> str:
    return f"{pixels / 1_000_000:,.0f} million"
