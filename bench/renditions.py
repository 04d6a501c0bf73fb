"""Five renditions of large JPEG photographs: our pipeline against Pillow used the plain way.

`python -m bench.renditions` makes its masters (12, 24 and 48 megapixels, photo-like) once, in bench/.cache, runs both
ways in turn in fresh processes, and writes what it measured to bench/.cache/renditions.md. Both ways make the same
five files with the same encoders' settings; the plain way opens and decodes the master for each of them.
"""

from __future__ import annotations

import argparse
import io
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import PIL
from PIL import Image, ImageCms, ImageOps

from domain.recipes import SEEDS, Fit, Format, Recipe
from tests.imaging import made
from workers.imaging import render, safely

Grey = np.ndarray[Any, np.dtype[np.float64]]

HERE = Path(__file__).parent
CACHE = HERE / ".cache"
RESULTS = HERE / ".cache" / "renditions.md"

RECIPES = (
    *SEEDS,
    Recipe("square", Format.JPEG, 1080, 1080, Fit.COVER, quality=85),
    Recipe("small", Format.WEBP, 400, 400, quality=80),
)
#: Megapixels, width, height, photograph, whether it carries a wide-gamut profile.
MASTERS = (
    (12, 4000, 3000, "coffee.jpg", False),
    (24, 6000, 4000, "rocket.jpg", True),
    (48, 8000, 6000, "astronaut.jpg", False),
)
ROUNDS = 3
ENOUGH = 2.0


def plain(source: Path, out: Path) -> None:
    """What a short script does: open, turn, convert to sRGB, resize, save; five times over."""
    for recipe in RECIPES:
        with Image.open(source) as opened:
            picture = in_srgb(ImageOps.exif_transpose(opened))
        save(fitted(picture, recipe), recipe, out / recipe.file_name)


def in_srgb(picture: Image.Image) -> Image.Image:
    profile = picture.info.get("icc_profile")
    if not profile:
        return picture.copy()
    embedded, srgb = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
    intent, flags = ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Flags.BLACKPOINTCOMPENSATION
    converted = ImageCms.profileToProfile(picture, embedded, srgb, intent, flags=flags)
    assert converted is not None
    return converted


def fitted(picture: Image.Image, recipe: Recipe) -> Image.Image:
    resize = ImageOps.contain if recipe.fit is Fit.CONTAIN else ImageOps.fit
    return resize(picture, (recipe.width, recipe.height), Image.Resampling.LANCZOS)


def save(picture: Image.Image, recipe: Recipe, target: Path) -> None:
    options: dict[str, object] = {"quality": recipe.quality}
    if recipe.format is Format.JPEG:
        options |= {"progressive": recipe.progressive, "optimize": True}
    if recipe.format is Format.AVIF:
        options |= {"speed": recipe.speed, "max_threads": 1}
    picture.save(target, recipe.format.value.upper(), **options)


def ours(source: Path, out: Path) -> None:
    result = render.render(source, "image/jpeg", RECIPES, out)
    assert not result.failed


def sandboxed(source: Path, out: Path) -> None:
    result = safely.rendered(source, "image/jpeg", RECIPES, out)
    assert not result.failed


WAYS: dict[str, Callable[[Path, Path], None]] = {"plain": plain, "ours": ours, "sandboxed": sandboxed}


def masters() -> dict[int, Path]:
    """Megapixels → file. Made once; a photograph of a camera of that size, as far as a codec can tell."""
    CACHE.mkdir(exist_ok=True)
    found = {}
    for megapixels, width, height, name, wide in MASTERS:
        found[megapixels] = path = CACHE / f"master-{megapixels}.jpg"
        if not path.exists():
            profile = made.display_p3_profile() if wide else None
            path.write_bytes(
                made.encoded(made.photo_like(width, height, name), "JPEG", quality=92, icc_profile=profile)
            )
    return found


