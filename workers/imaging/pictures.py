"""Pictures from one that is decoded: framed, resized, turned, coloured and written.

Each is made from the smallest one already made that is large enough to lose nothing visible, the largest from the
original. Turning and colour management come after resizing, where there are fewer pixels to treat. Nothing is enlarged
unless the recipe says so (a PDF page has no pixels of its own and is drawn as large as asked). Nothing here reads a
stranger's file: little is imported for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from domain.recipes import Colour, FailureCode, Fit, Recipe, RenderFailure
from workers.imaging import colour, encoding, failures, geometry, reductions, saliency, watermark
from workers.imaging.geometry import Box, Framing

#: Pixels of the longer side from which on a picture made of a JPEG's reduction is resized briefly.
_LARGE = 1000
#: Pixels of the longer side that a focal point is sought in.
_GLANCE = 256

#: By orientation, as EXIF counts.
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
#: Clockwise, as recipes count; Pillow's names count the other way.
TURNS = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}
_ALPHA = frozenset({"LA", "RGBA"})
#: Orientations whose stored width is the displayed height.
ON_ITS_SIDE = frozenset({5, 6, 7, 8})


@dataclass(frozen=True)
class Master:
    """`width` × `height` are the displayed original's; `picture` may be a reduction, still lying as it was stored."""

    picture: Image.Image
    width: int
    height: int
    profile: bytes | None = None
    orientation: int = 1
    #: Pixels per unit of what has none of its own: a drawing's, or a page's points.
    drawn: float = 1.0


@dataclass(frozen=True)
class Made:
    """A finished picture, `file_name` inside the output directory."""

    preset: str
    file_name: str
    media_type: str
    width: int
    height: int
    byte_size: int
    #: Where the crop was laid, if its recipe sought a point and there is one.
    focal: tuple[float, float] | None = None


def of_master(source: Master, recipes: Sequence[Recipe], out_dir: Path) -> dict[str, Made | RenderFailure]:
    """By preset: a file each in `out_dir`, or why there is none."""
    framed: list[tuple[Recipe, Framing]] = []
    outcomes: dict[str, Made | RenderFailure] = {}
    point = saliency.proposed(_glance(source)) if any(map(_seeks, recipes)) else None
    for asked in recipes:
        recipe = _as_drawn(replace(asked, focal=point) if _seeks(asked) else asked, source)
        try:
            framed.append((recipe, geometry.framing(recipe, source.width, source.height)))
        except ValueError:
            outcomes[recipe.preset] = failures.failure(FailureCode.OUT_OF_RANGE)
    framed.sort(key=lambda pair: (-pair[1].scale, not pair[1].is_whole))
    siblings: list[_Sibling] = []
    for recipe, framing in framed:
        outcomes[recipe.preset] = _made(source, siblings, recipe, framing, out_dir)
    return outcomes


def sought(source: Master, recipe: Recipe) -> Recipe:
    """With the focal point that it asks to be looked for, if it does and there is one."""
    return replace(recipe, focal=saliency.proposed(_glance(source))) if _seeks(recipe) else recipe


def finished(source: Master, recipe: Recipe) -> Image.Image:
    """One alone, such as a frame of what moves; `PictureError` where its region lies outside."""
    try:
        framing = geometry.framing(recipe, source.width, source.height)
    except ValueError as error:
        raise failures.refused(FailureCode.OUT_OF_RANGE) from error
    finished = _turned(_on_canvas(_coloured(source, [], recipe, framing), recipe, framing), recipe.rotation)
    return watermark.marked(finished, recipe.watermark) if recipe.watermark else finished


def unwritable(recipe: Recipe) -> RenderFailure:
    """What is told where an encoder refuses."""
    return failures.failure(FailureCode.CRASHED, f"The picture could not be written as {recipe.format.name}.")


@dataclass(frozen=True)
class _Manner:
    """How pictures are resized: by `filter`, after whole blocks were averaged down to `gap` times the target.

    A picture may be made from a sibling that is at least `reuse` times as large; what shows a part only, and so is
    nobody's sibling itself, from one `part_reuse` times as large.
    """

    filter: Image.Resampling
    gap: float
    reuse: float
    part_reuse: float


#: Loses nothing that can be seen.
_CAREFUL = _Manner(Image.Resampling.LANCZOS, gap=2.0, reuse=1.6, part_reuse=1.6)
#: What JPEG has reduced already has lost its finest detail: in a large picture this manner takes away nothing further
#: (0.0003 of SSIM at most) at half the cost. In smaller ones, where a pixel shows more, it would (0.007).
_BRIEF = _Manner(Image.Resampling.BICUBIC, gap=1.25, reuse=1.6, part_reuse=1.1)


@dataclass(frozen=True)
class _Sibling:
    """A whole upright picture, `scale` pixels per pixel of the original: in its own colours, the screen's, or both."""

    picture: Image.Image
    scale: float
    is_original: bool
    is_screen: bool


def _as_drawn(recipe: Recipe, source: Master) -> Recipe:
    """A region is named in the original's own units; what has no pixels of its own was drawn larger or smaller."""
    if recipe.region is None or source.drawn == 1:
        return recipe
    left, top, width, height = (round(part * source.drawn) for part in recipe.region)
    return replace(recipe, region=(left, top, max(1, width), max(1, height)))


def _seeks(recipe: Recipe) -> bool:
    return recipe.seeks and recipe.fit is Fit.COVER and recipe.focal is None and recipe.region is None


