"""Office documents drawn by LibreOffice; where it is not installed, `test_not_installed` says what is said instead."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pypdfium2
import pytest

from domain.recipes import FailureCode
from tests.formats import made_files, shown
from tests.imaging import made
from workers.imaging import office
from workers.imaging.failures import PictureError
from workers.sandbox import SandboxLimits

pytestmark = pytest.mark.skipif(not office.is_installed(), reason="LibreOffice is not installed.")

ODT = "application/vnd.oasis.opendocument.text"


def words_of(content: bytes, kind: str, folder: Path, limits: SandboxLimits | None = None) -> str:
    """The text of the PDF that LibreOffice makes."""
    home = folder / "home"
    home.mkdir()
    made_pdf = office.as_pdf(made.kept(folder, "source", content), kind, home, limits=limits or SandboxLimits())
    with pypdfium2.PdfDocument(made_pdf) as document:
        text: str = document[0].get_textpage().get_text_range()
    return text


@pytest.mark.parametrize("name", ["a.docx", "a.odt"])
def test_an_office_document_is_drawn(name: str, tmp_path: Path) -> None:
    kind, content = made_files.every_kind()[name]
    seen = shown.picture(content, kind, tmp_path).convert("L")
    assert seen.height == 120
    assert int(np.asarray(seen).min()) < 200
    assert {path.name for path in tmp_path.iterdir()} == {"source", "out"}


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (made_files.open_sheet("Four prices"), "application/vnd.oasis.opendocument.spreadsheet"),
        (made_files.open_slide("Four prices"), "application/vnd.oasis.opendocument.presentation"),
        (rb"{\rtf1 Four prices}", "application/rtf"),
    ],
    ids=["a.ods", "a.odp", "a.rtf"],
)
def test_so_are_a_sheet_a_slide_and_rich_text(content: bytes, kind: str, tmp_path: Path) -> None:
    assert "Four prices" in words_of(content, kind, tmp_path)


def test_what_a_document_links_to_is_not_read(tmp_path: Path) -> None:
    """Neither a picture of this machine nor a text of it stands in what is drawn: the picture would, by default."""
    secret = made.kept(tmp_path, "secret.odt", made_files.open_letter("very secret words"))
    picture = made.kept(tmp_path, "secret.png", made.encoded(made.solid((255, 0, 0), size=(100, 100)), "PNG"))
    body = (
        f'<text:section text:name="s"><text:section-source xlink:href="{secret.as_uri()}"/></text:section>'
        '<text:p><draw:frame text:anchor-type="as-char" '
        f'svg:width="5cm" svg:height="5cm"><draw:image xlink:href="{picture.as_uri()}" xlink:type="simple" '
        'xlink:show="embed" xlink:actuate="onLoad"/></draw:frame></text:p>'
    )
    content = made_files.open_letter("Honest words", body)
    words = words_of(content, ODT, tmp_path)
    assert "Honest" in words
    assert "secret" not in words
    seen = np.asarray(shown.picture(content, ODT, tmp_path).convert("RGB")).astype(int)
    assert int(((seen[..., 0] > 200) & (seen[..., 1] < 80)).sum()) == 0


def test_a_document_that_is_none_gives_no_picture_or_a_page(tmp_path: Path) -> None:
    kind, content = made_files.every_kind()["a.docx"]
    for number, broken in enumerate((content[: len(content) // 2], b"PK\x03\x04" + b"\0" * 400)):
        folder = tmp_path / str(number)
        folder.mkdir()
        code, _ = shown.refusal(broken, kind, folder)
        assert code == FailureCode.DAMAGED


def test_one_that_takes_too_long_is_stopped_and_leaves_nothing_running(tmp_path: Path) -> None:
    kind, content = made_files.every_kind()["a.docx"]
    with pytest.raises(PictureError) as refused:
        words_of(content, kind, tmp_path, SandboxLimits(wall_seconds=0.2))
    assert refused.value.failure.code == FailureCode.TIMEOUT
    running = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not [line for line in running if str(tmp_path).encode() in line]
