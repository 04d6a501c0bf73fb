"""A reason as a whole sentence for people, in English or German; whoever asks for another language reads English."""

from __future__ import annotations

from typing import Final

from domain.licensing.codes import AlternativeKind, Dimension, ReasonCode, Severity
from domain.licensing.terms import Alternative, Reason

LOCALES: Final = ("en", "de")

_CODE = ReasonCode
_TEXTS: Final = {
    "en": {
        _CODE.NO_LICENSE: "No licence covers this picture.",
        _CODE.LICENSE_NOT_ACTIVE: "The licence is {actual}, not {expected}.",
        _CODE.NOT_STARTED: "The use ends before the licence begins: it runs {expected}.",
        _CODE.EXPIRED: "The licence is over by then: it ran {expected}.",
        _CODE.WINDOW_EXCEEDS_GRANT: "The use ({actual}) is not wholly within the licence ({expected}).",
        _CODE.TERRITORY_NOT_GRANTED: "The licence does not reach there.",
        _CODE.TERRITORY_EXCLUDED: "The licence excepts this territory, or a part of it.",
        _CODE.CHANNEL_NOT_GRANTED: "The licence is for {expected}, not for {actual}.",
        _CODE.ACTION_NOT_GRANTED: "The licence does not allow this action ({actual}).",
        _CODE.PROHIBITED: "The licence forbids this use.",
        _CODE.CAP_EXCEEDED: "It would be too many: {actual}, where {expected} are left.",
        _CODE.SEATS_EXHAUSTED: "All seats are taken: {actual} of {expected}.",
        _CODE.RELEASE_MISSING: "There is no release for what is to be seen ({expected}).",
        _CODE.RELEASE_LIMITED: "The release does not go so far.",
        _CODE.RELEASE_REVOKED: "The release was revoked on {actual}.",
        _CODE.MINOR_RESTRICTED: "Somebody under age is to be seen: not for everything, and with a guardian's word.",
        _CODE.EXCLUSIVITY_CONFLICT: "Somebody else has it exclusively.",
        _CODE.ALTERATION_FORBIDDEN: "The licence does not allow it to be altered so ({actual}).",
        _CODE.SIZE_EXCEEDED: "It would be too large: at most {expected}.",
        _CODE.PURPOSE_FORBIDDEN: "The licence does not allow this purpose.",
        _CODE.PARTY_NOT_LICENSED: "The licence is not for this organisation.",
        _CODE.EMBARGO: "It is under embargo.",
        _CODE.TAKEDOWN: "It was taken down.",
        _CODE.LEGAL_HOLD: "It is held for a legal matter: somebody has to approve its use.",
        _CODE.COMPONENT_DENIED: "A part of the picture may not be used so.",
        _CODE.FREE_TEXT_CONSTRAINT: "The licence says in words what somebody has to read: {expected}",
        _CODE.APPROVAL_REQUIRED: "Somebody has to approve this use: {expected}.",
        _CODE.AI_USE_FORBIDDEN: "The licence does not allow use by machines that learn.",
        _CODE.CONTEXT_NOT_GRANTED: "The licence is for {expected} only.",
    },
    "de": {
        _CODE.NO_LICENSE: "Für dieses Bild gibt es keine Lizenz.",
        _CODE.LICENSE_NOT_ACTIVE: "Die Lizenz ist {actual}, nicht {expected}.",
        _CODE.NOT_STARTED: "Die Nutzung endet, bevor die Lizenz beginnt: sie läuft {expected}.",
        _CODE.EXPIRED: "Die Lizenz ist dann abgelaufen: sie lief {expected}.",
        _CODE.WINDOW_EXCEEDS_GRANT: "Die Nutzung ({actual}) liegt nicht ganz in der Laufzeit der Lizenz ({expected}).",
        _CODE.TERRITORY_NOT_GRANTED: "Die Lizenz gilt dort nicht.",
        _CODE.TERRITORY_EXCLUDED: "Die Lizenz nimmt dieses Gebiet oder einen Teil davon aus.",
        _CODE.CHANNEL_NOT_GRANTED: "Die Lizenz gilt für {expected}, nicht für {actual}.",
        _CODE.ACTION_NOT_GRANTED: "Die Lizenz erlaubt diese Handlung nicht ({actual}).",
        _CODE.PROHIBITED: "Die Lizenz verbietet diese Nutzung.",
        _CODE.CAP_EXCEEDED: "Es wären zu viele: {actual}, wo {expected} übrig sind.",
        _CODE.SEATS_EXHAUSTED: "Alle Plätze sind vergeben: {actual} von {expected}.",
        _CODE.RELEASE_MISSING: "Für das, was zu sehen ist, fehlt die Freigabe ({expected}).",
        _CODE.RELEASE_LIMITED: "So weit reicht die Freigabe nicht.",
        _CODE.RELEASE_REVOKED: "Die Freigabe wurde am {actual} widerrufen.",
        _CODE.MINOR_RESTRICTED: "Minderjährige sind zu sehen: nicht für alles, und nur mit Zustimmung der Eltern.",
        _CODE.EXCLUSIVITY_CONFLICT: "Jemand anderes hat es exklusiv.",
        _CODE.ALTERATION_FORBIDDEN: "Die Lizenz erlaubt diese Bearbeitung nicht ({actual}).",
        _CODE.SIZE_EXCEEDED: "Es wäre zu groß: höchstens {expected}.",
        _CODE.PURPOSE_FORBIDDEN: "Die Lizenz erlaubt diesen Zweck nicht.",
        _CODE.PARTY_NOT_LICENSED: "Die Lizenz gilt nicht für diese Organisation.",
        _CODE.EMBARGO: "Es unterliegt einer Sperrfrist.",
        _CODE.TAKEDOWN: "Es wurde zurückgezogen.",
        _CODE.LEGAL_HOLD: "Es wird für ein Verfahren aufbewahrt: die Nutzung bedarf der Freigabe.",
        _CODE.COMPONENT_DENIED: "Ein Teil des Bildes darf so nicht genutzt werden.",
        _CODE.FREE_TEXT_CONSTRAINT: "Die Lizenz sagt in Worten, was jemand lesen muss: {expected}",
        _CODE.APPROVAL_REQUIRED: "Diese Nutzung bedarf der Freigabe: {expected}.",
        _CODE.AI_USE_FORBIDDEN: "Die Lizenz erlaubt keine Nutzung durch lernende Maschinen.",
        _CODE.CONTEXT_NOT_GRANTED: "Die Lizenz gilt nur für {expected}.",
    },
}