def _glance(source: Master) -> Image.Image:
    small = (
        source.picture.copy()
        if max(source.picture.size) <= _GLANCE
        else source.picture.resize(
            geometry.within(source.picture.size, _GLANCE), Image.Resampling.BOX, reducing_gap=_CAREFUL.gap
        )
    )
    small = reductions.plain(small)
    upright = small.transpose(UPRIGHT[source.orientation]) if source.orientation in UPRIGHT else small
    return colour.to_srgb(upright, source.profile)


def _made(
    source: Master, siblings: list[_Sibling], recipe: Recipe, framing: Framing, out_dir: Path
) -> Made | RenderFailure:
    target = out_dir / recipe.file_name
    try:
        coloured = _coloured(source, siblings, recipe, framing)
        finished = _turned(_on_canvas(coloured, recipe, framing), recipe.rotation)
        if recipe.watermark:
            finished = watermark.marked(finished, recipe.watermark)
        encoding.write(finished, recipe, target)
    except MemoryError:
        return failures.failure(FailureCode.OUT_OF_MEMORY)
    except OSError as error:
        if error.errno is not None:
            raise
        return unwritable(recipe)
    except (ValueError, RuntimeError):
        return unwritable(recipe)
    size = target.stat().st_size
    focal = recipe.focal if recipe.seeks else None
    return Made(recipe.preset, target.name, recipe.format.media_type, *finished.size, size, focal)


def _coloured(source: Master, siblings: list[_Sibling], recipe: Recipe, framing: Framing) -> Image.Image:
    """The framed part at its size, in the recipe's colours; what is whole is kept for those that follow."""
    if recipe.colour is Colour.CMYK and source.picture.mode not in _ALPHA:
        return colour.to_press(_original(source, siblings, framing), source.profile, recipe.press_profile)
    screen = _screen(source, siblings, framing)
    if recipe.colour is Colour.CMYK:
        return colour.to_press(encoding.flattened(screen, recipe.background), None, recipe.press_profile)
    if recipe.colour is Colour.GREY:
        return screen.convert("LA" if screen.mode == "RGBA" else "L")
    return colour.proof(screen, recipe.proof) if recipe.proof else screen


def _screen(source: Master, siblings: list[_Sibling], framing: Framing) -> Image.Image:
    manner = _manner(source, framing)
    sibling = _sibling(siblings, framing, manner)
    if sibling is not None and sibling.is_screen:
        picture = _resized(sibling.picture, framing, framing.box, (source.width, source.height), manner)
        _keep(siblings, picture, framing, is_original=sibling.is_original, is_screen=True)
        return picture
    own = _original(source, siblings, framing)
    picture = colour.to_srgb(own, source.profile)
    _keep(siblings, picture, framing, is_original=picture is own, is_screen=True)
    return picture


def _original(source: Master, siblings: list[_Sibling], framing: Framing) -> Image.Image:
    """In the colours it came with."""
    manner = _manner(source, framing)
    sibling = _sibling([one for one in siblings if one.is_original], framing, manner)
    if sibling is not None:
        picture = _resized(sibling.picture, framing, framing.box, (source.width, source.height), manner)
    else:
        picture = _from_master(source, framing, manner)
    _keep(siblings, picture, framing, is_original=True, is_screen=False)
    return picture


def _manner(source: Master, framing: Framing) -> _Manner:
    is_reduced = max(source.picture.size) < max(source.width, source.height)
    return _BRIEF if is_reduced and max(framing.size) >= _LARGE else _CAREFUL


def _keep(
    siblings: list[_Sibling], picture: Image.Image, framing: Framing, *, is_original: bool, is_screen: bool
) -> None:
    if framing.is_whole:
        siblings.append(_Sibling(picture, framing.scale, is_original, is_screen))


def _sibling(siblings: Sequence[_Sibling], framing: Framing, manner: _Manner) -> _Sibling | None:
    """The smallest that is either exactly right or comfortably larger, of two alike the one on the screen's colours."""
    enough = framing.scale * (manner.reuse if framing.is_whole else manner.part_reuse)
    fit = [one for one in siblings if one.scale >= enough or one.scale == framing.scale]
    return min(fit, key=lambda one: (one.scale, not one.is_screen), default=None)


def _from_master(source: Master, framing: Framing, manner: _Manner) -> Image.Image:
    turned = source.orientation in ON_ITS_SIDE
    box = geometry.stored(framing.box, source.orientation, source.width, source.height)
    stored = (source.height, source.width) if turned else (source.width, source.height)
    size = framing.size[::-1] if turned else framing.size
    laid = Framing(framing.scale, size, box, framing.is_whole)
    small = reductions.plain(_resized(source.picture, laid, box, stored, manner))
    return small.transpose(UPRIGHT[source.orientation]) if source.orientation in UPRIGHT else small


def _resized(
    picture: Image.Image, framing: Framing, box: Box, original: tuple[int, int], manner: _Manner
) -> Image.Image:
    """`box` speaks of an `original` of this size, of which `picture` may be a reduction."""
    across, down = picture.width / original[0], picture.height / original[1]
    left, top, right, bottom = box
    inside = (left * across, top * down, min(right * across, picture.width), min(bottom * down, picture.height))
    return picture.resize(framing.size, manner.filter, box=inside, reducing_gap=manner.gap)


def _on_canvas(picture: Image.Image, recipe: Recipe, framing: Framing) -> Image.Image:
    """In the middle of the canvas; what is transparent stays so, the ground around it is the background."""
    if framing.canvas is None or framing.canvas == picture.size:
        return picture
    canvas = Image.new(picture.mode, framing.canvas, encoding.ground(picture.mode, recipe))
    canvas.paste(picture, ((canvas.width - picture.width) // 2, (canvas.height - picture.height) // 2))
    return canvas


def _turned(picture: Image.Image, rotation: int) -> Image.Image:
    return picture.transpose(TURNS[rotation]) if rotation else picture
