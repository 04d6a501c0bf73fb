"""What was decoded of a JPEG is kept for a while: the same picture comes of it, and nothing of it stays for long."""

from __future__ import annotations

import io
import os
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageCms, ImageStat

from domain.recipes import Colour, Fit, Format, Recipe
from server import studio
from storage.settings import Settings
from tests.imaging import made
from workers import reductions
from workers.imaging import render, safely
from workers.imaging.failures import PictureError
from workers.imaging.reductions import FACTORS, Shelf
from workers.sandbox import SandboxLimits

PART = Recipe("part", Format.PNG, 60, 40, Fit.COVER, region=(100, 80, 400, 300))
RECIPES = (
    PART,
    Recipe("whole", Format.PNG, 70, 70),
    Recipe("sought", Format.PNG, 50, 90, Fit.COVER, seeks=True),
    Recipe("print", Format.TIFF, 60, 60, colour=Colour.CMYK),
    Recipe("grey", Format.PNG, 40, 40, colour=Colour.GREY),
    Recipe("padded", Format.PNG, 64, 90, Fit.PAD, rotation=90),
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    folder = tmp_path / "data"
    folder.mkdir()
    return Settings(data_dir=folder)


def variants(folder: Path) -> dict[str, Path]:
    """The same photograph in the ways that JPEGs come."""
    with Image.open(made.photograph("coffee.jpg")) as opened:
        photograph = opened.convert("RGB").resize((1200, 800))
    exif = Image.Exif()
    exif[0x0112] = 6
    wide = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    kinds: dict[str, tuple[Image.Image, dict[str, Any]]] = {
        "plain": (photograph, {}),
        "grey": (photograph.convert("L"), {}),
        "cmyk": (photograph.convert("CMYK"), {}),
        "turned": (photograph, {"exif": exif}),
        "profiled": (photograph, {"icc_profile": wide}),
    }
    for name, (picture, said) in kinds.items():
        picture.save(folder / f"{name}.jpg", quality=90, **said)
    return {name: folder / f"{name}.jpg" for name in kinds}


def shelf_in(folder: Path) -> Shelf:
    fresh = folder / "fresh"
    fresh.mkdir(exist_ok=True)
    return Shelf(folder / "kept", fresh)


def put_up(shelf: Shelf) -> list[str]:
    found = sorted(path.name for path in shelf.fresh.iterdir())
    for name in found:
        (shelf.fresh / name).replace(shelf.place(int(name)))
    return found


def rendered(source: Path, recipe: Recipe, out: Path, shelf: Shelf | None) -> bytes:
    (made_now,) = render.render(source, "image/jpeg", [recipe], out, shelf=shelf).made
    return (out / made_now.file_name).read_bytes()


@pytest.mark.parametrize("kind", ["plain", "grey", "cmyk", "turned", "profiled"])
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: str(recipe.preset))
def test_a_picture_is_the_same_byte_for_byte_from_what_was_kept(kind: str, recipe: Recipe, tmp_path: Path) -> None:
    source, shelf = variants(tmp_path)[kind], shelf_in(tmp_path)
    plain = rendered(source, recipe, tmp_path, None)
    assert rendered(source, recipe, tmp_path, shelf) == plain
    decoded = min(map(int, put_up(shelf)))
    for coarser in (each for each in FACTORS if each > decoded):
        shelf.place(coarser).unlink()  # what was averaged is not the same
    gone = tmp_path / "gone.jpg"  # so it can only come from what was kept
    assert rendered(gone, recipe, tmp_path, shelf) == plain
    assert put_up(shelf) == []


def test_a_page_that_is_not_there_is_none_either_where_the_first_was_kept(tmp_path: Path) -> None:
    source, shelf = variants(tmp_path)["plain"], shelf_in(tmp_path)
    beyond = Recipe("page", Format.PNG, 40, 40, page=6)
    for kept in ([], ["8"]):
        with pytest.raises(PictureError, match="no page 7"):
            rendered(source, beyond, tmp_path, shelf)
        assert put_up(shelf) == []
        rendered(source, Recipe("tiny", Format.PNG, 40, 40), tmp_path, shelf)
        assert put_up(shelf) == ([] if kept else ["8"])


