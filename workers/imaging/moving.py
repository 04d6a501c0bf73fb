"""Renditions that move: animations that keep their frames, and excerpts of films.

An animation is made frame by frame by the same steps as a still picture. What would be too much to play is refused
rather than cut short: only an excerpt of a film is shortened, because its recipe says how.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageFile

from domain.recipes import HOLDS_FRAMES, FailureCode, Format, Recipe
from workers.imaging import depth, encoding, failures, opening
from workers.imaging.formats import clips, film, media
from workers.imaging.limits import Limits
from workers.imaging.pictures import Master

#: Kinds whose files may hold several frames that are shown one after another.
_ANIMATED = frozenset({"image/gif", "image/webp", "image/png", "image/avif"})
#: Frames per second of a film made into an animation, and its length where the recipe says none.
_FILM_RATE, _FILM_SECONDS = 8, 10
#: Players show what claims less than 20 ms for 100 ms; so do we.
_SHORTEST, _USUAL = 20, 100

#: What makes a finished picture of a frame.
Finish = Callable[[Master, Recipe], Image.Image]


@dataclass(frozen=True)
class _Frame:
    master: Master
    milliseconds: int


def is_meant(recipe: Recipe, source: Path, media_type: str, limits: Limits) -> bool:
    """Whether `recipe` keeps the motion of this file; else it makes a still picture."""
    if recipe.format is Format.MP4:
        return True
    if not recipe.animated or recipe.format not in HOLDS_FRAMES:
        return False
    if media_type in film.MEDIA_TYPES:
        return True
    if media_type not in _ANIMATED:
        return False
    with opening.opened(source, media_type, limits) as picture:
        return opening.count_frames(picture, source, media_type, limits) > 1


def write(
    source: Path, media_type: str, recipe: Recipe, target: Path, limits: Limits, finish: Finish
) -> tuple[int, int]:
    """Writes the rendition; its width and height. `PictureError` where the file or the recipe gives none."""
    if recipe.format is Format.MP4:
        if media_type not in film.MEDIA_TYPES:
            raise failures.refused(FailureCode.UNSUPPORTED_FORMAT, "Of this kind of file no film can be made.")
        return clips.write(source, media_type, recipe, target, limits)
    if media_type in film.MEDIA_TYPES:
        return _written(_of_film(source, media_type, recipe), 0, recipe, target, limits, finish)
    with opening.opened(source, media_type, limits) as picture:
        frames = _of_animation(picture, source, media_type, limits)
        return _written(frames, _times(picture, media_type), recipe, target, limits, finish)


def _times(picture: ImageFile.ImageFile, media_type: str) -> int:
    """How often it is shown, 0 for ever."""
    said = picture.info.get("loop")
    if media_type != "image/gif":
        return int(said or 0)
    return 1 if said is None else int(said) + 1 if said else 0


def _written(
    frames: Iterator[_Frame], times: int, recipe: Recipe, target: Path, limits: Limits, finish: Finish
) -> tuple[int, int]:
    pictures: list[Image.Image] = []
    milliseconds: list[int] = []
    left = limits.moving_pixels
    for frame in frames:
        pictures.append(finish(frame.master, recipe))
        milliseconds.append(frame.milliseconds if frame.milliseconds >= _SHORTEST else _USUAL)
        left -= pictures[-1].width * pictures[-1].height
        if left < 0:
            raise failures.refused(
                FailureCode.TOO_MANY_PIXELS, "The animation is too long to be made in this size: a smaller box helps."
            )
    if not pictures:
        raise failures.refused(FailureCode.DAMAGED)
    encoding.write_frames(pictures, milliseconds, times, recipe, target)
    return pictures[0].size


def _of_animation(picture: ImageFile.ImageFile, source: Path, media_type: str, limits: Limits) -> Iterator[_Frame]:
    """Every frame as it is shown, what earlier ones left standing included."""
    held = opening.count_frames(picture, source, media_type, limits)
    orientation = opening.turn_left_to_do(picture)
    profile = picture.info.get("icc_profile")
    for number in range(held):
        try:
            picture.seek(number)
        except EOFError:  # it said there were more
            return
        except Exception as error:
            raise failures.translated(error, source, media_type) from error
        opening.decode(picture, source, media_type)
        shown = depth.resizable(picture.copy())
        width, height = shown.size[::-1] if orientation in opening.ON_ITS_SIDE else shown.size
        milliseconds = round(float(picture.info.get("duration") or 0))
        yield _Frame(Master(shown, width, height, profile, orientation), milliseconds)


def _of_film(source: Path, media_type: str, recipe: Recipe) -> Iterator[_Frame]:
    """Frames at a slow and even rate: so few that the file stays small, so many that it is seen to move."""
    with media.opened(source, media_type) as container:
        for picture in film.sampled(container, recipe.at_seconds, recipe.clip_seconds or _FILM_SECONDS, _FILM_RATE):
            yield _Frame(Master(picture, *picture.size), 1000 // _FILM_RATE)
