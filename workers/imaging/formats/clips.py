"""Films made smaller: H.264 and AAC in MP4, which every browser plays; the same film gives the same bytes.

What the container said about itself is left out. Pictures are upright with square pixels, at most thirty a second.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from domain.recipes import FailureCode, Fit, Recipe
from workers.imaging import failures, geometry, opening, watermark
from workers.imaging.formats import film, media
from workers.imaging.formats.still import library
from workers.imaging.limits import Limits

_FASTEST_RATE = 30
_USUAL_RATE = 25
_HERTZ = 48_000
_SOUND_BITS = 128_000
_TRANSPOSED = {90: "cclock", 270: "clock"}


def write(source: Path, media_type: str, recipe: Recipe, target: Path, limits: Limits) -> tuple[int, int]:
    """Writes the film from `at_seconds` on, all of it or `clip_seconds`; its size in pixels, both even.

    It fits into the recipe's box whatever the recipe's `fit`: films are not cropped. Refused as films are refused.
    """
    av = library("av", "video")
    with media.opened(source, media_type) as container:
        stream = media.pictures(container)
        if stream is None:
            raise failures.refused(FailureCode.UNSUPPORTED_FORMAT, "The film holds no moving pictures.")
        opening.check_size(stream.codec_context.width, stream.codec_context.height, limits.of_canvases)
        if recipe.at_seconds > media.seconds(container):
            raise failures.refused(FailureCode.OUT_OF_RANGE, "The film is shorter than the moment asked for.")
        if recipe.at_seconds:
            container.seek(int(recipe.at_seconds * media.MICROSECONDS))
        options = {"movflags": "+faststart", "fflags": "+bitexact"}
        with av.open(str(target), "w", format="mp4", options=options) as made:
            return _Cut(av, container, stream, made, recipe).done()


@dataclass
class _Cut:
    """One film being made of another."""

    av: Any
    container: Any
    stream: Any
    made: Any
    recipe: Recipe
    size: tuple[int, int] = (0, 0)
    shown: Any = None
    heard: Any = None
    graph: Any = None
    #: The number of the next picture, and of the next sample.
    picture: int = 0
    sample: int | None = None
    fifo: Any = None
    resampler: Any = None
    rate: Fraction = field(default_factory=lambda: Fraction(_USUAL_RATE))

    def done(self) -> tuple[int, int]:
        self.rate = min(Fraction(self.stream.average_rate or _USUAL_RATE), Fraction(_FASTEST_RATE))
        voice = media.sound(self.container)
        if voice is not None:
            self._hear()
        for frame in self._frames([self.stream, *([voice] if voice is not None else [])]):
            if isinstance(frame, self.av.VideoFrame):
                self._show(frame)
            else:
                self._say(frame)
        if self.shown is None:
            raise failures.refused(FailureCode.DAMAGED)
        if self.heard is not None:
            self._drain(partial=True)
            self.made.mux(self.heard.encode())
        self.made.mux(self.shown.encode())
        return self.size

    def _frames(self, streams: list[Any]) -> Iterator[Any]:
        """Those of the wanted part, each with its `time` counted from the cut."""
        begin, length = self.recipe.at_seconds, self.recipe.clip_seconds
        over: set[type] = set()
        for frame in self.container.decode(*streams):
            at = (frame.time or 0.0) - begin
            if length and at >= length:
                over.add(type(frame))
                if len(over) == len(streams):
                    return
            elif at >= 0:
                yield frame

    def _hear(self) -> None:
        self.heard = self.made.add_stream("aac", rate=_HERTZ, layout="stereo")
        self.heard.bit_rate, self.heard.thread_count = _SOUND_BITS, 1
        self.resampler = self.av.AudioResampler(format="fltp", layout="stereo", rate=_HERTZ)
        self.fifo = self.av.AudioFifo()

    def _say(self, frame: Any) -> None:
        if self.sample is None:
            self.sample = max(0, round(((frame.time or 0.0) - self.recipe.at_seconds) * _HERTZ))
        for part in self.resampler.resample(frame):
            part.pts = None
            self.fifo.write(part)
        self._drain(partial=False)

    def _drain(self, *, partial: bool) -> None:
        if self.shown is None:  # what is in the container is written down with the first packet
            return
        size = self.heard.codec_context.frame_size or 1024
        while (piece := self.fifo.read(size, partial=partial)) is not None:
            piece.pts, piece.time_base = self.sample, Fraction(1, _HERTZ)
            self.sample = (self.sample or 0) + piece.samples
            self.made.mux(self.heard.encode(piece))

    def _show(self, frame: Any) -> None:
        number = round(((frame.time or 0.0) - self.recipe.at_seconds) * self.rate)
        if number < self.picture:
            return
        if self.shown is None:
            self._begin(frame)
        frame.pts = None
        self.graph.push(frame)
        small = self._marked(self.graph.pull())
        small.pts, small.time_base = number, 1 / self.rate
        small.pict_type = 0
        self.picture = number + 1
        self.made.mux(self.shown.encode(small))

    def _marked(self, frame: Any) -> Any:
        if not self.recipe.watermark:
            return frame
        picture = watermark.marked(frame.to_image(), self.recipe.watermark)
        return self.av.VideoFrame.from_image(picture).reformat(format="yuv420p")

    def _begin(self, frame: Any) -> None:
        self.size = _size(film.as_shown(frame).size, self.recipe)
        self.graph = _graph(self.av, frame, self.size)
        self.shown = self.made.add_stream("libx264", rate=self.rate)
        self.shown.width, self.shown.height, self.shown.pix_fmt = *self.size, "yuv420p"
        self.shown.thread_count = 1
        # 82, the usual quality, is x264's 23; every 3 or 4 points are one of its steps.
        self.shown.options = {"crf": str(round(45 - 0.27 * self.recipe.quality)), "preset": "veryfast"}


def _size(shown: tuple[int, int], recipe: Recipe) -> tuple[int, int]:
    """Even, for colours are stored at half the size."""
    whole = Recipe(recipe.preset, recipe.format, recipe.width, recipe.height, Fit.CONTAIN)
    width, height = geometry.framing(whole, *shown).size
    return max(2, width - width % 2), max(2, height - height % 2)


def _graph(av: Any, frame: Any, size: tuple[int, int]) -> Any:
    graph = av.filter.Graph()
    last = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base or Fraction(1, 1000)
    )
    turn = int(frame.rotation) % 360
    steps = [("transpose", _TRANSPOSED[turn])] if turn in _TRANSPOSED else []
    steps += [("hflip", ""), ("vflip", "")] if turn == 180 else []  # noqa: PLR2004 - degrees
    steps += [
        ("scale", f"{size[0]}:{size[1]}:flags=bicubic"),
        ("setsar", "1"),
        ("format", "yuv420p"),
        ("buffersink", ""),
    ]
    for name, arguments in steps:
        step = graph.add(name, arguments or None)
        last.link_to(step)
        last = step
    graph.configure()
    return graph