def once(way: str, source: Path, out: Path) -> None:
    """One run in this process; prints CPU seconds (children's included), wall seconds and the peak in MB."""
    WAYS[way](made.photograph("coffee.jpg"), out)  # imports and first-time tables are nobody's rendition
    before, start = cpu_seconds(), time.perf_counter()
    WAYS[way](source, out)
    wall = time.perf_counter() - start
    who = resource.RUSAGE_CHILDREN if way == "sandboxed" else resource.RUSAGE_SELF
    print(cpu_seconds() - before, wall, resource.getrusage(who).ru_maxrss / 1024)


def cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def measured(way: str, source: Path, out: Path) -> tuple[float, float, float]:
    command = [sys.executable, "-m", "bench.renditions", "--once", way, str(source), str(out)]
    said = subprocess.run(command, cwd=HERE.parent, check=True, capture_output=True, text=True).stdout.split()
    return float(said[0]), float(said[1]), float(said[2])


def throughput(sources: list[Path], processes: int, repeats: int) -> tuple[float, float]:
    """Renditions per second of wall time and per CPU second, with so many workers, each sandboxing its jobs."""
    work = [source for _ in range(repeats) for source in sources]
    start, before = time.perf_counter(), cpu_seconds()
    children = []
    for number in range(processes):
        child = os.fork()
        if child == 0:
            for source in work[number::processes]:
                with tempfile.TemporaryDirectory() as out:
                    sandboxed(source, Path(out))
            os._exit(0)
        children.append(child)
    statuses = [os.waitpid(child, 0)[1] for child in children]
    assert statuses == [0] * processes
    made_in_all = len(work) * len(RECIPES)
    return made_in_all / (time.perf_counter() - start), made_in_all / (cpu_seconds() - before)


def loss(source: Path, by_plain: Path, by_us: Path) -> float:
    """How much less our files resemble an exact reference than the plain ones do, at worst; negative is worse."""
    differences = []
    with Image.open(source) as opened:
        exact = in_srgb(opened)
    for recipe in RECIPES:
        reference = np.asarray(fitted(exact, recipe).convert("L"), dtype=np.float64)
        plain_is, ours_is = (likeness(reference, grey(folder / recipe.file_name)) for folder in (by_plain, by_us))
        differences.append(ours_is - plain_is)
    return min(differences)


def grey(path: Path) -> Grey:
    with Image.open(path) as opened:
        return np.asarray(opened.convert("L"), dtype=np.float64)


def likeness(one: Grey, other: Grey) -> float:
    """Structural similarity of two pictures' grey values (Wang 2004, 8 × 8 blocks), 1 when equal."""
    a, b = blocks(one), blocks(other)
    mean_a, mean_b = a.mean(1), b.mean(1)
    covariance = ((a - mean_a[:, None]) * (b - mean_b[:, None])).mean(1)
    c1, c2 = 6.5025, 58.5225
    top = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    return float((top / ((mean_a**2 + mean_b**2 + c1) * (a.var(1) + b.var(1) + c2))).mean())


