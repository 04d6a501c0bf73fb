"""Languages as people ask for them and texts are kept in: BCP 47 tags of language, script and region.

A text of the language `und` is for whoever reads no other. What somebody gets of a text is found as RFC 4647 (3.4,
lookup) says, and where that finds nothing, in whatever language there is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

from domain.refusals import Invalid

Text = TypeVar("Text")

UNDETERMINED: Final = "und"
#: Where none of the wanted languages is there, the first of these that is.
LAST_RESORTS: Final = (UNDETERMINED, "en")
#: Languages of one text, and of one wish.
MAX_LOCALES: Final = 50
MAX_WANTED: Final = 20

_TAG: Final = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|\d{3}))?")


def tag(text: str, path: tuple[str, ...] = ("locale",)) -> str:
    """The tag in its usual spelling, such as `zh-Hant-TW`."""
    found = _TAG.fullmatch(text)
    if found is None:
        raise Invalid("A language is a tag such as de, de-CH or zh-Hant-TW.", path, "locale")
    return _spelt(found)


def accepted(header: str) -> tuple[str, ...]:
    """The languages of an `Accept-Language`, the most wanted first; what cannot be read of it is passed over."""
    wishes: list[tuple[float, int, str]] = []
    for at, part in enumerate(header.split(",")[:MAX_WANTED]):
        name, _, parameter = part.strip().partition(";")
        found = _TAG.fullmatch(name.strip())
        weight = _weight(parameter)
        if found is not None and weight > 0:
            wishes.append((-weight, at, _spelt(found)))
    return tuple(dict.fromkeys(name for _, _, name in sorted(wishes)))


def chosen(texts: Mapping[str, Text], wanted: Sequence[str]) -> tuple[str, Text] | None:
    """The text that fits best and its language; None where there is no text at all."""
    for wish in (*wanted, *LAST_RESORTS):
        for name in _wider(wish):
            if name in texts:
                return name, texts[name]
        near = sorted(name for name in texts if name.partition("-")[0] == wish.partition("-")[0])
        if near:
            return near[0], texts[near[0]]
    return min(texts.items(), default=None, key=lambda item: item[0])


def _wider(name: str) -> list[str]:
    parts = name.split("-")
    return ["-".join(parts[:length]) for length in range(len(parts), 0, -1)]


def _spelt(found: re.Match[str]) -> str:
    language, script, region = found.groups()
    parts = (language.lower(), script and script.title(), region and region.upper())
    return "-".join(part for part in parts if part)


def _weight(parameter: str) -> float:
    name, _, value = parameter.partition("=")
    if name.strip() != "q":
        return 1.0
    return float(value) if re.fullmatch(r"\s*[01](\.\d{0,3})?\s*", value) else 0.0
