"""A hub without the extras: each kind that needs one is refused in words that name it, and nothing else changes."""

import sys
from pathlib import Path

import pytest

from domain.recipes import FailureCode
from tests.formats import made_files, shown
from workers.imaging import office
from workers.imaging.failures import PictureError

NEEDS = {
    "a.jxl": ("pylibjxl", "jxl"),
    "a.dng": ("rawpy", "raw"),
    "a.svg": ("pyvips", "vips"),
    "a.mp4": ("av", "video"),
    "a.webm": ("av", "video"),
    "a.wav": ("av", "video"),
}


@pytest.mark.parametrize("name", NEEDS)
def test_a_kind_whose_extra_is_missing_is_refused_by_its_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library, extra = NEEDS[name]
    kind, content = made_files.every_kind()[name]
    monkeypatch.setitem(sys.modules, library, None)
    code, sentence = shown.refusal(content, kind, tmp_path)
    assert code == FailureCode.NOT_INSTALLED
    assert f"“{extra}”" in sentence
    assert code.is_retryable
    with pytest.raises(PictureError) as refused:
        shown.facts(content, kind, tmp_path)
    assert refused.value.failure.code == FailureCode.NOT_INSTALLED


@pytest.mark.parametrize("name", ["a.docx", "a.xlsx", "a.pptx", "a.odt"])
def test_without_libreoffice_an_office_document_has_words_but_no_picture(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not office.is_installed()
    kind, content = made_files.every_kind()[name]
    code, sentence = shown.refusal(content, kind, tmp_path)
    assert (code, "LibreOffice" in sentence) == (FailureCode.NOT_INSTALLED, True)
    assert shown.facts(content, kind, tmp_path).text


def test_what_needs_no_extra_goes_on_without_any(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for library, _ in NEEDS.values():
        monkeypatch.setitem(sys.modules, library, None)
    for name in ("a.psb", "a.ttf", "a.zip", "a.pdf"):
        kind, content = made_files.every_kind()[name]
        assert shown.picture(content, kind, tmp_path).width > 0
