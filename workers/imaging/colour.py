"""What the numbers in a picture mean as colours, and the same colours on a screen and on a press.

For screens every picture leaves in mode L, RGB or RGBA, for a press in mode CMYK, 8 bits a channel; both ways are
relative colorimetric with black point compensation. CMYK without a profile is taken for coated paper (FOGRA39); RGB
and grey without a profile are taken for sRGB. A profile that is broken, or made for another kind of picture, counts
as absent.
"""

from __future__ import annotations

import io
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

from domain.recipes import PRESS_PROFILES

_PROFILES = Path(__file__).parent / "icc"
#: A profile that moves no channel by more than this is sRGB under another name.
_UNNOTICED = 2
_GREYS = frozenset({"L", "LA"})
_PROBE_STEPS = 6


def warm() -> None:
    """Builds what every job needs anyway; call it once before forking."""
    srgb_tag()
    _transform(press_profile(PRESS_PROFILES[0]), "CMYK")


@cache
def srgb_tag() -> bytes:
    """A small sRGB profile to embed where a format has no other way of saying so."""
    return (_PROFILES / "srgb_cc0.icc").read_bytes()


@cache
def press_profile(name: str) -> bytes:
    """One of `recipes.PRESS_PROFILES`, to convert with and to embed."""
    return (_PROFILES / f"{name}.icc").read_bytes()


def colour_space(profile: bytes | None) -> str | None:
    """`RGB`, `CMYK`, `GRAY`, `Lab` …, or None when the profile cannot be read."""
    opened = _opened(profile) if profile else None
    return opened.profile.xcolor_space.strip() if opened else None


def description(profile: bytes) -> str | None:
    opened = _opened(profile)
    return (opened.profile.profile_description or None) if opened else None


def to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """`picture` (mode L, LA, RGB, RGBA, CMYK or LAB) in sRGB, transparency untouched."""
    if picture.mode == "LAB":
        return _from_lab(picture)
    space = colour_space(profile)
    if picture.mode == "CMYK":
        return _transform(_of_cmyk(profile), "CMYK").apply(picture)
    if profile and space == "GRAY" and picture.mode in _GREYS:
        return _keeping_alpha(picture, "L", profile).convert("LA" if picture.mode == "LA" else "L")
    if profile and space == "RGB" and not _is_srgb(profile):
        return _keeping_alpha(picture, "RGB", profile)
    return picture.convert("RGBA") if picture.mode == "LA" else picture


def to_press(picture: Image.Image, profile: bytes | None, press: str) -> Image.Image:
    """`picture` (without transparency) in the CMYK of a press profile, straight from its own colours."""
    target = press_profile(press)
    if picture.mode == "CMYK":
        used = _of_cmyk(profile)
        return picture if used == target else _onto_press(used, "CMYK", target).apply(picture)
    if picture.mode == "LAB":
        picture, profile = _from_lab(picture), None
    wide = profile is not None and colour_space(profile) == "RGB" and picture.mode == "RGB"
    screen = picture if wide else to_srgb(picture, profile).convert("RGB")
    return _onto_press(profile if wide else None, "RGB", target).apply(screen)


def proof(picture: Image.Image, press: str) -> Image.Image:
    """How an sRGB picture will look printed on paper that is shown white: the press's colours on the screen."""
    shown = _proof(press).apply(picture.convert("RGB"))
    if picture.mode == "RGBA":
        shown.putalpha(picture.getchannel("A"))
    return shown


def _of_cmyk(profile: bytes | None) -> bytes:
    return profile if profile and colour_space(profile) == "CMYK" else press_profile(PRESS_PROFILES[0])


def _keeping_alpha(picture: Image.Image, mode: str, profile: bytes) -> Image.Image:
    converted = _transform(profile, mode).apply(picture.convert(mode))
    if picture.mode in {"LA", "RGBA"}:
        converted.putalpha(picture.getchannel("A"))
    return converted


def _from_lab(picture: Image.Image) -> Image.Image:
    return _lab_transform().apply(picture)


@cache
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


@cache
def _lab_transform() -> ImageCms.ImageCmsTransform:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    return ImageCms.ImageCmsTransform(lab, _srgb(), "LAB", "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC)


@lru_cache(maxsize=64)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform:
    opened = _opened(profile)
    assert opened is not None, "asked only for profiles whose colour space was read"
    return ImageCms.ImageCmsTransform(
        opened,
        _srgb(),
        mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )


@lru_cache(maxsize=16)
def _onto_press(profile: bytes | None, mode: str, press: bytes) -> ImageCms.ImageCmsTransform:
    """From a profile, or sRGB where there is none."""
    opened, target = (_opened(profile) if profile else _srgb()), _opened(press)
    assert opened is not None, "asked only for profiles whose colour space was read"
    assert target is not None, "our own profiles can be read"
    return ImageCms.ImageCmsTransform(
        opened,
        target,
        mode,
        "CMYK",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )


@cache
def _proof(press: str) -> ImageCms.ImageCmsTransform:
    target = _opened(press_profile(press))
    assert target is not None, "our own profiles can be read"
    return ImageCms.ImageCmsTransform(
        _srgb(),
        _srgb(),
        "RGB",
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        proof=target,
        proof_intent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.SOFTPROOFING | ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )


@lru_cache(maxsize=64)
def _opened(profile: bytes) -> ImageCms.ImageCmsProfile | None:
    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(profile))
    except (OSError, ValueError, TypeError, ImageCms.PyCMSError):
        return None


@lru_cache(maxsize=64)
def _is_srgb(profile: bytes) -> bool:
    """Asked of the colours, not of the name: names lie, and sRGB comes in dozens of encodings."""
    probe = _probe()
    seen = np.asarray(_transform(profile, "RGB").apply(probe), dtype=np.int16)
    return int(np.abs(seen - np.asarray(probe, dtype=np.int16)).max()) <= _UNNOTICED


@cache
def _probe() -> Image.Image:
    steps = np.linspace(0, 255, _PROBE_STEPS).astype(np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(_PROBE_STEPS, -1, 3)
    return Image.fromarray(np.ascontiguousarray(grid), "RGB")
