"""Renditions that move: frames, their times and how often, kept where a recipe says so; films made smaller."""

import io
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from domain.recipes import FailureCode, Fit, Format, Recipe, suits
from tests.formats import made_files, shown
from tests.imaging import made
from workers.imaging import safely
from workers.imaging.limits import Limits

MOVING = Recipe("moving", Format.WEBP, 40, 40, animated=True)


def frames(folder: Path, recipe: Recipe) -> tuple[list[Image.Image], list[int], int | None]:
    """Pictures, milliseconds and how often, of a finished rendition."""
    pictures, times = [], []
    with Image.open(folder / "out" / recipe.file_name) as opened:
        for number in range(getattr(opened, "n_frames", 1)):
            opened.seek(number)
            opened.load()
            pictures.append(opened.convert("RGBA"))
            times.append(int(opened.info.get("duration", 0)))
        return pictures, times, opened.info.get("loop")


def animation(reader: str, **options: Any) -> bytes:
    first, *others = [made.solid(colour) for colour in ((220, 30, 30), (30, 220, 30), (30, 30, 220))]
    return made.encoded(first, reader, save_all=True, append_images=others, duration=[100, 200, 300], **options)


@pytest.mark.parametrize("target", [Format.WEBP, Format.GIF])
@pytest.mark.parametrize(("reader", "kind"), [("GIF", "image/gif"), ("WEBP", "image/webp"), ("PNG", "image/png")])
def test_every_frame_is_kept_with_its_time(reader: str, kind: str, target: Format, tmp_path: Path) -> None:
    recipe = Recipe("moving", target, 40, 40, animated=True)
    assert shown.rendered(animation(reader, loop=0), kind, tmp_path, recipe).failed == {}
    pictures, times, loop = frames(tmp_path, recipe)
    assert times == [100, 200, 300]
    assert loop == 0
    assert [max(range(3), key=one.getpixel((20, 15)).__getitem__) for one in pictures] == [0, 1, 2]  # type: ignore[index]  # RGBA


def test_without_being_told_a_recipe_makes_a_still_of_an_animation(tmp_path: Path) -> None:
    still = Recipe("still", Format.WEBP, 40, 40)
    shown.rendered(animation("GIF"), "image/gif", tmp_path, still)
    pictures, _, _ = frames(tmp_path, still)
    assert len(pictures) == 1


@pytest.mark.parametrize(("said", "gif", "webp"), [(None, None, 1), (0, 0, 0), (2, 2, 3)])
def test_how_often_an_animation_is_shown_is_kept(said: int | None, gif: int | None, webp: int, tmp_path: Path) -> None:
    content = animation("GIF", **({} if said is None else {"loop": said}))
    as_gif = Recipe("as-gif", Format.GIF, 40, 40, animated=True)
    shown.rendered(content, "image/gif", tmp_path, as_gif, MOVING)
    assert frames(tmp_path, as_gif)[2] == gif
    assert frames(tmp_path, MOVING)[2] == webp


def test_frames_are_cropped_and_padded_like_stills(tmp_path: Path) -> None:
    square = Recipe("square", Format.WEBP, 32, 32, Fit.COVER, animated=True)
    result = shown.rendered(animation("WEBP"), "image/webp", tmp_path, square)
    assert [(one.width, one.height) for one in result.made] == [(32, 32)]


def test_transparent_frames_do_not_shine_through_each_other(tmp_path: Path) -> None:
    one, other = (Image.new("RGBA", (60, 40), (0, 0, 0, 0)) for _ in range(2))
    one.paste((255, 0, 0, 255), (0, 0, 30, 40))
    other.paste((0, 0, 255, 255), (30, 0, 60, 40))
    content = made.encoded(one, "PNG", save_all=True, append_images=[other], duration=100)
    for target in (Format.WEBP, Format.GIF):
        recipe = Recipe("clear", target, 60, 40, animated=True)
        shown.rendered(content, "image/png", tmp_path, recipe)
        _, second = frames(tmp_path, recipe)[0]
        assert second.getpixel((10, 20))[3] == 0  # type: ignore[index]  # RGBA
        assert second.getpixel((50, 20))[2] > 200  # type: ignore[index]


def test_an_animation_of_too_many_pixels_is_refused_not_shortened(tmp_path: Path) -> None:
    source = made.kept(tmp_path, "a.gif", made.animation("GIF", 30))
    (tmp_path / "out").mkdir()
    result = safely.rendered(source, "image/gif", [MOVING], tmp_path / "out", limits=Limits(moving_pixels=10_000))
    assert result.failed["moving"].code == FailureCode.TOO_MANY_PIXELS
    assert list((tmp_path / "out").iterdir()) == []


def test_an_excerpt_of_a_film_moves_for_as_long_as_asked(tmp_path: Path) -> None:
    recipe = Recipe("hover", Format.WEBP, 80, 80, animated=True, at_seconds=1, clip_seconds=1)
    shown.rendered(made_files.film(4), "video/mp4", tmp_path, recipe)
    with Image.open(tmp_path / "out" / recipe.file_name) as opened:
        assert opened.size == (80, 45)


