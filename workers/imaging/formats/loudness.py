"""How loud a recording is: EBU R 128 (ITU-R BS.1770-4), measured by FFmpeg's meter."""

from __future__ import annotations

import math
from typing import Any

from workers.imaging.formats import media
from workers.imaging.formats.still import library
from workers.imaging.limits import Limits

#: The meter's lowest value: it has heard nothing.
_SILENCE = -70.0
#: EBU Tech 3342: the range of something shorter says nothing.
_RANGE_SECONDS = 60


def entries(container: Any, limits: Limits) -> list[tuple[str, str, Any]]:
    """Integrated loudness in LUFS, range in LU, true peak in dBTP; nothing for silence or no sound.

    Long recordings are listened to for `limits.listened_seconds`, and then it is said for how long.
    """
    stream = media.sound(container)
    if stream is None:
        return []
    measured, heard = _measured(container, stream, limits.listened_seconds)
    integrated = _number(measured.get("lavfi.r128.I"))
    if integrated is None or integrated <= _SILENCE:
        return []
    found = [("media", "loudnessLufs", round(integrated, 1))]
    span = _number(measured.get("lavfi.r128.LRA"))
    if span is not None and heard >= _RANGE_SECONDS:
        found.append(("media", "loudnessRangeLu", round(span, 1)))
    peak = _number(measured.get("lavfi.r128.true_peak"))
    if peak is not None and peak > 0:
        found.append(("media", "truePeakDbtp", round(20 * math.log10(peak), 1)))
    if heard >= limits.listened_seconds:
        found.append(("media", "loudnessMeasuredSeconds", limits.listened_seconds))
    return [*found]


def _measured(container: Any, stream: Any, most: int) -> tuple[dict[str, str], float]:
    av = library("av", "video")
    graph = av.filter.Graph()
    source = graph.add_abuffer(template=stream)
    meter = graph.add("ebur128", "metadata=1:framelog=quiet:peak=true")
    sink = graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    last: dict[str, str] = {}
    heard = 0.0
    for frame in container.decode(stream):
        graph.push(frame)
        heard += frame.samples / (frame.sample_rate or 1)
        last = _drained(av, graph) or last
        if heard >= most:
            break
    return last, heard


def _drained(av: Any, graph: Any) -> dict[str, str]:
    last: dict[str, str] = {}
    while True:
        try:
            last = dict(graph.pull().metadata)
        except (av.error.BlockingIOError, av.error.EOFError):
            return last


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