def test_what_needs_more_than_was_kept_is_made_of_the_original(tmp_path: Path) -> None:
    source, shelf = variants(tmp_path)["plain"], shelf_in(tmp_path)
    rendered(source, Recipe("tiny", Format.PNG, 40, 40), tmp_path, shelf)
    assert put_up(shelf) == ["8"]
    large = Recipe("large", Format.PNG, 400, 400)
    assert rendered(source, large, tmp_path, shelf) == rendered(source, large, tmp_path, None)
    assert put_up(shelf) == ["2", "4"], "beside what was decoded its halves"


def test_of_what_was_decoded_as_a_whole_halves_are_kept(tmp_path: Path) -> None:
    source, shelf = variants(tmp_path)["plain"], shelf_in(tmp_path)
    rendered(source, Recipe("full", Format.PNG, 1200, 1200), tmp_path, shelf)
    assert put_up(shelf) == ["2", "4", "8"]


@pytest.mark.parametrize("side", [40, 70, 130, 280])
def test_what_is_made_of_an_averaged_half_is_the_same_to_the_eye(side: int, tmp_path: Path) -> None:
    source, shelf = variants(tmp_path)["plain"], shelf_in(tmp_path)
    recipe = Recipe("small", Format.PNG, side, side)
    rendered(source, Recipe("full", Format.PNG, 1200, 1200), tmp_path, shelf)
    put_up(shelf)
    averaged = opened(rendered(tmp_path / "gone.jpg", recipe, tmp_path, shelf))
    with Image.open(source) as whole:
        exact = whole.convert("RGB").resize(averaged.size, Image.Resampling.LANCZOS)
    assert distance(averaged, exact) < 1


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content)).convert("RGB")


