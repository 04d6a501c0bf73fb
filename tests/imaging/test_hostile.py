"""Hostile files, always through the sandbox: refused before decoding, in little memory, with a code and a sentence."""

import os
import re
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from domain import media_types
from domain.recipes import SEEDS, FailureCode, Format, Recipe
from tests.imaging import made, made_hostile
from workers.imaging import failures, metadata, render, safely
from workers.imaging.failures import PictureError
from workers.imaging.limits import Limits
from workers.imaging.render import Rendered
from workers.sandbox import SandboxLimits

SMALL = (Recipe("thumb", Format.WEBP, 64, 64), Recipe("web", Format.JPEG, 128, 128))
#: Far too little for even one per cent of what the bombs claim.
LITTLE = SandboxLimits(wall_seconds=30, cpu_seconds=30, memory_bytes=160 << 20, file_bytes=16 << 20)
#: Where a stump of each format must at least be recognised as one.
SAYS_SO = ("a.jpg", "a.png", "a.webp", "a.gif", "a.avif", "a.bmp", "a.heic")


def outcome(folder: Path, content: bytes, kind: str, limits: Limits | None = None) -> Rendered | FailureCode:
    out = folder / "out"
    out.mkdir(exist_ok=True)
    source = made.kept(folder, "source", content)
    try:
        return safely.rendered(source, kind, SMALL, out, limits=limits, sandbox_limits=LITTLE)
    except PictureError as error:
        check_sentence(error.failure.sentence, folder)
        return error.failure.code


def code_of(job: Callable[[], object], folder: Path) -> FailureCode | None:
    try:
        job()
    except PictureError as error:
        check_sentence(error.failure.sentence, folder)
        return error.failure.code
    return None


def check_sentence(sentence: str, folder: Path) -> None:
    assert sentence.endswith(".")
    assert str(folder) not in sentence
    assert not re.search(r"/|Traceback|Error|0x|\bPIL\b", sentence)


@pytest.mark.parametrize("name", made_hostile.bombs())
def test_a_bomb_is_refused_before_it_is_decoded(name: str, tmp_path: Path) -> None:
    kind, content = made_hostile.bombs()[name]
    assert len(content) < 50_000
    assert outcome(tmp_path, content, kind) == FailureCode.TOO_MANY_PIXELS
    with pytest.raises(PictureError) as refused:
        safely.facts(tmp_path / "source", kind, sandbox_limits=LITTLE)
    assert refused.value.failure.code == FailureCode.TOO_MANY_PIXELS
    assert list((tmp_path / "out").iterdir()) == []


def test_the_sentence_about_too_many_pixels_names_both_numbers(tmp_path: Path) -> None:
    source = made.kept(tmp_path, "x.png", made_hostile.png_claiming(20_000, 30_000))
    with pytest.raises(PictureError) as refused:
        safely.facts(source, "image/png")
    assert refused.value.failure.sentence == "The picture says it has 600 million pixels; this hub takes 500 million."


def test_the_pixel_budget_is_the_operators_to_set(tmp_path: Path) -> None:
    kind, content = made.every_format()["a.png"]
    exact = Limits(pixels=240 * 160)
    assert isinstance(outcome(tmp_path, content, kind, exact), Rendered)
    assert outcome(tmp_path, content, kind, Limits(pixels=240 * 160 - 1)) == FailureCode.TOO_MANY_PIXELS


def test_a_bomb_within_the_budget_is_stopped_by_the_memory_it_takes(tmp_path: Path) -> None:
    content = made_hostile.png_of_black(20_000, 20_000)
    assert outcome(tmp_path, content, "image/png") == FailureCode.OUT_OF_MEMORY


def test_the_facts_of_a_picture_take_no_more_memory_than_its_header(tmp_path: Path) -> None:
    source = made.kept(tmp_path, "x.png", made_hostile.png_of_black(20_000, 20_000))
    assert safely.facts(source, "image/png", sandbox_limits=LITTLE).width == 20_000


def falling_over(recipe: Recipe, falls: set[str]) -> None:
    """As a codec does that meets a bug of its own: the process is gone without a word."""
    if recipe.preset in falls:
        os.kill(os.getpid(), signal.SIGSEGV)


