"""What happens to a picture between two uploads of it."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

Change = Callable[[Image.Image], Image.Image]


def _scaled(share: float, picture: Image.Image) -> Image.Image:
    size = max(8, round(picture.width * share)), max(8, round(picture.height * share))
    return picture.resize(size, Image.Resampling.BICUBIC)


def _written(kind: str, quality: int, picture: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    picture.save(buffer, kind, quality=quality)
    return Image.open(buffer).convert("RGB")


def _cropped(left: float, top: float, right: float, bottom: float, picture: Image.Image) -> Image.Image:
    width, height = picture.size
    return picture.crop((int(width * left), int(height * top), int(width * (1 - right)), int(height * (1 - bottom))))


def _rotated(degrees: float, picture: Image.Image) -> Image.Image:
    """As an editor does: the corners that become empty are cut off."""
    turned = picture.rotate(degrees, Image.Resampling.BICUBIC)
    lost = abs(np.sin(np.radians(degrees))) / 2
    across, down = lost * picture.height / picture.width, lost * picture.width / picture.height
    return _cropped(across, down, across, down, turned)


def _framed(colour: str, picture: Image.Image) -> Image.Image:
    return ImageOps.expand(picture, border=picture.width // 12, fill=colour)


def _letterboxed(picture: Image.Image) -> Image.Image:
    return ImageOps.expand(picture, border=(0, picture.height // 8), fill="black")


def _watermarked(picture: Image.Image) -> Image.Image:
    marked = picture.copy()
    draw = ImageDraw.Draw(marked, "RGBA")
    for y in range(0, picture.height, picture.height // 4):
        draw.text((picture.width // 8, y), "PREVIEW  PREVIEW", fill=(255, 255, 255, 110), font_size=picture.width // 12)
    return marked


def _captioned(picture: Image.Image) -> Image.Image:
    marked = picture.copy()
    draw = ImageDraw.Draw(marked)
    box = (0, int(picture.height * 0.88), picture.width, picture.height)
    draw.rectangle(box, fill=(15, 15, 15))
    draw.text((12, box[1] + 6), "Spring campaign", fill="white", font_size=picture.height // 18)
    return marked


def _grained(picture: Image.Image) -> Image.Image:
    rng = np.random.default_rng(picture.width * picture.height)
    levels: Any = np.asarray(picture, np.float64) + rng.normal(0, 12, (picture.height, picture.width, 3))
    return Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8))


def _gamma(power: float, picture: Image.Image) -> Image.Image:
    return picture.point([round(255 * (level / 255) ** power) for level in range(256)] * 3)


#: By name; all are answered in RGB.
CHANGES: Final[dict[str, Change]] = {
    "half the size": partial(_scaled, 0.5),
    "a quarter": partial(_scaled, 0.25),
    "twice": partial(_scaled, 2.0),
    "squeezed by 8 %": lambda picture: picture.resize((picture.width, round(picture.height * 0.92))),
    "JPEG q50": partial(_written, "JPEG", 50),
    "JPEG q20": partial(_written, "JPEG", 20),
    "WebP q50": partial(_written, "WEBP", 50),
    "AVIF q50": partial(_written, "AVIF", 50),
    "grey": lambda picture: ImageOps.grayscale(picture).convert("RGB"),
    "lighter": lambda picture: ImageEnhance.Brightness(picture).enhance(1.2),
    "less contrast": lambda picture: ImageEnhance.Contrast(picture).enhance(0.75),
    "less colour": lambda picture: ImageEnhance.Color(picture).enhance(0.4),
    "gamma 1.3": partial(_gamma, 1.3),
    "blurred": lambda picture: picture.filter(ImageFilter.GaussianBlur(2)),
    "grain": _grained,
    "watermark": _watermarked,
    "caption": _captioned,
    "white frame": partial(_framed, "white"),
    "letterbox": _letterboxed,
    "crop 10 % around": partial(_cropped, 0.05, 0.05, 0.05, 0.05),
    "crop 20 % around": partial(_cropped, 0.1, 0.1, 0.1, 0.1),
    "crop 10 % left": partial(_cropped, 0.1, 0.0, 0.0, 0.0),
    "crop 10 % below": partial(_cropped, 0.0, 0.0, 0.0, 0.1),
    "rotated 1°": partial(_rotated, 1),
    "rotated 2°": partial(_rotated, 2),
    "rotated 5°": partial(_rotated, 5),
    "mirrored": ImageOps.mirror,
    "mirrored, half, q50": lambda picture: _written("JPEG", 50, _scaled(0.5, ImageOps.mirror(picture))),
}