@pytest.mark.parametrize(("begin", "length", "seconds"), [(0, 0, 4), (1, 2, 2), (3, 10, 1)])
@pytest.mark.parametrize("name", ["mp4", "webm"])
def test_a_proxy_plays_everywhere_and_as_long_as_asked(
    name: str, begin: int, length: int, seconds: int, tmp_path: Path
) -> None:
    content = made_files.film(4) if name == "mp4" else made_files.film(4, "webm", "libvpx-vp9")
    proxy = Recipe("proxy", Format.MP4, 200, 200, at_seconds=begin, clip_seconds=length)
    result = shown.rendered(content, f"video/{name}", tmp_path, proxy)
    assert [(one.media_type, one.width, one.height) for one in result.made] == [("video/mp4", 200, 112)]
    with av.open(str(tmp_path / "out" / proxy.file_name)) as made_film:
        seen: Any = made_film.streams.video[0]
        heard: Any = made_film.streams.audio[0]
        assert (seen.codec_context.name, seen.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert heard.codec_context.name == "aac"
        assert float(seen.duration * seen.time_base) == pytest.approx(seconds, abs=0.1)
        assert float(heard.duration * heard.time_base) == pytest.approx(seconds, abs=0.15)
        assert "title" not in made_film.metadata
        frame: Any = next(made_film.decode(seen))
        if begin:
            assert made.distance(made.corners(frame.to_image())[0], made.CORNERS[0]) <= 8


def test_a_proxy_begins_with_what_a_player_needs_first(tmp_path: Path) -> None:
    proxy = Recipe("proxy", Format.MP4, 200, 200)
    shown.rendered(made_files.film(3), "video/mp4", tmp_path, proxy)
    content = (tmp_path / "out" / proxy.file_name).read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    (tmp_path / "again").mkdir()
    shown.rendered(made_files.film(3), "video/mp4", tmp_path / "again", proxy)
    assert content == (tmp_path / "again" / "out" / proxy.file_name).read_bytes()


def test_a_film_without_sound_gives_a_proxy_without_sound(tmp_path: Path) -> None:
    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as holder:
        stream: Any = holder.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(10):
            frame = av.VideoFrame.from_ndarray(np.asarray(made.solid((200, 30, 30))), format="rgb24")
            frame.pts = number
            holder.mux(stream.encode(frame))
        holder.mux(stream.encode())
    proxy = Recipe("proxy", Format.MP4, 64, 64)
    assert shown.rendered(target.getvalue(), "video/mp4", tmp_path, proxy).failed == {}
    with av.open(str(tmp_path / "out" / proxy.file_name)) as made_film:
        assert [stream.type for stream in made_film.streams] == ["video"]


def test_a_film_that_fails_leaves_the_pictures_alone(tmp_path: Path) -> None:
    late = Recipe("late", Format.MP4, 100, 100, at_seconds=90)
    result = shown.rendered(made_files.film(3), "video/mp4", tmp_path, late, shown.SMALL)
    assert [one.preset for one in result.made] == ["small"]
    assert result.failed["late"].code == FailureCode.OUT_OF_RANGE


def test_films_are_made_of_films_only() -> None:
    assert suits(Format.MP4, "video/webm")
    assert suits(Format.MP4, "application/mxf")
    assert not suits(Format.MP4, "image/gif")
    assert suits(Format.WEBP, "video/mp4")
    assert suits(Format.WEBP, "audio/wav")


def test_a_watermark_stands_on_every_frame_of_what_moves(tmp_path: Path) -> None:
    """A grey film, a grey animation: with the mark there are lighter and darker places in each of their pictures."""
    plain = [Image.new("RGB", (320, 240), (128, 128, number)) for number in (118, 128)]
    content = made.encoded(plain[0], "PNG", save_all=True, append_images=plain[1:], duration=100)
    marked = Recipe("marked", Format.WEBP, 320, 240, animated=True, watermark="DRAFT")
    shown.rendered(content, "image/png", tmp_path, marked)
    for one in frames(tmp_path, marked)[0]:
        grey = np.asarray(one.convert("L"))
        assert (int(grey.min()) < 110, int(grey.max()) > 140) == (True, True)
    film = tmp_path / "film"
    film.mkdir()
    for word, is_marked in ((None, False), ("DRAFT", True)):
        recipe = Recipe("proxy", Format.MP4, 320, 240, watermark=word)
        shown.rendered(made_files.film(2, black=2), "video/mp4", film, recipe)
        with av.open(str(film / "out" / recipe.file_name)) as played:
            pictures: list[Any] = list(played.decode(video=0))
        assert len(pictures) == 2 * made_files.RATE
        for each in pictures[::12]:
            high = int(each.to_ndarray(format="gray").max())
            assert (high > 80) is is_marked
