"""Public licences by their addresses: the six of Creative Commons in every version, CC0, and the public domain mark.

Only addresses of creativecommons.org count, never names in a text: whoever writes "CC" may mean anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from domain.licensing.codes import LicenseKind

_SIX: Final = r"by|by-sa|by-nd|by-nc|by-nc-sa|by-nc-nd"
_VERSIONS: Final = r"1\.0|2\.0|2\.1|2\.5|3\.0|4\.0"
#: Where an address of a licence ends, whatever stands behind it.
_BORDER: Final = r"(?![\w-]|\.\d)"
_ADDRESS: Final = re.compile(
    rf"https?://(?:www\.)?creativecommons\.org/(?:licenses/(?P<six>{_SIX})/(?P<version>{_VERSIONS}){_BORDER}"
    # A port to the law of a country; `deed` and `legalcode` are none.
    rf"(?:/(?P<land>[a-z]{{2}}|igo|scotland){_BORDER})?|publicdomain/(?P<free>zero|mark)/1\.0{_BORDER})",
    re.IGNORECASE,
)
_FREE: Final = {
    "zero": (LicenseKind.CREATIVE_COMMONS, "CC0-1.0"),
    "mark": (LicenseKind.PUBLIC_DOMAIN, "PDM-1.0"),
}


@dataclass(frozen=True, slots=True)
class Public:
    """`url` is where its text stands, spelt the one way in which Creative Commons spells it."""

    kind: LicenseKind
    code: str
    url: str


def licenses_in(text: str) -> tuple[Public, ...]:
    """Every public licence whose address stands in the text, each once, in their order."""
    return tuple(dict.fromkeys(_public(found) for found in _ADDRESS.finditer(text)))


def _public(found: re.Match[str]) -> Public:
    if found["free"]:
        word = found["free"].lower()
        return Public(*_FREE[word], f"https://creativecommons.org/publicdomain/{word}/1.0/")
    six, version = found["six"].lower(), found["version"]
    land = f"{found['land'].lower()}/" if found["land"] else ""
    code = f"CC-{six.upper()}-{version}"
    return Public(LicenseKind.CREATIVE_COMMONS, code, f"https://creativecommons.org/licenses/{six}/{version}/{land}")
