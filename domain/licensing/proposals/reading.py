"""What a file's own metadata says of its licence, read into a proposal: XMP before IPTC before EXIF.

Nothing here decides anything, and nothing is taken over that cannot be read without guessing: it is named as unread.
How to reach a person is left out everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from domain.licensing.codes import Dimension, DutyKind, LicenseKind
from domain.licensing.proposals import places, plus, public
from domain.licensing.proposals.places import Entries, Found, Place
from domain.licensing.proposals.plus import Matrix, Summary
from domain.licensing.proposals.public import Public
from domain.licensing.proposals.told import (
    Constraint,
    Field,
    LicenseProposal,
    ProposedDuty,
    ProposedParty,
    Role,
    Source,
    Unread,
)
from domain.statements import DataMining


@dataclass(frozen=True)
class _Read:
    """How one field is read, and which of several values is proposed."""

    about: Field
    places: tuple[Place, ...]
    read: Callable[[str], Any]
    pick: Callable[[Sequence[Any]], Any] = lambda values: values[0]


_ADDRESSES: Final = (("cc", "license"), ("plus", "TermsAndConditionsURL"), ("xmpRights", "WebStatement"))
_FIELDS: Final = {
    "terms_url": _Read(Field.TERMS_URL, _ADDRESSES, places.address),
    "web_statement": _Read(Field.WEB_STATEMENT, (("xmpRights", "WebStatement"),), places.address),
    "terms": _Read(Field.CONSTRAINT, (("xmpRights", "UsageTerms"),), str),
    "credit": _Read(Field.CREDIT, (("photoshop", "Credit"), ("iptc", "Credit")), places.short),
    "notice": _Read(Field.NOTICE, (("dc", "rights"), ("iptc", "CopyrightNotice"), ("exif", "Copyright")), places.short),
    "license_id": _Read(Field.LICENSE_ID, (("plus", "LicenseID"),), places.short),
    "item_id": _Read(Field.ITEM_ID, (("plus", "ImageSupplierImageID"), ("plus", "LicensorImageID")), places.short),
    "order_ref": _Read(
        Field.ORDER_REF, (("plus", "LicensorTransactionID"), ("plus", "LicenseeTransactionID")), places.short
    ),
    "transacted_on": _Read(Field.TRANSACTED_ON, (("plus", "LicenseTransactionDate"),), places.day),
    "starts_on": _Read(Field.STARTS_ON, (("plus", "LicenseStartDate"), ("iptc", "ReleaseDate")), places.day, max),
    "ends_on": _Read(Field.ENDS_ON, (("plus", "LicenseEndDate"), ("iptc", "ExpirationDate")), places.day, min),
    "data_mining": _Read(Field.DATA_MINING, (("plus", "DataMining"),), places.coded(plus.DATA_MINING)),
    "model_release": _Read(Field.RELEASE, (("plus", "ModelReleaseStatus"),), places.coded(plus.MODELS)),
    "property_release": _Read(Field.RELEASE, (("plus", "PropertyReleaseStatus"),), places.coded(plus.PROPERTIES)),
    "minor_age": _Read(Field.RELEASE, (("plus", "MinorModelAgeDisclosure"),), places.coded(plus.AGES)),
    "alterations": _Read(
        Field.ALTERATION,
        (("plus", "ImageAlterationConstraints"),),
        places.coded(plus.FORBIDDEN),
        lambda values: tuple(dict.fromkeys(values)),
    ),
}
_NAMED: Final = {
    Role.LICENSOR: "Licensor",
    Role.LICENSEE: "Licensee",
    Role.END_USER: "EndUser",
    Role.COPYRIGHT_OWNER: "CopyrightOwner",
    Role.CREATOR: "ImageCreator",
    Role.SUPPLIER: "ImageSupplier",
}
_CREATORS: Final = (("dc", "creator"), ("iptc", "Byline"), ("exif", "Artist"))
_WORDS: Final = {
    ("plus", "MediaConstraints"): Dimension.CHANNEL,
    ("plus", "RegionConstraints"): Dimension.TERRITORY,
    ("plus", "ProductOrServiceConstraints"): Dimension.PRODUCT,
    ("plus", "OtherConstraints"): Dimension.CONSTRAINT,
    ("plus", "OtherLicenseRequirements"): Dimension.CONSTRAINT,
    ("plus", "OtherConditions"): Dimension.CONSTRAINT,
    ("plus", "TermsAndConditionsText"): Dimension.CONSTRAINT,
    ("plus", "OtherLicenseInfo"): Dimension.CONSTRAINT,
    ("plus", "LicensorNotes"): Dimension.CONSTRAINT,
    ("xmpRights", "UsageTerms"): Dimension.CONSTRAINT,
    ("photoshop", "Instructions"): Dimension.CONSTRAINT,
    ("iptc", "SpecialInstructions"): Dimension.CONSTRAINT,
}
#: Codes that hold without being a duty of ours.
_HOLDING: Final = (
    ("plus", "ImageFileConstraints"),
    ("plus", "ImageDuplicationConstraints"),
    ("plus", "AdultContentWarning"),
)
#: Rights in a language of their own, in the file or at an address that nobody follows.
_EXPRESSIONS: Final = (("Iptc4xmpExt", "EmbdEncRightsExpr"), ("Iptc4xmpExt", "LinkedEncRightsExpr"))
#: Every place that is looked at.
PLACES: Final = frozenset(
    {
        *(place for each in _FIELDS.values() for place in each.places),
        *(("plus", name) for name in _NAMED.values()),
        *_CREATORS,
        *_WORDS,
        *_HOLDING,
        *_EXPRESSIONS,
        ("plus", "CreditLineRequired"),
        ("plus", "CopyrightStatus"),
        ("plus", "MediaSummaryCode"),
    }
)
#: Texts that people write the address of a public licence into.
_MENTIONING: Final = (("xmpRights", "UsageTerms"), ("plus", "TermsAndConditionsText"), ("dc", "rights"))
_SUMMARY: Final = ("plus", "MediaSummaryCode")
_NOT_EXCLUSIVE: Final = frozenset({"9EXX", "9ENE"})


def proposal(entries: Entries) -> LicenseProposal | None:
    """None where the file says nothing of whose it is or on what terms."""
    found = Found(entries)
    plain: dict[str, Any] = {}
    for name, each in _FIELDS.items():
        if values := found.all(each.about, each.places, each.read):
            plain[name] = each.pick(values)
    named, usages = _public(found), _usages(found)
    kind, code = _kind(found, named, usages)
    if code:
        plain["terms_url"] = named[0].url
    constraints = _constraints(found, usages, named)
    if (starts := plain.get("starts_on")) and (ends := plain.get("ends_on")) and starts > ends:
        del plain["starts_on"], plain["ends_on"]
        constraints.append(Constraint(Dimension.WINDOW, f"The file says from {starts} to {ends}, which is no time."))
    proposed = LicenseProposal(
        kind=kind,
        code=code,
        parties=_parties(found),
        duties=_duties(found, plain.get("credit")),
        usages=usages,
        constraints=tuple(dict.fromkeys(constraints)),
        **plain,
    )
    sources, unread = tuple(dict.fromkeys(found.sources)), tuple(dict.fromkeys(found.unread))
    return replace(proposed, sources=sources, unread=unread) if sources or unread else None


def _public(found: Found) -> list[Public]:
    """What addresses say goes before what texts mention."""
    for where in (_ADDRESSES, _MENTIONING):
        named = found.all(Field.KIND, where, lambda text: public.licenses_in(text) or None)
        if named:
            return list(dict.fromkeys(each for licenses in named for each in licenses))
    return []


def _kind(found: Found, named: Sequence[Public], usages: Summary | None) -> tuple[LicenseKind, str]:
    """By a public licence's address, the code for the public domain, or a summary of usages; where two disagree, nobody
    knows.
    """
    said = list(dict.fromkeys((each.kind, each.code) for each in named))
    free = found.all(Field.KIND, (("plus", "CopyrightStatus"),), places.coded({plus.PUBLIC_DOMAIN: True}))
    if free and not any(kind is LicenseKind.PUBLIC_DOMAIN or code.startswith("CC0-") for kind, code in said):
        said.append((LicenseKind.PUBLIC_DOMAIN, ""))
    if usages is not None:
        said.append((LicenseKind.RIGHTS_MANAGED, ""))
    return said[0] if len(said) == 1 else (LicenseKind.UNKNOWN, "")


def _usages(found: Found) -> Summary | None:
    return next(iter(found.all(Field.USAGES, (_SUMMARY,), plus.summary)), None)


def _parties(found: Found) -> tuple[ProposedParty, ...]:
    parties = []
    for role, name in _NAMED.items():
        for said in found.structures(("plus", name)):
            party = ProposedParty(role, *(places.short(said.get(f"{name}{part}", "")) for part in ("Name", "ID")))
            if party.name or party.plus_id:
                told = ", ".join(each for each in (party.name, party.plus_id) if each)
                found.sources.append(Source(Field.PARTY, "plus", name, told))
                parties.append(replace(party, url=_url_of(found, name, said.get(f"{name}URL", ""))))
    if not any(party.role is Role.CREATOR for party in parties):
        parties += [ProposedParty(Role.CREATOR, name) for name in _creators(found)]
    return tuple(dict.fromkeys(parties))


def _url_of(found: Found, name: str, text: str) -> str:
    source = Source(Field.PARTY, "plus", f"{name}/{name}URL", text)
    try:
        said = places.address(text) if text else ""
    except ValueError as error:
        found.unread.append(Unread(source, str(error)))
        return ""
    if said:
        found.sources.append(source)
    return said


def _creators(found: Found) -> list[str]:
    """Of the first place that names any."""
    for place in _CREATORS:
        if names := found.all(Field.PARTY, (place,), places.short):
            return names
    return []


def _duties(found: Found, credit: str | None) -> tuple[ProposedDuty, ...]:
    credits_ = found.all(Field.DUTY, (("plus", "CreditLineRequired"),), places.coded(plus.CREDITS))
    owed = [ProposedDuty(kind, credit) for kind in credits_]
    kept = found.all(Field.DUTY, (("plus", "ImageFileConstraints"),), _if_a_duty)
    owed += [ProposedDuty(kind) for kind in kept]
    return tuple(dict.fromkeys(owed))


def _if_a_duty(text: str) -> DutyKind | None:
    """Of the constraints on files those that are no duties are read elsewhere."""
    return plus.meant(text, plus.FILES)


def _constraints(found: Found, usages: Summary | None, named: Sequence[Public]) -> list[Constraint]:
    said = []
    for place, dimension in _WORDS.items():
        words = found.all(Field.CONSTRAINT, (place,), lambda text: None if _is_only(text, named) else text)
        said += [Constraint(dimension, text) for text in words]
    said += [Constraint(Dimension.CONSTRAINT, text) for text in found.all(Field.CONSTRAINT, _HOLDING, _if_holding)]
    for space, name in _EXPRESSIONS:
        if found.entries.get((space, name)):
            sentence = f"The file holds or names rights in a language of their own ({space}:{name})."
            found.sources.append(Source(Field.CONSTRAINT, space, name, sentence))
            said.append(Constraint(Dimension.CONSTRAINT, sentence))
    if found.entries.get(("plus", "DataMining")) and _refers(found):
        said.append(
            Constraint(Dimension.CONSTRAINT, "What machines may learn from it stands in the other constraints.")
        )
    if usages is not None and _is_exclusive(usages):
        said.append(Constraint(Dimension.EXCLUSIVITY, "The media summary code speaks of exclusivity."))
    return said


def _is_only(text: str, named: Sequence[Public]) -> bool:
    """Whether it says nothing but the address of the public licence that is proposed."""
    return (
        bool(named)
        and " " not in text
        and [each.code for each in public.licenses_in(text)] == [each.code for each in named]
    )


def _if_holding(text: str) -> str | None:
    code = plus.code_of(text)
    if code in plus.SILENT or code in plus.FILES:
        return None
    if code is None or code not in plus.SENTENCES:
        raise ValueError("PLUS knows no such code here.")
    return plus.SENTENCES[code]


def _refers(found: Found) -> bool:
    said = places.texts(found.entries.get(("plus", "DataMining")))
    return any(plus.meant(text, plus.DATA_MINING) is DataMining.PROHIBITED_SEE_TERMS for text in said)


def _is_exclusive(usages: Summary) -> bool:
    items = (item for usage in usages.usages for item in usage)
    return any(item.dimension is Matrix.EXCLUSIVITY and item.code not in _NOT_EXCLUSIVE for item in items)
