"""What PLUS lets a file say of its licence: codes of its vocabulary, and the media summary code.

Codes may be written whole, as addresses, or by their last part alone, in any case. Unknown ones are unknown: nothing is
guessed. Sources: PLUS License Data Format 1.2.1 and 2.0.1 (names and codes), Media Matrix 1.1.1 (dimensions).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from domain.licensing.codes import Alteration, DutyKind, MinorAge, ReleaseStatus
from domain.statements import DataMining

T = TypeVar("T")

#: Usages in one summary, and items in one usage: two letters count the items, and nobody buys hundreds of usages.
MOST_USAGES: Final = 100
MOST_ITEMS: Final = 676

CREDITS: Final = {
    "CR-COI": DutyKind.CREDIT_ON_IMAGE,
    "CR-CAI": DutyKind.CREDIT_ADJACENT,
    "CR-CCA": DutyKind.CREDIT_AREA,
}
#: That a file keeps its name, or the part of it that identifies the picture, is one duty here.
FILES: Final = {
    "IF-MFN": DutyKind.KEEP_FILENAME,
    "IF-MID": DutyKind.KEEP_FILENAME,
    "IF-MMD": DutyKind.KEEP_METADATA,
}
FORBIDDEN: Final = {
    "AL-CRP": Alteration.CROP,
    "AL-FLP": Alteration.FLIP,
    "AL-RET": Alteration.RETOUCH,
    "AL-CLR": Alteration.COLORIZE,
    "AL-DCL": Alteration.DECOLORIZE,
    "AL-MRG": Alteration.MERGE,
}
MODELS: Final = {
    "MR-NON": ReleaseStatus.NON,
    "MR-NAP": ReleaseStatus.NAP,
    "MR-UMR": ReleaseStatus.UNLIMITED,
    "MR-LMR": ReleaseStatus.LIMITED,
}
PROPERTIES: Final = {
    "PR-NON": ReleaseStatus.NON,
    "PR-NAP": ReleaseStatus.NAP,
    "PR-UPR": ReleaseStatus.UNLIMITED,
    "PR-LPR": ReleaseStatus.LIMITED,
}
AGES: Final = {each.value: each for each in MinorAge}
DATA_MINING: Final = {each.value: each for each in DataMining}
#: Codes that say nothing is asked for.
SILENT: Final = frozenset({"CR-NRQ", "CW-NRQ", "CW-UNK", "DP-NDC", "CS-UNK", "CS-PRO"})
#: What holds without being a duty of ours: a person has to see to it.
SENTENCES: Final = {
    "IF-MFT": "The file keeps its type.",
    "DP-LIC": "It is copied only as far as the licence needs it.",
    "DP-NOD": "It is not copied.",
    "CW-AWR": "A warning of adult content is shown with it.",
}
PUBLIC_DOMAIN: Final = "CS-PUB"

_CODE: Final = re.compile(r"(?:https?://ns\.useplus\.org/ldf/vocab/)?([A-Z]{2,3}-[A-Z0-9-]{1,60})", re.IGNORECASE)
_VERSION: Final = re.compile(r"V0*(\d{1,6})")
_COUNT: Final = re.compile(r"U0*(\d{1,6})")
_ITEMS: Final = re.compile(r"1I([A-Z])([A-Z])((?:\d[A-Z]{3})*)")
_LETTERS: Final = 26
_ITEM: Final = 4


class Matrix(StrEnum):
    """The dimensions of the media matrix, by what their codes begin with."""

    MEDIA = "2"
    PLACEMENT = "3P"
    SIZE = "4S"
    VERSION = "5V"
    QUANTITY = "6Q"
    DURATION = "7D"
    REGION = "8R"
    LANGUAGE = "8L"
    INDUSTRY = "8I"
    EXCLUSIVITY = "9E"


@dataclass(frozen=True, slots=True)
class Item:
    """One code of the media matrix; of a dimension that we do not know, None."""

    code: str
    dimension: Matrix | None


@dataclass(frozen=True, slots=True)
class Summary:
    """What may be done, by the media matrix: each usage is one conjunction of items."""

    version: str
    usages: tuple[tuple[Item, ...], ...]


def code_of(text: str) -> str | None:
    """The code that a text names; None for a text that names none."""
    found = _CODE.fullmatch(text.strip())
    return found[1].upper() if found else None


def meant(text: str, known: Mapping[str, T]) -> T | None:
    code = code_of(text)
    return None if code is None else known.get(code)


def summary(text: str) -> Summary:
    """Reads `|PLUS|V<version>|U<number of usages>|1I<AA: 1, AB: 2, …><items of four characters>|…|`; a `ValueError`
    says what is wrong with it. What does not agree with its own counts was cut or changed, and is not read at all.
    """
    parts = text.strip().upper().split("|")
    if len(parts) < _ITEM or parts[:2] != ["", "PLUS"] or parts[-1]:
        raise ValueError("A media summary code begins with |PLUS| and ends with |.")
    version, count, usages = _VERSION.fullmatch(parts[2]), _COUNT.fullmatch(parts[3]), parts[4:-1]
    if version is None or count is None:
        raise ValueError("A media summary code names its version and the number of its usages.")
    if int(count[1]) != len(usages) or len(usages) > MOST_USAGES:
        raise ValueError(f"The media summary code announces {count[1]} usages and has {len(usages)}.")
    return Summary(parts[2], tuple(_usage(usage) for usage in usages))


def _usage(text: str) -> tuple[Item, ...]:
    found = _ITEMS.fullmatch(text)
    if found is None:
        raise ValueError("A usage of a media summary code has items of a digit and three letters.")
    announced = _number(found[1]) * _LETTERS + _number(found[2]) + 1
    items = [found[3][at : at + _ITEM] for at in range(0, len(found[3]), _ITEM)]
    if announced != len(items):
        raise ValueError(f"A usage of the media summary code announces {announced} items and has {len(items)}.")
    return tuple(Item(code, _dimension(code)) for code in items)


def _number(letter: str) -> int:
    return ord(letter) - ord("A")


def _dimension(code: str) -> Matrix | None:
    return next((each for each in Matrix if code.startswith(each.value)), None)