def blocks(picture: Grey) -> Grey:
    height, width = (side // 8 * 8 for side in picture.shape)
    cut = picture[:height, :width].reshape(height // 8, 8, width // 8, 8)
    return cut.swapaxes(1, 2).reshape(-1, 64)


def report() -> str:
    load = os.getloadavg()[0]
    machine = f"{os.cpu_count()} × {processor()} (load {load:.1f} at the start)"
    versions = f"Python {platform.python_version()}, Pillow {PIL.__version__}"
    lines = [
        "# Renditions",
        "",
        f"`uv run python -m bench.renditions`, {datetime.now(UTC):%Y-%m-%d}, {machine}, {versions}.",
        "",
        "Five renditions of one JPEG master: " + ", ".join(map(spoken, RECIPES)) + ".",
        f"Median of {ROUNDS} runs in fresh processes, all ways in turn. CPU is user and system, children included.",
        "",
        "| master | plain, CPU s | ours | sandboxed | plain ÷ ours | plain ÷ sandboxed | peak MB: plain, ours |",
        "|--|--|--|--|--|--|--|",
    ]
    found = masters()
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        outs = {way: Path(folder) / way for way in WAYS}
        for out in outs.values():
            out.mkdir()
        alike: list[str] = []
        for megapixels, source in found.items():
            runs = {way: [] for way in WAYS}  # type: dict[str, list[tuple[float, float, float]]]
            for _ in range(ROUNDS):
                for way in WAYS:
                    runs[way].append(measured(way, source, outs[way]))
            cpu = {way: statistics.median(run[0] for run in runs[way]) for way in WAYS}
            peak = {way: statistics.median(run[2] for run in runs[way]) for way in WAYS}
            ratios.append(cpu["plain"] / cpu["ours"])
            lines.append(
                f"| {megapixels} MP, {source.stat().st_size / 1e6:.1f} MB | {cpu['plain']:.2f} | {cpu['ours']:.2f} "
                f"| {cpu['sandboxed']:.2f} | **{ratios[-1]:.2f}** | {cpu['plain'] / cpu['sandboxed']:.2f} "
                f"| {peak['plain']:.0f} / {peak['ours']:.0f} |"
            )
            alike.append(f"{megapixels} MP {loss(source, outs['plain'], outs['ours']):+.4f}")
    exact = "an exact reference (full decoding, one Lanczos step, no loss)"
    lines += ["", f"Structural similarity to {exact}, ours minus plain, worst of the five: {', '.join(alike)}.", ""]
    for processes in (1, 2):
        wall, cpu_rate = throughput(list(found.values()), processes, 3)
        load = os.getloadavg()[0]
        lines.append(
            f"- {processes} worker process{'es' * (processes > 1)}: {wall:.1f} renditions/s of wall time "
            f"(load {load:.1f}: other work shared the cores), {cpu_rate:.1f} per CPU second, sandboxed, masters mixed"
        )
    verdict = "reached" if min(ratios) >= ENOUGH else "missed"
    lines += ["", f"Asked for: at least {ENOUGH:.0f} times less CPU than plain Pillow. {verdict.capitalize()}."]
    return "\n".join(lines) + "\n"


def spoken(recipe: Recipe) -> str:
    settings = f"q{recipe.quality}" + (f" speed {recipe.speed}" if recipe.format is Format.AVIF else "")
    shape = "square " if recipe.fit is Fit.COVER else ""
    return f"{shape}{recipe.width} {recipe.format.name} {settings}" + (" progressive" if recipe.progressive else "")


def processor() -> str:
    listed = Path("/proc/cpuinfo")
    lines = listed.read_text(encoding="utf-8").splitlines() if listed.exists() else []
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def profile() -> None:
    """Where our time goes, by recipe and step."""
    import cProfile
    import pstats

    with tempfile.TemporaryDirectory() as out:
        for megapixels, source in masters().items():
            print(f"--- {megapixels} MP")
            profiler = cProfile.Profile()
            profiler.runcall(ours, source, Path(out))
            pstats.Stats(profiler).sort_stats("tottime").print_stats(12)
            for recipe in RECIPES:
                start = time.process_time()
                render.render(source, "image/jpeg", [replace(recipe)], Path(out))
                print(f"{recipe.preset} alone: {time.process_time() - start:.3f} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--once", nargs=3, metavar=("WAY", "SOURCE", "OUT"))
    parser.add_argument("--profile", action="store_true")
    asked = parser.parse_args()
    if asked.once:
        once(asked.once[0], Path(asked.once[1]), Path(asked.once[2]))
    elif asked.profile:
        profile()
    else:
        RESULTS.write_text(report(), encoding="utf-8")
        print(RESULTS.read_text(encoding="utf-8"))
