"""E-mail addresses: what counts as one, and when two are the same."""

from __future__ import annotations

import re
import unicodedata

from domain.refusals import Invalid
from domain.texts import fold, tidy_line

MAX_LENGTH = 254
MAX_LOCAL = 64

_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\\\"]+@[\w-]+(\.[\w-]+)+")


def folded(text: str, path: tuple[str, ...] = ("email",)) -> str:
    """The form in which an address is kept and compared: however it is capitalised, one address is one person.

    What no mail program would deliver to is refused; whether somebody reads there, only the invitation tells.
    """
    address = fold(tidy_line(text))
    local, _, domain = address.partition("@")
    fits = len(address) <= MAX_LENGTH and len(local) <= MAX_LOCAL and ".." not in address
    as_written = unicodedata.normalize("NFC", text.strip())
    if tidy_line(text) != as_written or not fits or not _ADDRESS.fullmatch(address):
        raise Invalid("This is not an e-mail address.", path, "format")
    if local.startswith(".") or local.endswith(".") or any(part.startswith("-") for part in domain.split(".")):
        raise Invalid("This is not an e-mail address.", path, "format")
    return address
