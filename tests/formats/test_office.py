"""Office documents drawn by LibreOffice; where it is not installed, `test_not_installed` says what is said instead."""

from __future__ import annotations

import collections
import contextlib
import shutil
from pathlib import Path

import numpy as np
import pypdfium2
import pytest

from domain.recipes import FailureCode, Format, Recipe
from tests.formats import made_files, made_malformed, made_office, shown
from tests.imaging import made
from workers.imaging import office, safely
from workers.imaging.failures import PictureError
from workers.sandbox import SandboxLimits

pytestmark = pytest.mark.skipif(not office.is_installed(), reason="LibreOffice is not installed.")

IMPATIENT = SandboxLimits(wall_seconds=20, cpu_seconds=20, memory_bytes=1 << 30, file_bytes=64 << 20)
#: None: a picture was made. What is the hub's own fault is not among them.
TYPED = frozenset(
    {
        None,
        FailureCode.DAMAGED,
        FailureCode.EMPTY,
        FailureCode.ENCRYPTED,
        FailureCode.TOO_MANY_PIXELS,
        FailureCode.TRUNCATED,
        FailureCode.TIMEOUT,
        FailureCode.UNSUPPORTED_FORMAT,
    }
)
ODT = "application/vnd.oasis.opendocument.text"


def words_of(content: bytes, kind: str, folder: Path, limits: SandboxLimits | None = None) -> str:
    """The text of the PDF that LibreOffice makes."""
    home = folder / "home"
    home.mkdir()
    made_pdf = office.as_pdf(made.kept(folder, "source", content), kind, home, limits=limits or SandboxLimits())
    with pypdfium2.PdfDocument(made_pdf) as document:
        text: str = document[0].get_textpage().get_text_range()
    return text


@pytest.mark.parametrize("name", ["a.docx", "a.odt", "a.xlsx", "a.pptx"])
def test_an_office_document_is_drawn(name: str, tmp_path: Path) -> None:
    kind, content = made_files.every_kind()[name]
    seen = shown.picture(content, kind, tmp_path).convert("L")
    assert max(seen.size) == 120
    assert int(np.asarray(seen).min()) < 200
    assert {path.name for path in tmp_path.iterdir()} == {"source", "out"}


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (made_office.sheet(("Four prices",)), f"{made_office.OFFICE}.spreadsheetml.sheet"),
        (made_office.slides("Four prices"), f"{made_office.OFFICE}.presentationml.presentation"),
        (made_office.open_sheet("Four prices"), "application/vnd.oasis.opendocument.spreadsheet"),
        (made_office.open_slide("Four prices"), "application/vnd.oasis.opendocument.presentation"),
        (rb"{\rtf1 Four prices}", "application/rtf"),
    ],
    ids=["a.xlsx", "a.pptx", "a.ods", "a.odp", "a.rtf"],
)
def test_what_is_drawn_of_sheets_slides_and_rich_text_are_their_words(
    content: bytes, kind: str, tmp_path: Path
) -> None:
    assert "Four prices" in words_of(content, kind, tmp_path)


def test_what_a_document_links_to_is_not_read(tmp_path: Path) -> None:
    """Neither a picture of this machine nor a text of it stands in what is drawn: the picture would, by default."""
    secret = made.kept(tmp_path, "secret.odt", made_office.open_letter("very secret words"))
    picture = made.kept(tmp_path, "secret.png", made.encoded(made.solid((255, 0, 0), size=(100, 100)), "PNG"))
    body = (
        f'<text:section text:name="s"><text:section-source xlink:href="{secret.as_uri()}"/></text:section>'
        '<text:p><draw:frame text:anchor-type="as-char" '
        f'svg:width="5cm" svg:height="5cm"><draw:image xlink:href="{picture.as_uri()}" xlink:type="simple" '
        'xlink:show="embed" xlink:actuate="onLoad"/></draw:frame></text:p>'
    )
    content = made_office.open_letter("Honest words", body)
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
    assert not [line for line in running() if str(tmp_path).encode() in line]


def test_any_slide_can_be_shown(tmp_path: Path) -> None:
    """Of two, the first says nothing and the second much."""
    content, kind = made_office.slides(" ", "MMMMMMMM"), f"{made_office.OFFICE}.presentationml.presentation"
    ink = []
    for page in (0, 1):
        seen = shown.picture(content, kind, tmp_path, Recipe("page", Format.PNG, 320, 320, page=page)).convert("L")
        ink.append(int((np.asarray(seen) < 128).sum()))
    assert ink[0] == 0 < ink[1]


@pytest.mark.timeout(900)
def test_malformed_office_documents_end_with_a_page_or_a_code_and_leave_nothing_running(tmp_path: Path) -> None:
    """Those among the three hundred malformed files that LibreOffice reads; the others never reach it."""
    files = [each for each in made_malformed.folder() if each[1] in office.MEDIA_TYPES]
    assert len(files) > 25
    seen: collections.Counter[FailureCode | None] = collections.Counter()
    for number, (name, kind, content) in enumerate(files):
        folder = tmp_path / str(number)
        folder.mkdir()
        code = outcome(content, kind, folder)
        assert code in TYPED, name
        seen[code] += 1
        shutil.rmtree(folder)
    assert seen[FailureCode.EMPTY] >= 1
    assert seen[FailureCode.DAMAGED] >= 5
    assert seen[None] >= 1  # what LibreOffice mends is shown
    assert not [line for line in running() if str(tmp_path).encode() in line]
    kind, content = made_files.every_kind()["a.docx"]
    sound = tmp_path / "sound"
    sound.mkdir()
    assert max(shown.picture(content, kind, sound).size) == 120


def outcome(content: bytes, kind: str, folder: Path) -> FailureCode | None:
    """None where a picture was made; else why there is none, in words fit for a person."""
    out = folder / "out"
    out.mkdir()
    try:
        result = safely.rendered(
            made.kept(folder, "source", content), kind, [shown.SMALL], out, sandbox_limits=IMPATIENT
        )
    except PictureError as error:
        failure = error.failure
    else:
        if result.made:
            return None
        failure = result.failed["small"]
    assert (failure.sentence[0].isupper(), failure.sentence[-1], "/" in failure.sentence) == (True, ".", False)
    return failure.code


def running() -> list[bytes]:
    """The command lines of all that runs."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has ended since
            found.append(path.read_bytes())
    return found
