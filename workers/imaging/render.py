"""Many pictures from one: the file is opened once, decoded once and resized downwards.

Each picture is made from the smallest one already made that is large enough to lose nothing visible, the largest
from the original. JPEG is decoded at a fraction of its size where that suffices. Turning and colour management come
after resizing, where there are fewer pixels to treat. Nothing is ever enlarged (a PDF page has no pixels of its own
and is drawn as large as asked). One recipe that fails does not take the others with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from domain.recipes import FailureCode, Recipe, RenderFailure
from workers.imaging import colour, depth, encoding, failures, geometry, opening, pdf
from workers.imaging.limits import Limits

#: JPEG's own reduction may stop at this factor above the largest picture, so that a real filter does the last step.
_DRAFT_MARGIN = 1.25
#: A picture may be made from a smaller sibling that is at least this much larger than itself.
_REUSE_MARGIN = 1.6
#: Large reductions average whole blocks first, down to twice the target; the difference cannot be seen.
_REDUCING_GAP = 2.0

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ON_ITS_SIDE = frozenset({5, 6, 7, 8})


@dataclass(frozen=True)
class Made:
    """A finished picture, `file_name` inside the output directory."""

    preset: str
    file_name: str
    media_type: str
    width: int
    height: int
    byte_size: int


@dataclass(frozen=True)
class Rendered:
    """`made` and `failed` (preset → why) together name every recipe that was asked for, each exactly once."""

    made: tuple[Made, ...]
    failed: dict[str, RenderFailure]


def render(
    source: Path, media_type: str, recipes: Sequence[Recipe], out_dir: Path, limits: Limits | None = None
) -> Rendered:
    """Writes one file per recipe into `out_dir`, named after the preset.

    `media_type` is what sniffing said, not what was claimed. `PictureError` when the source gives no picture at
    all; an operating system error (a full disk) goes through as it is. Presets must differ.
    """
    limits = limits or Limits()
    master = _master(source, media_type, recipes, limits)
    framed = [(recipe, master.framing(recipe)) for recipe in recipes]
    framed.sort(key=lambda pair: (-pair[1].scale, not pair[1].is_whole))
    siblings: list[_Sibling] = []
    made: dict[str, Made] = {}
    failed: dict[str, RenderFailure] = {}
    for recipe, framing in framed:
        outcome = _made(master, siblings, recipe, framing, out_dir)
        if isinstance(outcome, Made):
            made[recipe.preset] = outcome
        else:
            failed[recipe.preset] = outcome
    return Rendered(tuple(made[r.preset] for r in recipes if r.preset in made), failed)


@dataclass(frozen=True)
class _Sibling:
    """A whole picture already upright and in sRGB, `scale` pixels per pixel of the original."""

    picture: Image.Image
    scale: float


@dataclass(frozen=True)
class _Master:
    """The decoded original, perhaps at a fraction of its `width` × `height`, still lying as it was stored."""

    picture: Image.Image
    width: int
    height: int
    profile: bytes | None
    orientation: int

    @property
    def is_turned(self) -> bool:
        return self.orientation in _ON_ITS_SIDE

    def framing(self, recipe: Recipe) -> geometry.Framing:
        return geometry.framing(recipe, self.width, self.height, turned=self.is_turned)


def _master(source: Path, media_type: str, recipes: Sequence[Recipe], limits: Limits) -> _Master:
    if media_type in pdf.MEDIA_TYPES:
        page = pdf.first_page(source, recipes, limits)
        return _Master(page, *page.size, profile=None, orientation=1)
    with opening.opened(source, media_type, limits) as picture:
        width, height = picture.size
        orientation = opening.turn_left_to_do(picture)
        _ask_for_less(picture, recipes, turned=orientation in _ON_ITS_SIDE)
        opening.decode(picture, source, media_type)
        profile = picture.info.get("icc_profile")
        try:
            usable = depth.resizable(picture)
        except (OSError, ValueError) as error:
            raise failures.translated(error, source, media_type) from error
        return _Master(usable, width, height, profile, orientation)


def _ask_for_less(picture: Any, recipes: Sequence[Recipe], *, turned: bool) -> None:
    """Only JPEG can: other readers take no notice."""
    width, height = picture.size
    scale = max(geometry.framing(recipe, width, height, turned=turned).scale for recipe in recipes)
    wanted = (max(1, int(width * scale * _DRAFT_MARGIN)), max(1, int(height * scale * _DRAFT_MARGIN)))
    picture.draft("RGB", wanted)


def _made(
    master: _Master, siblings: list[_Sibling], recipe: Recipe, framing: geometry.Framing, out_dir: Path
) -> Made | RenderFailure:
    target = out_dir / recipe.file_name
    try:
        picture = _from_sibling(master, siblings, framing) or _from_master(master, framing)
        if framing.is_whole:
            siblings.append(_Sibling(picture, framing.scale))
        encoding.write(picture, recipe, target)
    except MemoryError:
        return failures.failure(FailureCode.OUT_OF_MEMORY)
    except OSError as error:
        if error.errno is not None:
            raise
        return _unwritable(recipe)
    except (ValueError, RuntimeError):
        return _unwritable(recipe)
    size = target.stat().st_size
    return Made(recipe.preset, target.name, recipe.format.media_type, *picture.size, size)


def _unwritable(recipe: Recipe) -> RenderFailure:
    return failures.failure(FailureCode.CRASHED, f"The picture could not be written as {recipe.format.name}.")


def _from_master(master: _Master, framing: geometry.Framing) -> Image.Image:
    small = _resized(master.picture, framing, master.width, master.height)
    upright = small.transpose(_TURNS[master.orientation]) if master.orientation in _TURNS else small
    return colour.to_srgb(upright, master.profile)


def _from_sibling(master: _Master, siblings: list[_Sibling], framing: geometry.Framing) -> Image.Image | None:
    """From the smallest sibling that is either exactly right or comfortably larger; None when there is none."""
    fit = [
        sibling
        for sibling in siblings
        if sibling.scale >= framing.scale * _REUSE_MARGIN or sibling.scale == framing.scale
    ]
    if not fit:
        return None
    source = min(fit, key=lambda sibling: sibling.scale)
    upright = _upright(framing) if master.is_turned else framing
    width, height = (master.height, master.width) if master.is_turned else (master.width, master.height)
    return _resized(source.picture, upright, width, height)


def _upright(framing: geometry.Framing) -> geometry.Framing:
    """The same framing for the picture as it is displayed; a centred box is the same from either side."""
    left, top, right, bottom = framing.box
    return geometry.Framing(framing.scale, framing.size[::-1], (top, left, bottom, right), framing.is_whole)


def _resized(picture: Image.Image, framing: geometry.Framing, width: int, height: int) -> Image.Image:
    """`framing` speaks of an original of `width` × `height`, of which `picture` may be a reduction."""
    across, down = picture.width / width, picture.height / height
    left, top, right, bottom = framing.box
    box = (left * across, top * down, min(right * across, picture.width), min(bottom * down, picture.height))
    return picture.resize(framing.size, Image.Resampling.LANCZOS, box=box, reducing_gap=_REDUCING_GAP)
