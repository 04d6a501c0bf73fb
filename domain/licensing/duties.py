"""What is owed for a use, said in a language: above all the credit line, whole, ready to be printed.

A line that the licence itself prescribes is said as it stands; otherwise it is made of who made the picture, who
licensed it, and the public licence that it stands under. Languages are those of `sentences`.
"""

from __future__ import annotations

from typing import Final

from domain.licensing import sentences
from domain.licensing.codes import DutyKind
from domain.licensing.terms import DueDuty, License, Subject

_CREDITS: Final = frozenset({DutyKind.CREDIT_ADJACENT, DutyKind.CREDIT_ON_IMAGE, DutyKind.CREDIT_AREA})

_TEXTS: Final = {
    "en": {
        DutyKind.CREDIT_ADJACENT: "Credit it beside the picture: {line}",
        DutyKind.CREDIT_ON_IMAGE: "Credit it on the picture: {line}",
        DutyKind.CREDIT_AREA: "Credit it among the credits: {line}",
        DutyKind.LINK_LICENSE: "Link the licence: {about}",
        DutyKind.INDICATE_CHANGES: "Say that it was changed, if it was.",
        DutyKind.KEEP_METADATA: "Keep the metadata in the file.",
        DutyKind.KEEP_FILENAME: "Keep the file's name.",
        DutyKind.SHARE_ALIKE: "Give what you make of it under the same licence: {about}",
        DutyKind.NOTIFY_LICENSOR: "Tell the licensor of the use: {about}",
        DutyKind.PAY_PER_USE: "Pay for this use: {about}",
        DutyKind.DISCLAIMER: "Print beside it: {about}",
        DutyKind.APPROVAL_BY: "It has to be approved by {about}.",
    },
    "de": {
        DutyKind.CREDIT_ADJACENT: "Neben dem Bild zu nennen: {line}",
        DutyKind.CREDIT_ON_IMAGE: "Auf dem Bild zu nennen: {line}",
        DutyKind.CREDIT_AREA: "Im Bildnachweis zu nennen: {line}",
        DutyKind.LINK_LICENSE: "Auf die Lizenz ist zu verweisen: {about}",
        DutyKind.INDICATE_CHANGES: "Änderungen sind anzugeben.",
        DutyKind.KEEP_METADATA: "Die Metadaten bleiben in der Datei.",
        DutyKind.KEEP_FILENAME: "Der Dateiname bleibt, wie er ist.",
        DutyKind.SHARE_ALIKE: "Was daraus entsteht, ist unter derselben Lizenz weiterzugeben: {about}",
        DutyKind.NOTIFY_LICENSOR: "Die Nutzung ist dem Lizenzgeber zu melden: {about}",
        DutyKind.PAY_PER_USE: "Diese Nutzung ist zu bezahlen: {about}",
        DutyKind.DISCLAIMER: "Daneben steht: {about}",
        DutyKind.APPROVAL_BY: "Die Nutzung bedarf der Freigabe durch {about}.",
    },
}


def text(duty: DueDuty, subject: Subject, terms: License | None, locale: str) -> str:
    """The duty as a sentence; a credit ends with its line."""
    about = duty.parameter or _about(terms)
    line = credit_line(duty, subject, terms, locale) or ""
    return _TEXTS[sentences.spoken(locale)][duty.kind].format(about=about, line=line).removesuffix(": ")


def credit_line(duty: DueDuty, subject: Subject, terms: License | None, locale: str) -> str | None:
    """None where the duty is no credit, and where nobody is known whom one could name. `terms` are those of the
    licence that the duty comes from, with its licensor.
    """
    if duty.kind not in _CREDITS:
        return None
    if duty.parameter:
        return duty.parameter
    return _public(subject, terms, sentences.spoken(locale)) if terms and terms.public_code else _usual(subject, terms)


def public_name(code: str) -> str:
    """`CC-BY-SA-4.0` as it is written: CC BY-SA 4.0."""
    terms, _, version = code.rpartition("-")
    return f"{terms.replace('CC-', 'CC ', 1)} {version}".strip()


def _public(subject: Subject, terms: License, locale: str) -> str:
    """Title, author, source and licence, as Creative Commons recommends."""
    by = {"en": "by", "de": "von"}[locale]
    quoted = {"en": "“{}”", "de": "„{}“"}[locale]
    title = quoted.format(subject.title) if subject.title else None
    whose = subject.creator or terms.licensor
    work = " ".join(part for part in (title, f"{by} {whose}" if title and whose else whose) if part)
    return ", ".join(part for part in (work, public_name(terms.public_code or ""), terms.terms_url) if part)


def _usual(subject: Subject, terms: License | None) -> str | None:
    names = (subject.creator, None if terms is None else terms.licensor)
    line = " / ".join(dict.fromkeys(name for name in names if name))
    return f"© {line}" if line else None


def _about(terms: License | None) -> str:
    return "" if terms is None else terms.terms_url or terms.licensor or terms.number or ""
