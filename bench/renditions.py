"""Five renditions of large JPEG photographs: our pipeline against Pillow used the plain way, and against sharp.

`python -m bench.renditions` makes its masters (12, 24 and 48 megapixels, photo-like) once, in bench/.cache, runs all
ways in turn in fresh processes, and writes what it measured to bench/.cache/renditions.md. All make the same five
files with the same encoders' settings; the plain way opens and decodes the master for each of them, sharp (from npm,
one thread, no cache) shrinks it while it loads. Two sets: five for screens, and five with a print in CMYK.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import PIL
from PIL import Image, ImageCms, ImageOps

from domain.recipes import SEEDS, Colour, Fit, Format, Recipe
from tests.imaging import made
from workers.imaging import colour, render, safely

Grey = np.ndarray[Any, np.dtype[np.float64]]
Recipes = Sequence[Recipe]

HERE = Path(__file__).parent
CACHE = HERE / ".cache"
RESULTS = HERE / ".cache" / "renditions.md"

PEER = HERE / "peers" / "sharp"
INSTALLED = CACHE / "sharp"

_SQUARE = Recipe("square", Format.JPEG, 1080, 1080, Fit.COVER, quality=85)
SETS = {
    "screen": (*SEEDS, _SQUARE, Recipe("small", Format.WEBP, 400, 400, quality=80)),
    "print": (*SEEDS, _SQUARE, Recipe("print", Format.TIFF, 3508, 3508, colour=Colour.CMYK)),
}
#: Megapixels, width, height, photograph, whether it carries a wide-gamut profile.
MASTERS = (
    (12, 4000, 3000, "coffee.jpg", False),
    (24, 6000, 4000, "rocket.jpg", True),
    (48, 8000, 6000, "astronaut.jpg", False),
)
ROUNDS = 3
#: Most of the CPU of each that ours may take; of plain Pillow from so many megapixels on.
OF_SHARP, OF_PLAIN, LARGE = 0.7, 0.5, 20
#: How much less than plain Pillow's an exact reference ours may resemble, at worst.
LIKENESS = 0.002


def plain(recipes: Recipes, source: Path, out: Path) -> None:
    """What a short script does: open, turn, convert to sRGB, resize, save; five times over."""
    for recipe in recipes:
        with Image.open(source) as opened:
            picture = in_srgb(ImageOps.exif_transpose(opened))
        small = fitted(picture, recipe)
        save(in_cmyk(small) if recipe.colour is Colour.CMYK else small, recipe, out / recipe.file_name)


def in_cmyk(picture: Image.Image) -> Image.Image:
    press = ImageCms.ImageCmsProfile(io.BytesIO(colour.press_profile("FOGRA39L")))
    intent, flags = ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Flags.BLACKPOINTCOMPENSATION
    srgb = ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(picture, srgb, press, intent, outputMode="CMYK", flags=flags)
    assert converted is not None
    return converted


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
    if recipe.format is Format.TIFF:
        options = {"compression": "tiff_lzw", "tiffinfo": {317: 2}}
    picture.save(target, recipe.format.value.upper(), **options)


def ours(recipes: Recipes, source: Path, out: Path) -> None:
    result = render.render(source, "image/jpeg", recipes, out)
    assert not result.failed


def sandboxed(recipes: Recipes, source: Path, out: Path) -> None:
    result = safely.rendered(source, "image/jpeg", recipes, out)
    assert not result.failed


WAYS: dict[str, Callable[[Recipes, Path, Path], None]] = {"plain": plain, "ours": ours, "sandboxed": sandboxed}
ALL = (*WAYS, "sharp")


def sharp() -> Path:
    """The folder of the peer with its package, installed from npm the first time."""
    if not (INSTALLED / "node_modules").exists():
        INSTALLED.mkdir(parents=True, exist_ok=True)
        shutil.copy(PEER / "package.json", INSTALLED)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund"], cwd=INSTALLED, check=True, timeout=300)
    shutil.copy(PEER / "renditions.mjs", INSTALLED)
    return INSTALLED


def for_sharp(recipes: Recipes, source: Path, out: Path) -> list[str]:
    told = {
        "source": str(source),
        "warm": str(made.photograph("coffee.jpg")),
        "out": str(out),
        "press": str(HERE.parent / "workers" / "imaging" / "icc" / "FOGRA39L.icc"),
        "recipes": [
            {
                "file": recipe.file_name,
                "format": recipe.format.value,
                "width": recipe.width,
                "height": recipe.height,
                "cover": recipe.fit is Fit.COVER,
                "cmyk": recipe.colour is Colour.CMYK,
                "quality": recipe.quality,
                "progressive": recipe.progressive,
                "speed": recipe.speed,
            }
            for recipe in recipes
        ],
    }
    return ["node", str(sharp() / "renditions.mjs"), json.dumps(told)]


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


def once(way: str, chosen: str, source: Path, out: Path) -> None:
    """One run in this process; prints CPU seconds (children's included), wall seconds and the peak in MB."""
    WAYS[way](SETS[chosen], made.photograph("coffee.jpg"), out)  # imports and tables are nobody's rendition
    before, start = cpu_seconds(), time.perf_counter()
    WAYS[way](SETS[chosen], source, out)
    wall = time.perf_counter() - start
    print(cpu_seconds() - before, wall, peak_mb())


def peak_mb() -> float:
    """Of this program alone: what getrusage tells survives an exec, and so counts whoever started it."""
    told = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(told.partition("VmHWM:")[2].split()[0]) / 1024


def cpu_seconds() -> float:
    """In microseconds' steps, which os.times does not have."""
    used = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def measured(way: str, chosen: str, source: Path, out: Path) -> tuple[float, float, float]:
    if way == "sharp":
        command = for_sharp(SETS[chosen], source, out)
    else:
        command = [sys.executable, "-m", "bench.renditions", "--once", way, chosen, str(source), str(out)]
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
                    sandboxed(SETS["screen"], source, Path(out))
            os._exit(0)
        children.append(child)
    statuses = [os.waitpid(child, 0)[1] for child in children]
    assert statuses == [0] * processes
    made_in_all = len(work) * len(SETS["screen"])
    return made_in_all / (time.perf_counter() - start), made_in_all / (cpu_seconds() - before)


def loss(recipes: Recipes, source: Path, by_plain: Path, by_other: Path) -> float:
    """How much less the other's files resemble an exact reference than the plain ones do, at worst; negative is worse.

    A print is left out: its grey values are the press's.
    """
    differences = []
    with Image.open(source) as opened:
        exact = in_srgb(opened)
    for recipe in recipes:
        if recipe.colour is Colour.CMYK:
            continue
        reference = np.asarray(fitted(exact, recipe).convert("L"), dtype=np.float64)
        plain_is, other_is = (likeness(reference, grey(folder / recipe.file_name)) for folder in (by_plain, by_other))
        differences.append(other_is - plain_is)
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
    versions = f"Python {platform.python_version()}, Pillow {PIL.__version__}, sharp {sharp_version()}"
    lines = [
        "# Renditions",
        "",
        f"`uv run python -m bench.renditions`, {datetime.now(UTC):%Y-%m-%d}, {machine}, {versions}.",
        "",
        f"Median of {ROUNDS} runs in fresh processes, all ways in turn. CPU is user and system, children included.",
    ]
    found, kept = masters(), []
    for chosen in SETS:
        told, holds = table(chosen, found)
        lines += ["", *told]
        kept.append(holds)
    lines.append("")
    for processes in (1, 2):
        wall, cpu_rate = throughput(list(found.values()), processes, 3)
        load = os.getloadavg()[0]
        lines.append(
            f"- {processes} worker process{'es' * (processes > 1)}: {wall:.1f} renditions/s of wall time "
            f"(load {load:.1f}: other work shared the cores), {cpu_rate:.1f} per CPU second, sandboxed, masters mixed"
        )
    asked = (
        f"Asked for: at most {OF_SHARP} × sharp, {OF_PLAIN} × plain Pillow from {LARGE} MP on, SSIM within {LIKENESS}"
    )
    lines += ["", f"{asked}. {'Reached' if all(kept) else 'Missed'}."]
    return "\n".join(lines) + "\n"


def table(chosen: str, found: dict[int, Path]) -> tuple[list[str], bool]:
    """The lines about one set, and whether it keeps to what was asked for."""
    recipes = SETS[chosen]
    lines = [
        "Five renditions of one JPEG master: " + ", ".join(map(spoken, recipes)) + ".",
        "",
        "| master | plain, CPU s | sharp | ours | sandboxed | ours ÷ plain | ours ÷ sharp | MB: plain, sharp, ours |",
        "|--|--|--|--|--|--|--|--|",
    ]
    alike: list[str] = []
    holds = True
    with tempfile.TemporaryDirectory() as folder:
        outs = {way: Path(folder) / way for way in ALL}
        for out in outs.values():
            out.mkdir()
        for megapixels, source in found.items():
            runs: dict[str, list[tuple[float, float, float]]] = {way: [] for way in ALL}
            for _ in range(ROUNDS):
                for way in ALL:
                    runs[way].append(measured(way, chosen, source, outs[way]))
            cpu = {way: statistics.median(run[0] for run in runs[way]) for way in ALL}
            peak = {way: statistics.median(run[2] for run in runs[way]) for way in ALL}
            of_plain, of_sharp = cpu["ours"] / cpu["plain"], cpu["ours"] / cpu["sharp"]
            holds &= of_sharp <= OF_SHARP and (megapixels < LARGE or of_plain <= OF_PLAIN)
            lines.append(
                f"| {megapixels} MP, {source.stat().st_size / 1e6:.1f} MB | {cpu['plain']:.2f} | {cpu['sharp']:.2f} "
                f"| {cpu['ours']:.2f} | {cpu['sandboxed']:.2f} | **{of_plain:.2f}** | **{of_sharp:.2f}** "
                f"| {peak['plain']:.0f} / {peak['sharp']:.0f} / {peak['ours']:.0f} |"
            )
            other = {way: loss(recipes, source, outs["plain"], outs[way]) for way in ("ours", "sharp")}
            holds &= other["ours"] >= -LIKENESS
            alike.append(f"{megapixels} MP {other['ours']:+.4f} (sharp {other['sharp']:+.4f})")
    exact = "an exact reference (full decoding, one Lanczos step, no loss)"
    return [*lines, "", f"SSIM to {exact}, ours minus plain, worst of the set: {', '.join(alike)}."], holds


def sharp_version() -> str:
    told = json.loads((sharp() / "node_modules" / "sharp" / "package.json").read_text(encoding="utf-8"))
    return str(told["version"])


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
            profiler.runcall(ours, SETS["print"], source, Path(out))
            pstats.Stats(profiler).sort_stats("tottime").print_stats(12)
            for recipe in SETS["print"]:
                start = time.process_time()
                render.render(source, "image/jpeg", [replace(recipe)], Path(out))
                print(f"{recipe.preset} alone: {time.process_time() - start:.3f} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--once", nargs=4, metavar=("WAY", "SET", "SOURCE", "OUT"))
    parser.add_argument("--profile", action="store_true")
    asked = parser.parse_args()
    if asked.once:
        once(asked.once[0], asked.once[1], Path(asked.once[2]), Path(asked.once[3]))
    elif asked.profile:
        profile()
    else:
        RESULTS.write_text(report(), encoding="utf-8")
        print(RESULTS.read_text(encoding="utf-8"))