@pytest.mark.parametrize(
    ("falls", "made_of", "tried"),
    [({"b"}, ["a", "c", "d"], 4), ({"d"}, ["a", "b", "c"], 4), ({"a", "b", "c", "d"}, [], 2)],
    ids=["one", "the last", "all"],
)
def test_a_codec_that_falls_over_takes_only_its_own_rendition(
    falls: set[str], made_of: list[str], tried: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = made.kept(tmp_path, "x.png", made.encoded(made.solid((9, 9, 9), size=(40, 30)), "PNG"))
    out = tmp_path / "out"
    out.mkdir()
    log = tmp_path / "sandboxes"
    as_ever = render.render

    def rendered(source: Path, kind: str, recipes: Sequence[Recipe], out_dir: Path, *more: Any) -> Rendered:
        with log.open("a") as line:
            line.write(f"{len(recipes)}\n")
        for recipe in recipes:
            (out_dir / recipe.file_name).write_bytes(b"half")
            falling_over(recipe, falls)
        return as_ever(source, kind, recipes, out_dir, *more)

    monkeypatch.setattr(render, "render", rendered)
    monkeypatch.setattr(safely, "_nurseries", [])  # a nursery of this process would know nothing of the above
    recipes = tuple(Recipe(name, Format.JPEG, 20, 20) for name in "abcd")
    result = safely.rendered(source, "image/png", recipes, out)
    assert [one.preset for one in result.made] == made_of
    assert {name: one.code for name, one in result.failed.items()} == {
        name: FailureCode.CRASHED for name in "abcd" if name not in made_of
    }
    assert log.read_text().split() == ["4"] + ["1"] * tried
    assert {path.name for path in out.iterdir()} == {f"{name}.jpg" for name in made_of}


def test_one_rendition_that_needs_too_much_memory_does_not_take_the_others_with_it(tmp_path: Path) -> None:
    """AVIF's encoder wants many times the room of the picture; the small JPEG beside it does not."""
    source = made.kept(tmp_path, "x.png", made.encoded(made.solid((9, 9, 9), size=(5000, 4000)), "PNG"))
    recipes = (Recipe("huge", Format.AVIF, 5000, 5000), Recipe("small", Format.JPEG, 320, 320))
    out = tmp_path / "out"
    out.mkdir()
    tight = SandboxLimits(memory_bytes=220 << 20)
    result = safely.rendered(source, "image/png", recipes, out, sandbox_limits=tight)
    assert [one.preset for one in result.made] == ["small"]
    # How the encoder takes a refused allocation is its own affair: some say so, some fall over.
    assert result.failed["huge"].code in {FailureCode.OUT_OF_MEMORY, FailureCode.CRASHED}
    assert [path.name for path in out.iterdir()] == ["small.jpg"]


@pytest.mark.parametrize("size", [(1, 60_000), (60_000, 1), (110_000, 100)])
def test_absurd_dimensions_are_refused(size: tuple[int, int], tmp_path: Path) -> None:
    assert outcome(tmp_path, made_hostile.png_of_black(*size), "image/png") == FailureCode.ABSURD_DIMENSIONS


def test_a_narrow_strip_that_a_web_page_might_use_is_no_absurdity(tmp_path: Path) -> None:
    content = made.encoded(made.solid((1, 2, 3), size=(1, 1200)), "PNG")
    result = outcome(tmp_path, content, "image/png")
    assert isinstance(result, Rendered)
    assert [(one.width, one.height) for one in result.made] == [(1, 64), (1, 128)]


@pytest.mark.parametrize("kind", ["image/jpeg", "image/webp", "image/heic", "application/pdf"])
def test_a_file_without_bytes_is_empty(kind: str, tmp_path: Path) -> None:
    assert outcome(tmp_path, b"", kind) == FailureCode.EMPTY


@pytest.mark.parametrize("kind", ["image/jpeg", "image/png", "image/tiff", "image/heic", "application/pdf"])
def test_text_that_is_passed_off_as_a_picture_is_damaged(kind: str, tmp_path: Path) -> None:
    assert outcome(tmp_path, b"Dear Sir or Madam, " * 50, kind) == FailureCode.DAMAGED


def test_a_locked_pdf_is_encrypted(tmp_path: Path) -> None:
    assert outcome(tmp_path, made_hostile.locked_pdf(), "application/pdf") == FailureCode.ENCRYPTED


def test_a_pdf_without_pages_gives_no_picture(tmp_path: Path) -> None:
    source = made.kept(tmp_path, "locked.pdf", made_hostile.locked_pdf())
    with pytest.raises(PictureError):
        metadata.read_metadata(source, "application/pdf")
    # In the same process on purpose: what was found out about the document before must not stick to this one.
    assert outcome(tmp_path, made_hostile.pdf_without_pages(), "application/pdf") == FailureCode.DAMAGED


@pytest.mark.parametrize("size", [(200_000, 200_000), (14_400, 1), (0.001, 0.001)])
def test_a_pdf_page_of_senseless_size_is_refused(size: tuple[float, float], tmp_path: Path) -> None:
    assert outcome(tmp_path, made_hostile.pdf_of_page(*size), "application/pdf") == FailureCode.ABSURD_DIMENSIONS


def test_a_pdf_page_as_large_as_a_wall_is_drawn_as_small_as_asked(tmp_path: Path) -> None:
    result = outcome(tmp_path, made_hostile.pdf_of_page(14_400, 7_200), "application/pdf")
    assert isinstance(result, Rendered)
    assert [(one.width, one.height) for one in result.made] == [(64, 32), (128, 64)]


def test_a_tiff_whose_pages_lead_in_a_circle_is_read_once(tmp_path: Path) -> None:
    content = made_hostile.tiff_in_a_circle()
    assert isinstance(outcome(tmp_path, content, "image/tiff"), Rendered)
    assert safely.facts(tmp_path / "source", "image/tiff").frames == 1


@pytest.mark.parametrize("name", [*made.every_format(), "a.heic"])
def test_a_file_cut_off_anywhere_gives_a_picture_or_a_code(name: str, tmp_path: Path) -> None:
    kind, content = of_name(name)
    codes = {}
    for stump in made_hostile.stumps(content, 12):
        result = outcome(tmp_path, stump, kind)
        codes[len(stump)] = result if isinstance(result, FailureCode) else None
    assert set(codes.values()) <= {None, FailureCode.TRUNCATED, FailureCode.DAMAGED}
    if name in SAYS_SO:
        middle = sorted(codes)[len(codes) // 2]
        assert codes[middle] == FailureCode.TRUNCATED


@pytest.mark.parametrize("name", [*made.every_format(), "a.heic"])
def test_a_file_with_flipped_bytes_gives_a_picture_or_a_code(name: str, tmp_path: Path) -> None:
    kind, content = of_name(name)
    small = SandboxLimits(wall_seconds=30, cpu_seconds=20, memory_bytes=512 << 20, file_bytes=16 << 20)
    out = tmp_path / "out"
    out.mkdir()
    for number, bitten in enumerate(made_hostile.bitten(content, 8, seed=len(name))):
        source = made.kept(tmp_path, f"{number}", bitten)
        for job in (
            lambda source=source: safely.rendered(source, kind, SMALL, out, sandbox_limits=small),
            lambda source=source: safely.facts(source, kind, sandbox_limits=small),
        ):
            assert code_of(job, tmp_path) != FailureCode.CRASHED


def test_a_picture_missing_its_last_rows_is_never_shown_half_grey(tmp_path: Path) -> None:
    content = made.photograph("coffee.jpg").read_bytes()
    assert outcome(tmp_path, content[: len(content) * 2 // 3], "image/jpeg") == FailureCode.TRUNCATED


def test_every_code_has_a_sentence_for_a_person() -> None:
    for code in FailureCode:
        sentence = failures.failure(code).sentence
        assert sentence[0].isupper()
        check_sentence(sentence, Path("/nowhere"))


def test_the_seeds_of_a_real_photograph_come_through_the_sandbox(tmp_path: Path) -> None:
    source = made.photograph("rocket.jpg")
    kind = media_types.sniff(source.read_bytes()[:8192], source.name).type
    safely.warm()
    result = safely.rendered(source, kind, SEEDS, tmp_path)
    assert [(one.file_name, one.width, one.height) for one in result.made] == [
        ("thumb.webp", 320, 214),
        ("web.jpg", 640, 427),
        ("avif.avif", 640, 427),
    ]
    assert all((tmp_path / one.file_name).stat().st_size == one.byte_size for one in result.made)


def of_name(name: str) -> tuple[str, bytes]:
    if name == "a.heic":
        return "image/heic", made.photograph("coffee.heic").read_bytes()
    return made.every_format()[name]
