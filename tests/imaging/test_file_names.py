"""File names fit to be shown, stored and downloaded."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.media_types import safe_file_name


@pytest.mark.parametrize(
    "name",
    ["photo.jpg", "Лето на море.JPG", "写真 2024.png", "שלום עולם.pdf", "مرحبا.docx", "👨‍👩‍👧 family.heic",
     "🏴󠁧󠁢󠁳󠁣󠁴󠁿.svg", "a.b.c.tar.gz", "no extension", "naïve café – 50 %.webp", "می‌خواهم.txt"],
)  # fmt: skip
def test_a_safe_name_in_any_script_comes_back_unchanged(name: str) -> None:
    assert safe_file_name(unicodedata.normalize("NFC", name)) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(
    ("raw", "safe"),
    [
        ("/etc/passwd", "passwd"),
        ("..\\..\\windows\\system.ini", "system.ini"),
        ("C:\\Users\\me\\a.jpg", "a.jpg"),
        ("../", "unnamed"),
        ("..", "unnamed"),
        ("", "unnamed"),
        ("   ", "unnamed"),
        (".htaccess", "htaccess"),
        ("...hidden.jpg", "hidden.jpg"),
        ("name. . .", "name"),
        ("invoice\u202egpj.exe", "invoicegpj.exe"),
        ("a\x00b\x1f.jpg", "ab.jpg"),
        ("two\nlines.jpg", "two lines.jpg"),
        ("con", "_con"),
        ("COM1.jpg", "_COM1.jpg"),
        ("lpt9.tar.gz", "_lpt9.tar.gz"),
        ("console.jpg", "console.jpg"),
        ('a<b>:"c"|?*.jpg', "a_b___c____.jpg"),
        ("\ud800broken.jpg", "broken.jpg"),
        ("\ufeffmarked.jpg", "marked.jpg"),
    ],
)
def test_a_trap_in_a_name_is_taken_out(raw: str, safe: str) -> None:
    assert safe_file_name(raw) == safe


def test_a_decomposed_letter_is_composed() -> None:
    assert safe_file_name("Cafe\u0301.jpg") == "Caf\u00e9.jpg"


@pytest.mark.parametrize("letter", ["x", "é", "ж", "写", "🖨"])
def test_a_long_name_keeps_its_extension(letter: str) -> None:
    name = safe_file_name(letter * 400 + ".jpeg")
    assert name.endswith(letter + ".jpeg")
    assert len(name) <= 200
    assert len(name.encode()) <= 255


def test_a_monstrous_extension_is_cut_like_the_rest() -> None:
    assert len(safe_file_name("a." + "x" * 500).encode()) <= 255


@given(st.text(alphabet=st.characters(), max_size=300))
def test_whatever_comes_in_a_safe_name_comes_out(raw: str) -> None:
    name = safe_file_name(raw)
    assert name
    assert not set(name) & set('/\\:*?"<>|\x00\u202e')
    assert not name.startswith((".", " "))
    assert not name.endswith((".", " "))
    assert len(name) <= 200
    assert len(name.encode("utf-8")) <= 255
    assert safe_file_name(name) == name
