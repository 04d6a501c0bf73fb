"""The waveform of a recording, or of a film without pictures, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageColor, ImageDraw

from domain.recipes import FailureCode, Recipe
from workers.imaging import failures, opening
from workers.imaging.formats import media
from workers.imaging.formats.still import Still, enlargement, library
from workers.imaging.limits import Limits

#: The picture's natural size in units of 1/72 inch.
_WIDTH, _HEIGHT = 800, 200
_INK = "#1f4e79"
#: Samples per second that a waveform is drawn from; peaks are taken before, of all.
_RATE = 8_000
_FULL_SCALE = 32_768
_BAR, _GAP = 3, 1

Peaks = np.ndarray[Any, np.dtype[np.float32]]


def still(source: Path, media_type: str, recipes: Sequence[Recipe], limits: Limits) -> Still:
    scale = enlargement(recipes, _WIDTH, _HEIGHT)
    width, height = max(1, round(_WIDTH * scale)), max(1, round(_HEIGHT * scale))
    opening.check_size(width, height, limits)
    with media.opened(source, media_type) as container:
        peaks = _peaks(container, max(1, min(_WIDTH, width) // (_BAR + _GAP)), limits)
    picture = _drawn(peaks, (width, height), recipes[0].background)
    return Still(picture, width, height, natural=(_WIDTH, _HEIGHT))


def _peaks(container: Any, bars: int, limits: Limits) -> Peaks:
    """The loudest sample of each bar, 0 to 1."""
    stream = media.sound(container)
    if stream is None:
        raise failures.refused(FailureCode.UNSUPPORTED_FORMAT, "There is no sound in the file.")
    av = library("av", "video")
    resampler = av.AudioResampler(format="s16", layout="mono", rate=_RATE)
    pieces = []
    heard = 0
    for frame in container.decode(stream):
        for part in resampler.resample(frame):
            samples = part.to_ndarray().ravel()
            pieces.append(_coarse(samples))
            heard += samples.size
        if heard > limits.listened_seconds * _RATE:
            break
    if not pieces:
        raise failures.refused(FailureCode.DAMAGED)
    every = np.concatenate(pieces)
    return np.array([part.max(initial=0) for part in np.array_split(every, bars)], dtype=np.float32)


def _coarse(samples: np.ndarray[Any, Any]) -> Peaks:
    """One value for every eight: hours of sound stay small."""
    padded = np.abs(np.pad(samples.astype(np.int32), (0, -samples.size % 8))).astype(np.float32)
    loudest: Peaks = padded.reshape(-1, 8).max(axis=1) / _FULL_SCALE
    return loudest


def _drawn(peaks: Peaks, size: tuple[int, int], background: str) -> Image.Image:
    picture = Image.new("RGB", size, ImageColor.getrgb(background))
    draw = ImageDraw.Draw(picture)
    step = size[0] / len(peaks)
    bar = max(1.0, step * _BAR / (_BAR + _GAP))
    middle = size[1] / 2
    for number, peak in enumerate(peaks):
        reach = max(0.5, float(peak) * middle * 0.95)
        draw.rectangle((number * step, middle - reach, number * step + bar - 1, middle + reach), fill=_INK)
    return picture
