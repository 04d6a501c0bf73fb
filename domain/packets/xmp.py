"""A statement as an XMP packet: Dublin Core, Photoshop, XMP Rights, IPTC's own schemas and PLUS.

The same statement gives the same bytes: nothing of the hour or of the machine is in them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from domain.statements import MetadataPolicy, Statement

#: The vocabulary that values of PLUS are addresses in.
PLUS_VOCABULARY = "http://ns.useplus.org/ldf/vocab/"

_NAMESPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    "plus": "http://ns.useplus.org/ldf/xmp/1.0/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
}
_BEGIN = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
_END = '<?xpacket end="w"?>'


def packet(statement: Statement | None, policy: MetadataPolicy) -> bytes:
    """UTF-8; empty where the policy writes nothing or there is nothing to say."""
    said = statement.written(policy) if statement else {}
    if not said:
        return b""
    spaces = "".join(f"\n    xmlns:{prefix}={quoteattr(address)}" for prefix, address in _NAMESPACES.items())
    body = "".join(f"\n   {line}" for line in _properties(said))
    return (
        f'{_BEGIN}\n<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
        ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
        f'  <rdf:Description rdf:about=""{spaces}>{body}\n  </rdf:Description>\n </rdf:RDF>\n</x:xmpmeta>\n{_END}'
    ).encode()


def _properties(said: dict[str, Any]) -> list[str]:
    """In a fixed order, whatever the order of what is said."""
    lines = [write(said[name]) for name, write in _WRITERS.items() if name in said]
    lines += _licensor(said)
    if "notice" in said or "terms" in said or "web_statement" in said:
        lines.append(_text("xmpRights:Marked", "True"))
    return lines


def _licensor(said: dict[str, Any]) -> list[str]:
    """One structure in a sequence, as PLUS wants it: there may be several licensors, and we name one."""
    fields = {"licensor": "plus:LicensorName", "licensor_url": "plus:LicensorURL"}
    parts = "".join(_text(name, said[ours]) for ours, name in fields.items() if ours in said)
    if not parts:
        return []
    return [f'<plus:Licensor><rdf:Seq><rdf:li rdf:parseType="Resource">{parts}</rdf:li></rdf:Seq></plus:Licensor>']


def _text(name: str, value: str) -> str:
    return f"<{name}>{_plain(value)}</{name}>"


def _in_default_language(name: str, value: str) -> str:
    return f'<{name}><rdf:Alt><rdf:li xml:lang="x-default">{_plain(value)}</rdf:li></rdf:Alt></{name}>'


def _listed(name: str, container: str, values: list[str]) -> str:
    items = "".join(f"<rdf:li>{_plain(value)}</rdf:li>" for value in values)
    return f"<{name}><rdf:{container}>{items}</rdf:{container}></{name}>"


def _plain(value: str) -> str:
    """Characters that XML cannot hold are left out."""
    return escape("".join(letter for letter in value if letter >= " " or letter in "\t\n\r"))


_WRITERS: dict[str, Callable[[Any], str]] = {
    "title": lambda value: _in_default_language("dc:title", value),
    "description": lambda value: _in_default_language("dc:description", value),
    "keywords": lambda value: _listed("dc:subject", "Bag", value),
    "creator": lambda value: _listed("dc:creator", "Seq", [value]),
    "credit": lambda value: _text("photoshop:Credit", value),
    "notice": lambda value: _in_default_language("dc:rights", value),
    "terms": lambda value: _in_default_language("xmpRights:UsageTerms", value),
    "web_statement": lambda value: _text("xmpRights:WebStatement", value),
    "starts": lambda value: _text("plus:LicenseStartDate", value),
    "expires": lambda value: _text("plus:LicenseEndDate", value),
    "license_id": lambda value: _text("plus:LicenseID", value),
    "data_mining": lambda value: _text("plus:DataMining", PLUS_VOCABULARY + value),
}
