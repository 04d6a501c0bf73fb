"""Pictures written to files: nothing of the original's metadata goes along, and the colours say what they are.

What the recipe's statement says is written by its policy, into XMP everywhere and into IPTC where the format has a
place for it. On the screen, JPEG, TIFF and PDF carry a small sRGB profile and PNG its `sRGB` chunk; WebP, AVIF and GIF
mean sRGB when they say nothing or say it in their own header. For a press the profile goes along. The same pixels and
the same recipe give the same bytes.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageColor, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from domain.packets import iptc, jpeg, xmp
from domain.recipes import HOLDS_TRANSPARENCY, Format, Recipe
from workers.imaging import colour
from workers.imaging.writing import gif, pdf

#: zlib's run-length strategy: four times as fast on photographs for two per cent more bytes.
_RUN_LENGTH = 3
_PERCEPTUAL = b"\x00"
_ALPHA = frozenset({"LA", "RGBA"})
#: TIFF's tags: differences to the left neighbour compress a third better; XMP; IPTC as bytes.
_PREDICTOR, _XMP, _IPTC = 317, 700, 33723
_HORIZONTAL = 2
# Imported here, once and before any fork: else Pillow looks all its plugins up in every job anew.
_PLUGINS = (JpegImagePlugin, PngImagePlugin, WebPImagePlugin)
#: Where the extended header of WebP keeps its flags.
_WEBP_FLAGS, _WEBP_ALPHA = 20, 0x10


@dataclass(frozen=True)
class Packets:
    """What goes beside the pixels; empty where nothing is to be said."""

    xmp: bytes
    iptc: bytes
    profile: bytes | None
    dpi: tuple[int, int] | None


def warm() -> None:
    """Builds what every job needs anyway; call it once before forking."""
    Image.preinit()


def write(picture: Image.Image, recipe: Recipe, target: Path) -> None:
    """Writes `picture` (mode L, LA, RGB or RGBA in sRGB, or CMYK) to `target`; on an error no file is left."""
    try:
        with _bare(picture, recipe) as bare:
            _WRITERS[recipe.format](bare, recipe, _packets(bare, recipe), target)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def encoded(picture: Image.Image, recipe: Recipe) -> bytes:
    """The bytes that `write` would write: of JPEG, PNG and WebP."""
    target = io.BytesIO()
    with _bare(picture, recipe) as bare:
        _IN_MEMORY[recipe.format](bare, recipe, _packets(bare, recipe), target)
    return target.getvalue()


def write_frames(
    pictures: Sequence[Image.Image], milliseconds: Sequence[int], times: int, recipe: Recipe, target: Path
) -> None:
    """Likewise, GIF or WebP that moves; it is shown `times`, 0 for ever."""
    is_clear = any(picture.mode in _ALPHA for picture in pictures)
    frames = [picture.convert("RGBA") if is_clear else picture.copy() for picture in pictures]
    for frame in frames:
        frame.info = {}
    packets = _packets(frames[0], recipe)
    first, *others = frames
    said: dict[str, Any] = {"save_all": True, "append_images": others, "duration": list(milliseconds)}
    try:
        if recipe.format is Format.WEBP:
            first.save(target, "WEBP", quality=recipe.quality, method=4, xmp=packets.xmp, loop=times, **said)
            if is_clear:
                _declare_transparency(target)
        else:
            said |= {"disposal": 2} if is_clear else {}
            # A GIF says how often it is repeated, and nothing where it is shown once.
            said |= {"loop": max(0, times - 1)} if times != 1 else {}
            first.save(target, "GIF", **said)
            if packets.xmp:
                target.write_bytes(gif.with_xmp(target.read_bytes(), packets.xmp))
    except BaseException:
        target.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _bare(picture: Image.Image, recipe: Recipe) -> Iterator[Image.Image]:
    """Without what the format cannot hold. Pillow's writers pick comments, profiles and resolutions up from here on
    their own. Lent, for a copy would take a hundredth of all the time that five renditions take.
    """
    bare = picture if recipe.format in HOLDS_TRANSPARENCY else flattened(picture, recipe.background)
    info, bare.info = bare.info, {}
    try:
        yield bare
    finally:
        bare.info = info


def _declare_transparency(target: Path) -> None:
    """Where each frame covers only an opaque part, libwebp does not say that the rest is clear."""
    with target.open("r+b") as file:
        head = bytearray(file.read(_WEBP_FLAGS + 1))
        if head[12:16] == b"VP8X":
            file.seek(_WEBP_FLAGS)
            file.write(bytes([head[_WEBP_FLAGS] | _WEBP_ALPHA]))


def flattened(picture: Image.Image, background: str) -> Image.Image:
    """On an opaque ground; a picture without transparency as it is."""
    if picture.mode not in _ALPHA:
        return picture
    mode = picture.mode[:-1]
    ground = Image.new(mode, picture.size, ImageColor.getcolor(background, mode))
    ground.paste(picture.convert(mode), mask=picture.getchannel("A"))
    return ground


def ground(mode: str, recipe: Recipe) -> Any:
    """The recipe's background as a colour of this mode."""
    if mode != "CMYK":
        return ImageColor.getcolor(recipe.background, mode)
    screen = Image.new("RGB", (1, 1), recipe.background)
    return colour.to_press(screen, None, recipe.press_profile).getpixel((0, 0))


