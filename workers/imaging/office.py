"""Office documents made into a PDF by LibreOffice, where it is installed; the PDF is then drawn like any other.

LibreOffice runs outside the sandbox of system calls, for it has to start itself, but within limits, without network
where the kernel lets, in a home of its own that goes with the job. Macros are off, and links in documents are not
followed: neither to addresses nor to other files of this machine.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from domain.media_types.catalogue import CATALOGUE
from domain.recipes import FailureCode
from workers.imaging import failures
from workers.imaging.formats import office
from workers.sandbox import SandboxLimits, StoppedError, program

MEDIA_TYPES = office.MEDIA_TYPES | {
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    "application/rtf",
}

#: A new home is only furnished by the first start, which then asks to be started again.
_ONCE_MORE = frozenset({79, 81})
_STARTS = 3
#: It maps far more than it uses, and opens its own parts by the hundred.
_MEMORY_BYTES = 6 * 1024**3
_FILES = 1024
_ORG = "/org.openoffice.Office."
_SETTINGS = (
    (_ORG + "Common/Security/Scripting", "DisableMacrosExecution", "true"),
    (_ORG + "Common/Security/Scripting", "MacroSecurityLevel", "3"),
    (_ORG + "Common/Security/Scripting", "BlockUntrustedRefererLinks", "true"),
    (_ORG + "Common/Security/Scripting", "DisableActiveContent", "true"),
    (_ORG + "Writer/Content/Update", "Link", "0"),
    (_ORG + "Calc/Content/Update", "Link", "2"),
)


def is_installed() -> bool:
    return _program() is not None


def as_pdf(
    source: Path, media_type: str, home: Path, *, limits: SandboxLimits, tick: Callable[[], None] | None = None
) -> Path:
    """The document as a PDF somewhere in `home`, a folder of this job's own.

    `PictureError`: NOT_INSTALLED without LibreOffice, EMPTY, TIMEOUT, and DAMAGED for what it cannot make a PDF of.
    """
    found = _program()
    if found is None:
        raise failures.refused(
            FailureCode.NOT_INSTALLED, "This hub runs without LibreOffice, which draws office documents."
        )
    if source.stat().st_size == 0:
        raise failures.refused(FailureCode.EMPTY)
    document = home / ("document" + CATALOGUE[media_type].extension)
    document.symlink_to(source.absolute())
    _furnish(home)
    arguments: list[str | Path] = [
        *(found, "--headless", "--nologo", "--norestore", "--nodefault", "--nolockcheck"),
        *(f"-env:UserInstallation={(home / 'profile').as_uri()}", "--convert-to", "pdf", "--outdir", home, document),
    ]
    bounds = replace(limits, memory_bytes=max(limits.memory_bytes, _MEMORY_BYTES), files=_FILES)
    try:
        for _ in range(_STARTS):
            if program.run(arguments, home, limits=bounds, libraries=found.parent, tick=tick) not in _ONCE_MORE:
                break
    except StoppedError as stopped:
        raise failures.refused(stopped.code) from stopped
    made = home / "document.pdf"
    if not made.is_file() or made.is_symlink():
        raise failures.refused(FailureCode.DAMAGED, "LibreOffice could not make anything of the document.")
    return made


def _program() -> Path | None:
    """The program itself rather than the script around it, which would leave it behind when killed."""
    found = shutil.which("soffice") or shutil.which("libreoffice")
    if found is None:
        return None
    resolved = Path(found).resolve()
    itself = resolved.with_name("soffice.bin")
    return itself if itself.is_file() else resolved


def _furnish(home: Path) -> None:
    items = "".join(
        f'<item oor:path="{path}"><prop oor:name="{name}" oor:op="fuse"><value>{value}</value></prop></item>'
        for path, name, value in _SETTINGS
    )
    user = home / "profile" / "user"
    user.mkdir(parents=True)
    (user / "registrymodifications.xcu").write_text(
        '<?xml version="1.0" encoding="UTF-8"?><oor:items xmlns:oor="http://openoffice.org/2001/registry">'
        f"{items}</oor:items>",
        encoding="utf-8",
    )
