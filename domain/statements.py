"""What a rendition says of itself when it has left: whose it is, on what terms, and until when.

A statement is plain data in the words of IPTC, XMP and PLUS. Where the picture was taken and by which device is no
part of it, whatever the policy: that stays with the original.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final


class MetadataPolicy(StrEnum):
    #: Nothing is written.
    STRIP = "strip"
    #: Who made it, whose it is, on what terms.
    RIGHTS = "rights"
    #: Title, description and keywords as well.
    ALL = "all"


class DataMining(StrEnum):
    """May machines learn from it? The values of PLUS, by the last part of their address."""

    UNSPECIFIED = "DMI-UNSPECIFIED"
    ALLOWED = "DMI-ALLOWED"
    PROHIBITED = "DMI-PROHIBITED"
    PROHIBITED_TRAINING = "DMI-PROHIBITED-AIMLTRAINING"
    PROHIBITED_GENERATIVE = "DMI-PROHIBITED-GENAIMLTRAINING"
    PROHIBITED_EXCEPT_SEARCH = "DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING"
    PROHIBITED_SEE_TERMS = "DMI-PROHIBITED-SEECONSTRAINT"


_RIGHTS: Final = (
    "creator",
    "credit",
    "notice",
    "terms",
    "web_statement",
    "expires",
    "data_mining",
    "licensor",
    "licensor_url",
    "license_id",
    "starts",
)
_CONTENT: Final = ("title", "description", "keywords")


@dataclass(frozen=True)
class Statement:
    """Empty texts, None and () say nothing. `starts` and `expires` are the first and the last day of use; the licensor
    is whoever may be asked for more, at an address of the web.
    """

    creator: str = ""
    credit: str = ""
    notice: str = ""
    terms: str = ""
    web_statement: str = ""
    expires: date | None = None
    data_mining: DataMining | None = None
    licensor: str = ""
    licensor_url: str = ""
    license_id: str = ""
    starts: date | None = None
    title: str = ""
    description: str = ""
    keywords: tuple[str, ...] = ()

    def written(self, policy: MetadataPolicy) -> dict[str, Any]:
        """What this policy writes of it, as JSON values by name; nothing that says nothing."""
        names = {
            MetadataPolicy.STRIP: (),
            MetadataPolicy.RIGHTS: _RIGHTS,
            MetadataPolicy.ALL: (*_RIGHTS, *_CONTENT),
        }[policy]
        return {name: _plain(value) for name in names if (value := getattr(self, name))}


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value