#: What to say first, where a use left a dimension open and the licence limits it.
_ASKED: Final = {
    "en": {
        Dimension.QUANTITY: "Say how many: at most {expected}.",
        Dimension.PURPOSE: "Say for what purpose: the licence is for {expected}.",
        Dimension.SIZE: "Say how large: at most {expected}.",
        Dimension.LICENSE: "Nobody has found out yet how this picture is licensed.",
        Dimension.INDUSTRY: "Say for which industry.",
        Dimension.PRODUCT: "Say for which product: the licence is for {expected}.",
    },
    "de": {
        Dimension.QUANTITY: "Bitte die Menge angeben: höchstens {expected}.",
        Dimension.PURPOSE: "Bitte den Zweck angeben: die Lizenz gilt für {expected}.",
        Dimension.SIZE: "Bitte die Größe angeben: höchstens {expected}.",
        Dimension.LICENSE: "Noch weiß niemand, wie dieses Bild lizenziert ist.",
        Dimension.INDUSTRY: "Bitte die Branche angeben.",
        Dimension.PRODUCT: "Bitte das Produkt angeben: die Lizenz gilt für {expected}.",
    },
}

_KIND = AlternativeKind
_ALTERNATIVES: Final = {
    "en": {
        _KIND.WINDOW: "From {first} to {last}.",
        _KIND.TERRITORIES: "In {places} only.",
        _KIND.QUANTITY: "At most {amount} {unit}.",
        _KIND.TWO_USAGES: "As two uses: from {first} to {last}, and from {then} on.",
        _KIND.WITHOUT_ALTERATIONS: "Unaltered.",
        _KIND.OTHER_ASSET: "Another picture of the same, which is ours.",
        _KIND.BUY_EXTENDED: "With an extended licence, if it is bought.",
    },
    "de": {
        _KIND.WINDOW: "Vom {first} bis zum {last}.",
        _KIND.TERRITORIES: "Nur in {places}.",
        _KIND.QUANTITY: "Höchstens {amount} {unit}.",
        _KIND.TWO_USAGES: "Als zwei Nutzungen: vom {first} bis zum {last} und ab dem {then}.",
        _KIND.WITHOUT_ALTERATIONS: "Unverändert.",
        _KIND.OTHER_ASSET: "Ein anderes Bild desselben Motivs, das uns gehört.",
        _KIND.BUY_EXTENDED: "Mit einer erweiterten Lizenz, wenn sie gekauft wird.",
    },
}


def speaks(locale: str) -> bool:
    return locale.partition("-")[0].lower() in LOCALES


def spoken(locale: str) -> str:
    """The language of ours that is nearest to the tag."""
    language = locale.partition("-")[0].lower()
    return language if language in LOCALES else LOCALES[0]


def message(reason: Reason, locale: str) -> str:
    """A whole sentence; a territory, where it is about one, stands before it."""
    language = spoken(locale)
    told = _TEXTS[language][reason.code]
    if reason.severity == Severity.UNKNOWN and reason.dimension in _ASKED[language]:
        told = _ASKED[language][reason.dimension]
    said = told.format(expected=reason.expected or "–", actual=reason.actual or "–").replace(" (–)", "")
    return said if reason.territory is None else f"{reason.territory}: {said}"


def proposal(alternative: Alternative, locale: str) -> str:
    """What would pass instead, as a whole sentence."""
    windows, quantity = alternative.windows, alternative.quantity
    return _ALTERNATIVES[spoken(locale)][alternative.kind].format(
        first=windows[0].first if windows else "",
        last=windows[0].last if windows else "",
        then=windows[-1].first if windows else "",
        places=", ".join(alternative.territories),
        amount=quantity.amount if quantity else "",
        unit=quantity.unit if quantity else "",
    )
