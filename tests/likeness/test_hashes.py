"""What hashes of pictures hold to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from bench.likeness import changes, pictures
from domain.looks import Likeness
from storage import likeness as compared
from storage.likeness import Looks, View
from workers.imaging import hashes, safely
from workers.imaging.failures import PictureError


def seen(picture: Image.Image) -> Likeness:
    found = hashes.of_picture(picture)
    assert found is not None
    return found


def looks(found: Likeness) -> Looks:
    straight = View.of(found.hashes, found.proofs)
    return Looks(straight, View.of(found.mirrored_hashes, found.mirrored_proofs), is_page=found.is_page)


def apart(one: Image.Image, other: Image.Image) -> tuple[int, bool] | None:
    there = seen(other)
    return compared.compare(looks(seen(one)), View.of(there.hashes, there.proofs), is_page=there.is_page)


def test_a_picture_is_at_no_distance_from_itself_and_from_its_mirror_image() -> None:
    picture = pictures.photograph(1)
    assert apart(picture, picture) == (0, False)
    found = apart(ImageOps.mirror(picture), picture)
    assert found is not None
    assert found[1]
    assert found[0] <= 4


def test_the_mirrored_hashes_are_those_of_the_mirror_image() -> None:
    picture = pictures.photograph(2).resize((hashes.SIDE, 192))
    here, there = seen(picture), seen(ImageOps.mirror(picture))
    assert compared.compare(looks(here), View.of(there.mirrored_hashes, there.mirrored_proofs), is_page=False) == (
        0,
        False,
    )


@pytest.mark.parametrize("how", ["a quarter", "JPEG q20", "grey", "white frame", "letterbox", "crop 20 % around"])
def test_what_happens_to_pictures_leaves_them_alike(how: str) -> None:
    picture = pictures.photograph(3)
    assert apart(changes.CHANGES[how](picture), picture) is not None


def test_other_pictures_are_not_alike() -> None:
    assert apart(pictures.photograph(4), pictures.photograph(5)) is None


def test_a_frame_is_taken_off_and_a_bare_sky_is_not() -> None:
    picture = pictures.photograph(6)
    grey = np.asarray(picture.convert("L"), np.float32)
    framed = np.asarray(ImageOps.expand(picture.convert("L"), border=40, fill=255), np.float32)
    assert abs(hashes.unframed(framed).shape[0] - grey.shape[0]) <= 2
    sky = np.repeat(np.linspace(200, 90, 300, dtype=np.float32)[:, None], 400, axis=1)
    assert hashes.unframed(sky).shape == sky.shape


def test_a_plain_picture_is_like_nothing() -> None:
    assert hashes.of_picture(Image.new("RGB", (300, 200), "navy")) is None


def test_pages_of_text_are_told_from_photographs_and_verified_more_strictly() -> None:
    pages = [seen(pictures.page(number)) for number in range(6)]
    assert all(each.is_page for each in pages)
    assert not any(seen(pictures.photograph(number)).is_page for number in range(6))
    alike = [
        (at, to)
        for at, one in enumerate(pages)
        for to, other in enumerate(pages[:at])
        if compared.compare(looks(one), View.of(other.hashes, other.proofs), is_page=True) is not None
    ]
    assert alike == []


def test_what_is_transparent_is_looked_at_on_the_ground_that_shows_it() -> None:
    drawn = Image.new("RGBA", (200, 120), (255, 255, 255, 0))
    drawn.paste((255, 255, 255, 255), (30, 20, 90, 100))
    drawn.paste((250, 250, 250, 255), (120, 40, 180, 60))
    assert hashes.of_picture(drawn) is not None


def test_a_file_is_looked_at_in_a_sandbox_by_its_upright_picture(tmp_path: Path) -> None:
    upright = pictures.photograph(7)
    turned, source = Image.Exif(), tmp_path / "turned.jpg"
    turned[0x0112] = 6
    upright.rotate(90, expand=True).save(source, quality=90, exif=turned)
    (tmp_path / "work").mkdir()
    found = safely.likeness(source, "image/jpeg", tmp_path / "work")
    assert found is not None
    there = seen(upright)
    told = compared.compare(looks(found), View.of(there.hashes, there.proofs), is_page=False)
    assert told is not None
    assert told[0] <= 10


def test_a_broken_file_is_refused_with_its_reason(tmp_path: Path) -> None:
    source = tmp_path / "broken.jpg"
    pictures.photograph(8).save(source)
    source.write_bytes(source.read_bytes()[:3000])
    (tmp_path / "work").mkdir()
    with pytest.raises(PictureError) as refused:
        safely.likeness(source, "image/jpeg", tmp_path / "work")
    assert refused.value.failure.code.value == "TRUNCATED"
