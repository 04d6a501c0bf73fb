"""Pictures that look like photographs and pages as far as hashes can tell, no two alike, made from a number.

A photograph is a ground (sky and land, a studio's gradient, or a texture), with things of many shapes in front, light
from one side and grain over all; its spectrum falls like that of real ones. A page is text in one of a few layouts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Field = np.ndarray[Any, np.dtype[np.float64]]

SHAPES = ((640, 480), (640, 427), (480, 640), (560, 560), (640, 360), (427, 640))
PAGE = (496, 702)


def photograph(number: int) -> Image.Image:
    rng = np.random.default_rng([number, 1])
    width, height = SHAPES[rng.integers(len(SHAPES))]
    ground = (_landscape, _studio, _texture)[rng.integers(3)](rng, width, height)
    picture = Image.fromarray(np.clip(ground, 0, 255).astype(np.uint8))
    for _ in range(rng.integers(3, 12)):
        _thing(rng, picture)
    levels = np.asarray(picture, np.float64) * _light(rng, width, height)[..., None]
    levels += rng.normal(0, rng.uniform(1, 6), (height, width, 1))
    levels = 255 * np.clip(levels / 255, 0, 1) ** rng.uniform(0.8, 1.25)
    return Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8))


def page(number: int) -> Image.Image:
    """Text in one column or two, set in bars as long as words; half of the pages share a layout with many others."""
    rng = np.random.default_rng([number, 2])
    width, height = PAGE
    paper = Image.new("RGB", PAGE, "white")
    draw = ImageDraw.Draw(paper)
    columns, leading = int(rng.integers(1, 3)), int(rng.choice([12, 14, 16]))
    margin = int(rng.choice([40, 52]))
    draw.rectangle((margin, margin, margin + int(rng.integers(120, 360)), margin + 18), fill="black")
    gap = 24
    column = (width - 2 * margin - gap * (columns - 1)) // columns
    for at in range(columns):
        left, y = margin + at * (column + gap), margin + 44
        while y < height - margin:
            _line(rng, draw, left, y, column if rng.random() > 1 / 6 else int(column * rng.uniform(0.2, 0.9)))
            y += leading if rng.random() > 1 / 9 else leading * 2
    return paper


def noise(rng: np.random.Generator, width: int, height: int, steepness: float) -> Field:
    """Between 0 and 1, with a spectrum that falls by this power of the frequency, as that of scenes does."""
    across = np.fft.rfftfreq(width)[None, :]
    down = np.fft.fftfreq(height)[:, None]
    frequency = np.hypot(across, down)
    frequency[0, 0] = 1
    phases = rng.normal(size=frequency.shape) + 1j * rng.normal(size=frequency.shape)
    spectrum = phases / frequency ** (steepness / 2 + 1 / 2)
    spectrum[0, 0] = 0
    field = np.fft.irfft2(spectrum, s=(height, width))
    found: Field = (field - field.min()) / (np.ptp(field) + 1e-9)
    return found


def _landscape(rng: np.random.Generator, width: int, height: int) -> Field:
    horizon = height * rng.uniform(0.25, 0.75) + 60 * (noise(rng, width, 1, 3.0)[0] - 0.5) * rng.uniform(0, 3)
    rows = np.arange(height)[:, None]
    share = np.clip(rows / np.maximum(horizon, 1)[None, :], 0, 1)[..., None]
    sky = _colour(rng, 120, 240) * (1 - share) + _colour(rng, 150, 255) * share
    clouds = noise(rng, width, height, rng.uniform(1.6, 2.6))[..., None] ** 2 * rng.uniform(0, 120)
    land = _colour(rng, 20, 160) * (0.4 + noise(rng, width, height, rng.uniform(1.2, 2.2))[..., None])
    below = (rows > horizon[None, :])[..., None]
    return np.where(below, land, sky + clouds)


def _studio(rng: np.random.Generator, width: int, height: int) -> Field:
    x, y = np.linspace(-1, 1, width)[None, :], np.linspace(-1, 1, height)[:, None]
    glow = np.exp(-((x - rng.uniform(-0.6, 0.6)) ** 2 + (y - rng.uniform(-0.6, 0.6)) ** 2) * rng.uniform(0.5, 2.5))
    return _colour(rng, 30, 150) + _colour(rng, 40, 120) * glow[..., None]


def _texture(rng: np.random.Generator, width: int, height: int) -> Field:
    share = noise(rng, width, height, rng.uniform(1.2, 2.6))[..., None]
    detail = noise(rng, width, height, 0.8)[..., None]
    return _colour(rng, 0, 140) * (1 - share) + _colour(rng, 110, 255) * share + 40 * (detail - 0.5)


def _light(rng: np.random.Generator, width: int, height: int) -> Field:
    """A vignette and a slope from one side."""
    x, y = np.linspace(-1, 1, width)[None, :], np.linspace(-1, 1, height)[:, None]
    angle, slope = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.3)
    vignette = 1 - rng.uniform(0, 0.25) * (x**2 + y**2) / 2
    found: Field = vignette * (1 + slope * (x * np.cos(angle) + y * np.sin(angle)))
    return found


def _thing(rng: np.random.Generator, picture: Image.Image) -> None:
    """Something with a texture of its own, somewhere in the picture, with soft or hard edges and perhaps a shadow."""
    width, height = picture.size
    size = int(min(width, height) * rng.uniform(0.08, 0.6))
    across, down = max(16, int(size * rng.uniform(0.5, 1.6))), max(16, size)
    mask = _outline(rng, across, down)
    share = noise(rng, across, down, rng.uniform(1.4, 3.0))[..., None]
    levels = _colour(rng, 0, 180) * (1 - share) + _colour(rng, 70, 255) * share
    filled = Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8))
    place = int(rng.uniform(-0.2, 0.9) * width), int(rng.uniform(-0.2, 0.9) * height)
    if rng.random() < 1 / 2:
        shade = mask.filter(ImageFilter.GaussianBlur(8)).point(lambda level: level // 2)
        picture.paste((12, 12, 16), (place[0] + 10, place[1] + 12), shade)
    picture.paste(filled, place, mask)


def _outline(rng: np.random.Generator, across: int, down: int) -> Image.Image:
    mask = Image.new("L", (across, down))
    draw = ImageDraw.Draw(mask)
    kind = rng.integers(3)
    if kind == 0:
        draw.ellipse((0, 0, across - 1, down - 1), fill=255)
    elif kind == 1:
        angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 9))))
        reach = rng.uniform(0.5, 1, len(angles))
        corners = [
            (across / 2 * (1 + r * np.cos(a)), down / 2 * (1 + r * np.sin(a)))
            for a, r in zip(angles, reach, strict=True)
        ]
        draw.polygon(corners, fill=255)
    else:
        draw.rounded_rectangle((0, 0, across - 1, down - 1), radius=int(rng.integers(0, 20)), fill=255)
    return mask.filter(ImageFilter.GaussianBlur(float(rng.uniform(0, 3))))


def _line(rng: np.random.Generator, draw: ImageDraw.ImageDraw, left: int, y: int, width: int) -> None:
    x = left
    while x < left + width:
        word = int(rng.integers(8, 42))
        draw.rectangle((x, y, min(x + word, left + width), y + 5), fill=(20, 20, 20))
        x += word + 6


def _colour(rng: np.random.Generator, low: int, high: int) -> Field:
    """Channels that differ, around one level: scenes are seldom pure red."""
    return np.clip(rng.uniform(low, high) + rng.normal(0, 30, 3), 0, 255)