def distance(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of their pixels, of 255."""
    means = ImageStat.Stat(ImageChops.difference(one, other)).mean
    return sum(means) / len(means)


@pytest.mark.parametrize("spoilt", [b"", b"{}\n", b"nonsense", b'{"width": "a", "height": []}\n', None])
def test_a_kept_file_that_was_spoilt_is_passed_over(spoilt: bytes | None, tmp_path: Path) -> None:
    source, shelf = variants(tmp_path)["plain"], shelf_in(tmp_path)
    plain = rendered(source, PART, tmp_path, shelf)
    for name in put_up(shelf):
        place = shelf.place(int(name))
        place.write_bytes(place.read_bytes()[:-5000] if spoilt is None else spoilt)
    assert rendered(source, PART, tmp_path, shelf) == plain


def test_a_sandbox_lays_by_what_the_next_one_finds(settings: Settings, tmp_path: Path) -> None:
    source = variants(tmp_path)["plain"]
    pictures = []
    for turn in ("first", "second"):
        inside = tmp_path / turn
        inside.mkdir()
        with reductions.shelf(settings, "a" * 64, inside) as shelf:
            assert shelf is not None
            out = safely.rendered(source, "image/jpeg", [PART], inside, shelf=shelf)
            assert not out.failed
        pictures.append((inside / PART.file_name).read_bytes())
        kept = sorted(path.name for path in settings.reductions_dir.iterdir())
        assert kept == [f"{'a' * 64}-{factor}" for factor in (2, 4, 8)]
        assert list(shelf.fresh.iterdir()) == []
        source = tmp_path / "gone.jpg"
    assert pictures[0] == pictures[1]


def test_what_cannot_be_laid_by_costs_the_picture_nothing(tmp_path: Path) -> None:
    source, shelf = variants(tmp_path)["plain"], shelf_in(tmp_path)
    bounds = SandboxLimits(file_bytes=128 << 10)
    found = safely.rendered(source, "image/jpeg", [PART], tmp_path, sandbox_limits=bounds, shelf=shelf)
    assert [one.preset for one in found.made] == [PART.preset]
    assert put_up(shelf) == ["8"], "nothing half-written, and what there was room for"
    shelf.place(8).unlink()
    shelf.fresh.rmdir()
    assert safely.rendered(source, "image/jpeg", [PART], tmp_path, shelf=shelf).made == found.made


def test_what_was_laid_in_a_job_that_failed_is_not_kept(settings: Settings, tmp_path: Path) -> None:
    def fail() -> None:
        with reductions.shelf(settings, "a" * 64, tmp_path) as shelf:
            assert shelf is not None
            (shelf.fresh / "2").write_bytes(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(settings.reductions_dir.iterdir()) == []


def test_only_plain_files_are_kept(settings: Settings, tmp_path: Path) -> None:
    with reductions.shelf(settings, "a" * 64, tmp_path) as shelf:
        assert shelf is not None
        (shelf.fresh / "2").symlink_to("/etc/passwd")
        (shelf.fresh / "4").mkdir()
        (shelf.fresh / "other").write_bytes(b"")
    assert list((settings.data_dir / "reductions").iterdir()) == []


def lay(folder: Path, name: str, mebibytes: int, seconds_ago: float) -> None:
    folder.mkdir(exist_ok=True)
    with (folder / name).open("wb") as file:
        file.truncate(mebibytes << 20)
    used = time.time() - seconds_ago
    os.utime(folder / name, (used, used))


def test_the_longest_unused_goes_first_when_room_is_short(settings: Settings) -> None:
    settings = settings.model_copy(update={"reductions_mb": 4})
    for age in range(9):
        lay(settings.reductions_dir, f"{age}-2", 1, seconds_ago=60 * age)
    reductions.sweep(settings)
    assert sorted(path.name[0] for path in settings.reductions_dir.iterdir()) == ["0", "1", "2", "3"]


def test_small_ones_stay_longer_than_large_ones(settings: Settings) -> None:
    settings = settings.model_copy(update={"reductions_mb": 5})
    for name in ("old", "older"):
        for factor, mebibytes in ((2, 4), (4, 2), (8, 1)):
            lay(settings.reductions_dir, f"{name}-{factor}", mebibytes, 60 * len(name))
    reductions.sweep(settings)
    assert sorted(path.name for path in settings.reductions_dir.iterdir()) == ["old-4", "old-8", "older-8"]


def test_what_was_of_use_stays(settings: Settings, tmp_path: Path) -> None:
    source = variants(tmp_path)["plain"]
    with reductions.shelf(settings, "a" * 64, tmp_path) as shelf:
        rendered(source, PART, tmp_path, shelf)
    for path in settings.reductions_dir.iterdir():
        os.utime(path, (1, 1))
    rendered(source, PART, tmp_path, Shelf(settings.reductions_dir / ("a" * 64), tmp_path / "elsewhere"))
    used = {path.name[-1] for path in settings.reductions_dir.iterdir() if path.stat().st_mtime > 1}
    assert used == {"2"}


@pytest.mark.parametrize("in_the_way", ["data", "inside", "both"])
def test_a_disk_that_takes_nothing_fails_no_job(settings: Settings, tmp_path: Path, in_the_way: str) -> None:
    """Files stand where the folders would be."""
    if in_the_way != "inside":
        settings.reductions_dir.write_bytes(b"")
    if in_the_way != "data":
        (tmp_path / "reductions").write_bytes(b"")
    with reductions.shelf(settings, "a" * 64, tmp_path) as shelf:
        assert shelf is None
    reductions.sweep(settings)
    reductions.forget(settings, {"a" * 64})
    assert reductions.digests(settings) == set()


def test_what_cannot_be_moved_into_place_fails_no_job(settings: Settings, tmp_path: Path) -> None:
    settings.reductions_dir.mkdir()
    (settings.reductions_dir / f"{'a' * 64}-2").mkdir()
    (settings.reductions_dir / f"{'a' * 64}-2" / "something").write_bytes(b"")
    with reductions.shelf(settings.model_copy(update={"reductions_mb": 1}), "a" * 64, tmp_path) as shelf:
        assert shelf is not None
        for factor in FACTORS:
            (shelf.fresh / str(factor)).write_bytes(b"laid")
    kept = sorted(path.name[-2:] for path in settings.reductions_dir.iterdir() if path.is_file())
    assert kept == ["-4", "-8"]


def test_an_error_of_the_job_itself_is_its_own(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="the job's"), reductions.shelf(settings, "a" * 64, tmp_path):
        raise OSError("the job's")


def test_a_server_without_workers_keeps_none(settings: Settings) -> None:
    lay(settings.reductions_dir, f"{'a' * 64}-2", 1, seconds_ago=0)
    with studio.running(settings.model_copy(update={"workers": 0})) as beside:
        assert beside is None
    assert not settings.reductions_dir.exists()


def test_where_there_is_no_room_nothing_is_kept(settings: Settings, tmp_path: Path) -> None:
    with reductions.shelf(settings.model_copy(update={"reductions_mb": 0}), "a" * 64, tmp_path) as shelf:
        assert shelf is None
    assert not settings.reductions_dir.exists()
