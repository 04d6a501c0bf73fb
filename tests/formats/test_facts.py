"""What is known of a file: sizes, durations, loudness, names, and the words that it is found by."""

from pathlib import Path

import pytest

from domain.recipes import FailureCode
from tests.formats import made_files, made_office, shown
from tests.imaging import made
from workers.imaging.failures import PictureError
from workers.imaging.limits import Limits
from workers.imaging.metadata import read_metadata


@pytest.mark.parametrize(
    ("name", "size", "depth"),
    [
        ("a.jxl", (240, 160), 8),
        ("a.svg", (240, 160), 8),
        ("a.psb", (240, 160), 8),
        ("deep.psd", (240, 160), 16),
        ("a.dng", (64, 48), 12),
        ("packed.dng", (240, 160), 14),
        ("a.mrw", (240, 160), 12),
        ("deep.tif", (240, 160), 16),
        ("a.mp4", (320, 180), None),
        ("a.webm", (320, 180), None),
        ("a.mp3", (None, None), None),
    ],
)
def test_size_and_depth_are_those_of_the_file(
    name: str, size: tuple[int | None, int | None], depth: int | None, tmp_path: Path
) -> None:
    kind, content = made_files.every_kind()[name]
    found = shown.facts(content, kind, tmp_path)
    assert ((found.width, found.height), found.bit_depth) == (size, depth)


@pytest.mark.parametrize(
    ("name", "codecs"),
    [
        ("a.mp4", ("h264", "aac")),
        ("a.mov", ("h264", "aac")),
        ("a.webm", ("vp9", "opus")),
        ("a.mp3", (None, "mp3")),
        ("a.flac", (None, "flac")),
    ],
)
def test_a_recording_says_how_long_it_is_and_in_which_codecs(
    name: str, codecs: tuple[str | None, str], tmp_path: Path
) -> None:
    kind, content = made_files.every_kind()[name]
    said = shown.entries(shown.facts(content, kind, tmp_path))
    assert (said.get("media:videoCodec"), said["media:audioCodec"]) == codecs
    assert said["media:durationSeconds"] == pytest.approx(3, abs=0.1)
    if codecs[0] is not None:
        assert said["media:frameRate"] == made_files.RATE


def test_a_tone_of_1_khz_at_minus_20_decibels_is_as_loud_as_ebu_r_128_says(tmp_path: Path) -> None:
    """−23.0 LUFS for a stereo tone whose sides are each at −23 dBFS: a tone's mean square is 3 dB below its peak."""
    said = shown.entries(shown.facts(made_files.recording(4, "flac", "flac"), "audio/flac", tmp_path))
    assert said["media:loudnessLufs"] == pytest.approx(-23.0, abs=0.5)
    assert said["media:truePeakDbtp"] == pytest.approx(-23.0, abs=0.6)
    assert "media:loudnessRangeLu" not in said  # it means nothing below a minute


def test_of_silence_no_loudness_is_told(tmp_path: Path) -> None:
    said = shown.entries(shown.facts(made_files.waves((2, 0.0)), "audio/wav", tmp_path))
    assert said["media:durationSeconds"] == 2
    assert "media:loudnessLufs" not in said


def test_a_long_recording_is_listened_to_for_as_long_as_allowed(tmp_path: Path) -> None:
    source = made.kept(tmp_path, "a.wav", made_files.waves((3, 0.5), (3, 0.01)))
    said = shown.entries(read_metadata(source, "audio/wav", Limits(listened_seconds=3)))
    whole = shown.entries(read_metadata(source, "audio/wav"))
    assert said["media:loudnessMeasuredSeconds"] == 3
    assert "media:loudnessMeasuredSeconds" not in whole


def test_a_font_says_whose_it_is(tmp_path: Path) -> None:
    found = shown.facts(made_files.font(), "font/ttf", tmp_path)
    said = shown.entries(found)
    assert (said["font:Family"], said["font:Style"], said["font:Designer"]) == ("Aileron", "Regular", "Sora Sagano")
    assert found.proposal.title == "Aileron Regular"
    assert found.proposal.rights == "No Rights Reserved."


def test_an_archive_is_listed_and_never_unpacked(tmp_path: Path) -> None:
    content = made_office.archive(one__txt=b"1" * 1000, **{"folder/two__jpg": b"2"})
    before = set(tmp_path.iterdir())
    found = shown.facts(content, "application/zip", tmp_path)
    said = shown.entries(found)
    assert (said["zip:Files"], said["zip:Bytes"], said["zip:Encrypted"]) == (2, 1001, False)
    assert said["zip:Names"] == ["one.txt", "folder/two.jpg"]
    assert set(tmp_path.iterdir()) - before == {tmp_path / "source"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a.pdf", "First page\nSecond page"),
        ("a.docx", "Dear printer, please print."),
        ("a.xlsx", "Cup\nPlate"),
        ("a.pptx", "Spring campaign"),
        ("a.odt", "Print this gladly."),
        ("a.svg", "Four fields\nspring campaign"),
        ("a.zip", "one.txt\ntwo.jpg"),
        ("a.txt", "Пусть печатают.\nLet it be printed."),
        ("a.csv", "name;price\ncup;3"),
    ],
)
def test_the_words_in_a_file_are_read(name: str, words: str, tmp_path: Path) -> None:
    kind, content = made_files.every_kind()[name]
    assert shown.facts(content, kind, tmp_path).text.strip() == words


def test_a_document_says_who_wrote_it_and_under_which_title(tmp_path: Path) -> None:
    kind, content = made_files.every_kind()["a.docx"]
    found = shown.facts(content, kind, tmp_path)
    assert (found.proposal.title, found.proposal.creator) == ("A letter", "Ada")


def test_no_more_words_are_kept_than_are_searched(tmp_path: Path) -> None:
    for name, content in (("a.txt", b"word " * 90_000), ("a.docx", made_office.letter("word " * 90_000))):
        kind, _ = made_files.every_kind()[name]
        assert len(shown.facts(content, kind, tmp_path).text) == Limits().text_letters


def test_an_encrypted_archive_of_a_document_is_told_apart(tmp_path: Path) -> None:
    kind, content = made_files.every_kind()["a.docx"]
    locked = bytearray(content)
    at = -1
    while (at := locked.find(b"PK\x01\x02", at + 1)) >= 0:
        locked[at + 8] |= 1
    with pytest.raises(PictureError) as refused:
        shown.facts(bytes(locked), kind, tmp_path)
    assert refused.value.failure.code == FailureCode.ENCRYPTED