def _packets(picture: Image.Image, recipe: Recipe) -> Packets:
    profiles = {"RGB": colour.srgb_tag, "RGBA": colour.srgb_tag}
    if picture.mode == "CMYK":
        profile: bytes | None = colour.press_profile(recipe.press_profile)
    else:
        profile = profiles[picture.mode]() if picture.mode in profiles else None
    return Packets(
        xmp.packet(recipe.statement, recipe.metadata),
        iptc.record(recipe.statement, recipe.metadata),
        profile,
        (recipe.dpi, recipe.dpi) if recipe.dpi else None,
    )


def _jpeg(picture: Image.Image, recipe: Recipe, packets: Packets, target: Path | io.BytesIO) -> None:
    said: dict[str, Any] = {"xmp": packets.xmp} if packets.xmp else {}
    if packets.iptc:
        said["extra"] = jpeg.segment(jpeg.APP13, iptc.photoshop_resource(packets.iptc))
    if packets.dpi:
        said["dpi"] = packets.dpi
    picture.save(
        target,
        "JPEG",
        quality=recipe.quality,
        progressive=recipe.progressive,
        optimize=True,
        icc_profile=packets.profile,
        **said,
    )


def _png(picture: Image.Image, _recipe: Recipe, packets: Packets, target: Path | io.BytesIO) -> None:
    chunks = PngImagePlugin.PngInfo()
    chunks.add(b"sRGB", _PERCEPTUAL)
    if packets.xmp:
        chunks.add_itxt("XML:com.adobe.xmp", packets.xmp.decode())
    said = {"dpi": packets.dpi} if packets.dpi else {}
    picture.save(target, "PNG", compress_type=_RUN_LENGTH, pnginfo=chunks, **said)


def _webp(picture: Image.Image, recipe: Recipe, packets: Packets, target: Path | io.BytesIO) -> None:
    picture.save(target, "WEBP", quality=recipe.quality, method=4, xmp=packets.xmp)


def _avif(picture: Image.Image, recipe: Recipe, packets: Packets, target: Path) -> None:
    # One thread: the cores are shared out among processes, and the bytes do not depend on the machine.
    said = {"xmp": packets.xmp} if packets.xmp else {}
    picture.save(target, "AVIF", quality=recipe.quality, speed=recipe.speed, max_threads=1, **said)


def _gif(picture: Image.Image, _recipe: Recipe, packets: Packets, target: Path) -> None:
    picture.save(target, "GIF")
    if packets.xmp:
        target.write_bytes(gif.with_xmp(target.read_bytes(), packets.xmp))


def _tiff(picture: Image.Image, _recipe: Recipe, packets: Packets, target: Path) -> None:
    tags: dict[int, Any] = {_PREDICTOR: _HORIZONTAL}
    tags |= {number: value for number, value in ((_XMP, packets.xmp), (_IPTC, packets.iptc)) if value}
    said = {"dpi": packets.dpi} if packets.dpi else {}
    picture.save(target, "TIFF", compression="tiff_lzw", tiffinfo=tags, icc_profile=packets.profile, **said)


def _pdf(picture: Image.Image, recipe: Recipe, packets: Packets, target: Path) -> None:
    press = recipe.press_profile if picture.mode == "CMYK" else None
    page = pdf.Page(picture, recipe.quality, recipe.dpi, press, packets.xmp)
    target.write_bytes(pdf.document(page))


_WRITERS: dict[Format, Callable[[Image.Image, Recipe, Packets, Path], None]] = {
    Format.JPEG: _jpeg,
    Format.PNG: _png,
    Format.WEBP: _webp,
    Format.AVIF: _avif,
    Format.GIF: _gif,
    Format.TIFF: _tiff,
    Format.PDF: _pdf,
}
_IN_MEMORY: dict[Format, Callable[[Image.Image, Recipe, Packets, io.BytesIO], None]] = {
    Format.JPEG: _jpeg,
    Format.PNG: _png,
    Format.WEBP: _webp,
}
