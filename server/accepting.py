"""Media types as HTTP writes them: what a body is, and what a client would rather have (RFC 9110, 8.3.1 and 12.5.1).

Names are compared without regard to case and parameters may be quoted. Text in another encoding than UTF-8 is never
what is spoken here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import Request

#: Entries of `Accept`, and characters of a header, that are looked at; no honest client sends more.
MOST_ENTRIES = 50
LONGEST = 8192
#: Headers whose meaning is remembered: each program sends the same ones with every request.
REMEMBERED: Final = 128

_TOKEN: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105  # HTTP's word for a word
_QUOTED: Final = r'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*"'
_PARAMETER: Final = re.compile(rf"[ \t]*;[ \t]*(?:({_TOKEN})=({_TOKEN}|{_QUOTED}))?")
_MEDIA_TYPE: Final = re.compile(rf"({_TOKEN}/{_TOKEN})((?:[ \t]*;[ \t]*(?:{_TOKEN}=(?:{_TOKEN}|{_QUOTED}))?)*)")
_QUALITY: Final = re.compile(r"0(?:\.\d{0,3})?|1(?:\.0{0,3})?")


@dataclass(frozen=True)
class MediaType:
    #: In lower case, such as `application/json`; a range has `*` for one part or both.
    name: str
    #: Names in lower case, values as they mean.
    parameters: Mapping[str, str]

    @property
    def is_utf8(self) -> bool:
        """Whether nothing is said of the encoding, or this."""
        return self.parameters.get("charset", "utf-8").lower() in {"utf-8", "utf8"}


def sent(headers: Headers) -> MediaType | None:
    """What the body is; None where the request does not say so, says several things, or nonsense."""
    told = headers.getlist("content-type")
    return _body_type(told[0]) if len(told) == 1 else None


def best(request: Request, offered: Sequence[str]) -> str | None:
    """The offer that the client would rather have, all of them being UTF-8; None when none is acceptable.

    The greatest weight decides. Of equals one that was named comes before one that a wildcard let in, then the one
    that was named first, then our own order.
    """
    return _best(",".join(request.headers.getlist("accept"))[:LONGEST], tuple(offered))


@lru_cache(REMEMBERED)
def _best(header: str, offered: tuple[str, ...]) -> str | None:
    ranges = list(_ranges(header))
    if not ranges:
        return offered[0]
    ranked = [(*_rank(offer, ranges), -place) for place, offer in enumerate(offered)]
    weight, _, place = max(ranked)
    return offered[-place] if weight > 0 else None


@dataclass(frozen=True)
class _Range:
    media_type: MediaType
    weight: float
    place: int


def _ranges(header: str) -> Iterator[_Range]:
    """What stands in `Accept`; an entry that is malformed counts as absent."""
    for place, entry in enumerate(_entries(header)[:MOST_ENTRIES]):
        told = _media_type(entry)
        quality = "1" if told is None else told.parameters.get("q", "1")
        if told is not None and _QUALITY.fullmatch(quality):
            yield _Range(told, float(quality), place)


def _rank(offer: str, ranges: Sequence[_Range]) -> tuple[float, int]:
    """The weight that the most specific of the fitting ranges gives, and the sooner it was named the more."""
    fitting = [each for each in ranges if each.media_type.is_utf8 and _fits(each.media_type.name, offer)]
    if not fitting:
        return 0.0, 0
    decisive = max(fitting, key=lambda each: (_specificity(each.media_type, offer), each.weight))
    return decisive.weight, MOST_ENTRIES - decisive.place if decisive.media_type.name == offer else 0


def _fits(name: str, offer: str) -> bool:
    return name in {offer, offer.partition("/")[0] + "/*", "*/*"}


def _specificity(media_type: MediaType, offer: str) -> int:
    """A range whose parameters say nothing to us counts only where no other fits."""
    if media_type.parameters.keys() - {"charset", "q"}:
        return 0
    if media_type.name == offer:
        return 3 + len(media_type.parameters.keys() & {"charset"})
    return 1 if media_type.name == "*/*" else 2


def _entries(header: str) -> list[str]:
    """Parts between commas that stand in no quotes."""
    if '"' not in header:
        return header.split(",")
    parts, begun, quoted, escaped = [], 0, False, False
    for place, character in enumerate(header):
        if escaped:
            escaped = False
        elif quoted and character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
        elif character == "," and not quoted:
            parts.append(header[begun:place])
            begun = place + 1
    return [*parts, header[begun:]]


@lru_cache(REMEMBERED)
def _body_type(text: str) -> MediaType | None:
    return _media_type(text)


def _media_type(text: str) -> MediaType | None:
    found = _MEDIA_TYPE.fullmatch(text.strip(" \t")[:LONGEST])
    if found is None:
        return None
    parameters: dict[str, str] = {}
    for name, value in _PARAMETER.findall(found[2]):
        if name and parameters.setdefault(name.lower(), _meant(value)) != _meant(value):
            return None
    return MediaType(found[1].lower(), parameters)


def _meant(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
