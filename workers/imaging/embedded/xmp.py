"""XMP: what editors and libraries write (ISO 16684-1), read as far as simple values, lists and languages go.

The packet is XML from a stranger: a document type, and with it every entity but XML's own five, is refused; nothing
outside the packet is ever fetched; size, depth and the number of elements are bounded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from workers.imaging.embedded import letters
from workers.imaging.limits import Limits

#: Longer names of properties are nonsense, and would not fit into a database's index.
LONGEST_NAME = 80

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_XML_LANG = "http://www.w3.org/XML/1998/namespace lang"
_PREFIXES = {
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/xap/1.0/rights/": "xmpRights",
    "http://ns.adobe.com/xap/1.0/mm/": "xmpMM",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://ns.adobe.com/tiff/1.0/": "tiff",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://ns.adobe.com/pdf/1.3/": "pdf",
    "http://ns.adobe.com/lightroom/1.0/": "lr",
    "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/": "Iptc4xmpCore",
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/": "Iptc4xmpExt",
    "http://ns.useplus.org/ldf/xmp/1.0/": "plus",
    "http://creativecommons.org/ns#": "cc",
    "http://web.resource.org/cc/": "cc",
}
#: Whose it is and on what terms: kept before all else where a packet says more than is kept of it.
RIGHTS = frozenset({"plus", "xmpRights", "cc"})
#: Develop settings, edit histories and thumbnails: bulk that says nothing about the picture.
_SKIPPED_SPACES = frozenset({"http://ns.adobe.com/camera-raw-settings/1.0/", "http://ns.adobe.com/xmp/note/"})
_SKIPPED_NAMES = frozenset({"History", "Thumbnails", "DocumentAncestors", "Pantry", "Ingredients"})
_CONTAINERS = frozenset({f"{_RDF} Bag", f"{_RDF} Seq", f"{_RDF} Alt"})
_UTF16_MARKS = frozenset({b"\xff\xfe", b"\xfe\xff"})
_DEEPEST = 24
_MOST_ELEMENTS = 20_000
_SAFE_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9]{0,30}")


@dataclass
class _Element:
    """Names are `namespace local`, as expat gives them."""

    name: str
    attributes: dict[str, str]
    children: list[_Element] = field(default_factory=list)
    text: list[str] = field(default_factory=list)


class _RefusedError(Exception):
    """The packet holds what no packet needs."""


def parse(packet: bytes | str, limits: Limits) -> dict[tuple[str, str], letters.Value]:
    """(prefix, property) → text, list of texts, or texts by language. Nothing when the packet is refused or broken."""
    raw = packet.encode("utf-8", "replace") if isinstance(packet, str) else packet
    # The zeros of UTF-16 belong to its letters.
    raw = raw if raw[:2] in _UTF16_MARKS else raw.strip(b"\x00 \r\n\t")
    if not raw or len(raw) > limits.xmp_bytes:
        return {}
    reader = _Reader()
    try:
        root = reader.read(raw)
    except (_RefusedError, expat.ExpatError, ValueError):
        return {}
    return _properties(root, reader.prefixes, limits)


def preferred(value: letters.Value | None) -> str:
    """One text of a property: the default language, else the first; lists are joined."""
    if isinstance(value, dict):
        said = value.get("x-default") or next(iter(value.values()), "")
        return said if isinstance(said, str) else ""
    if isinstance(value, list):
        return ", ".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""


class _Reader:
    """Builds the tree of one packet."""

    def __init__(self) -> None:
        self.prefixes = dict(_PREFIXES)
        self.root = _Element("", {})
        self.stack = [self.root]
        self.count = 0

    def read(self, raw: bytes) -> _Element:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartDoctypeDeclHandler = _refuse
        parser.EntityDeclHandler = _refuse
        parser.StartNamespaceDeclHandler = self._learn
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._say
        parser.Parse(raw, True)
        return self.root

    def _learn(self, prefix: str | None, uri: str) -> None:
        # A schema of somebody's own does not pass for one that we know.
        if prefix and _SAFE_PREFIX.fullmatch(prefix) and prefix not in _PREFIXES.values():
            self.prefixes.setdefault(uri, prefix)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.count += 1
        if len(self.stack) > _DEEPEST or self.count > _MOST_ELEMENTS:
            raise _RefusedError
        element = _Element(name, attributes)
        self.stack[-1].children.append(element)
        self.stack.append(element)

    def _end(self, _name: str) -> None:
        self.stack.pop()

    def _say(self, text: str) -> None:
        self.stack[-1].text.append(text)


def _refuse(*_: Any) -> None:
    raise _RefusedError


def _properties(root: _Element, prefixes: dict[str, str], limits: Limits) -> dict[tuple[str, str], letters.Value]:
    found: dict[tuple[str, str], letters.Value] = {}
    said: list[tuple[str, Any]] = []
    for description in _descriptions(root):
        said += [(n, v) for n, v in description.attributes.items() if _is_property(n)]
        said += [(c.name, _value(c, prefixes)) for c in description.children if _is_property(c.name)]
    for name, value in sorted(said, key=lambda pair: _prefix(pair[0], prefixes) not in RIGHTS):
        local = name.rpartition(" ")[2]
        cleaned = letters.clean_value(value, limits)
        if cleaned is not None and len(local) <= LONGEST_NAME and len(found) < limits.entries:
            found.setdefault((_prefix(name, prefixes), local), cleaned)
    return found


def _prefix(name: str, prefixes: dict[str, str]) -> str:
    return prefixes.get(name.rpartition(" ")[0], "other")


def _descriptions(element: _Element) -> list[_Element]:
    """The descriptions of every RDF block, wherever it stands."""
    if element.name == f"{_RDF} RDF":
        return [child for child in element.children if child.name == f"{_RDF} Description"]
    return [found for child in element.children for found in _descriptions(child)]


def _is_property(name: str) -> bool:
    uri, _, local = name.rpartition(" ")
    return (
        bool(uri)
        and not name.startswith((_RDF, "http://www.w3.org/XML/"))
        and (uri not in _SKIPPED_SPACES and local not in _SKIPPED_NAMES)
    )


def _value(element: _Element, prefixes: dict[str, str]) -> Any:
    for child in element.children:
        if child.name in _CONTAINERS:
            return _items(child, prefixes)
    if element.children:
        described = [c for c in element.children if c.name == f"{_RDF} Description"]
        return _structure(described[0] if described else element, prefixes)
    fields = {n: v for n, v in element.attributes.items() if _is_property(n)}
    resource = element.attributes.get(f"{_RDF} resource")
    return resource or ({_short(n, prefixes): v for n, v in fields.items()} or "".join(element.text))


def _items(container: _Element, prefixes: dict[str, str]) -> Any:
    items = [child for child in container.children if child.name == f"{_RDF} li"]
    if items and container.name == f"{_RDF} Alt" and all(_XML_LANG in item.attributes for item in items):
        return {item.attributes[_XML_LANG]: _value(item, prefixes) for item in items}
    return [_value(item, prefixes) for item in items]


def _structure(element: _Element, prefixes: dict[str, str]) -> dict[str, Any]:
    fields: dict[str, Any] = {_short(n, prefixes): v for n, v in element.attributes.items() if _is_property(n)}
    return fields | {_short(c.name, prefixes): _value(c, prefixes) for c in element.children}


def _short(name: str, prefixes: dict[str, str]) -> str:
    return f"{_prefix(name, prefixes)}:{name.rpartition(' ')[2]}"
