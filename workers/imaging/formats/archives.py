"""ZIP archives: what they list. Nothing in them is ever unpacked."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

from domain.recipes import FailureCode, Recipe
from workers.imaging import failures
from workers.imaging.embedded import letters
from workers.imaging.formats import written
from workers.imaging.formats.still import Known, Still
from workers.imaging.limits import Limits

MEDIA_TYPES = frozenset({"application/zip"})

_ENCRYPTED = 1
#: A listing shows so many names.
_SHOWN = 60
_KIBIBYTE = 1024


def still(source: Path, _media_type: str, recipes: Sequence[Recipe], limits: Limits) -> Still:
    held = _listed(source)
    total = f"{len(held):,} {'file' if len(held) == 1 else 'files'}, {_size(sum(one.file_size for one in held))}"
    names = [(_size(one.file_size), letters.clean(one.filename, limits)) for one in held[:_SHOWN]]
    lines: list[str | tuple[str, str]] = [total, "", *names]
    return written.page(lines, recipes, limits)


def known(source: Path, _media_type: str, limits: Limits) -> Known:
    held = _listed(source)
    names = [name for one in held if (name := letters.clean(one.filename, limits))]
    return Known(
        entries=(
            ("zip", "Files", len(held)),
            ("zip", "Bytes", sum(one.file_size for one in held)),
            ("zip", "Encrypted", any(one.flag_bits & _ENCRYPTED for one in held)),
            ("zip", "Names", names[: limits.list_values]),
        ),
        text="\n".join(names)[: limits.text_letters],
    )


def _listed(source: Path) -> list[zipfile.ZipInfo]:
    """The files, folders left out, as the directory at the end lists them: what it says is not looked into."""
    if source.stat().st_size == 0:
        raise failures.refused(FailureCode.EMPTY)
    try:
        with zipfile.ZipFile(source) as archive:
            return [one for one in archive.infolist() if not one.is_dir()]
    except zipfile.BadZipFile as error:
        # The directory stands at the end: without it something is missing, if the beginning is one of an archive.
        is_cut = "not a zip" in str(error).lower() and _begins_well(source)
        raise failures.refused(FailureCode.TRUNCATED if is_cut else FailureCode.DAMAGED) from error


def _begins_well(source: Path) -> bool:
    with source.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def _size(count: int) -> str:
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < _KIBIBYTE:
            return f"{amount:,.0f} {unit}"
        amount /= _KIBIBYTE
    return f"{amount:,.0f} TiB"
