"""A draft licence from what a file claims: a person reads it, corrects it, and alone makes it count.

Always true here:
- Nothing is active, and nothing is granted, before somebody activates it.
- What of the claim is no grant, or could not be read, stands in the draft in words, and words need approval until a
  person turned them into grants.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import sqlalchemy as sa

from domain.licensing import assessing, licenses, owning, parties
from domain.licensing.codes import ANY, WORLDWIDE, Action, Effect
from domain.licensing.proposals.kept import of_versions
from domain.licensing.proposals.told import LicenseProposal, ProposedParty, Role
from domain.licensing.templates import TEMPLATES
from domain.licensing.terms import Grant
from domain.permissions import Permission
from domain.refusals import Conflict
from domain.statements import DataMining
from domain.texts import MAX_NOTE, MAX_TITLE, fold
from domain.work import Work
from storage.tables import AssetRow, LicenseRow, PartyRow

#: Letters of what was not understood.
_QUOTED: Final = 500
#: Ends the title of a draft that nobody gave one.
_CLAIMED: Final = " (as the file claims)"
#: The version of Creative Commons that grants are kept of: the others say the same in these words.
_CURRENT: Final = "4.0"
_FORBIDS: Final = frozenset(
    {
        DataMining.PROHIBITED,
        DataMining.PROHIBITED_TRAINING,
        DataMining.PROHIBITED_GENERATIVE,
        DataMining.PROHIBITED_EXCEPT_SEARCH,
        DataMining.PROHIBITED_SEE_TERMS,
    }
)
_NO_TRAINING: Final = Grant(0, Effect.PROHIBIT, (Action.AI_TRAIN,), (ANY,), (WORLDWIDE,))


@dataclass(frozen=True)
class Wish:
    """What whoever asks says instead of the file. `licensor_kind` is of a party that has to be made: unless somebody
    says otherwise it is taken for a person, whose name not everybody sees.
    """

    title: str | None = None
    starts_on: date | None = None
    licensor_id: int | None = None
    licensor_kind: parties.Kind = parties.Kind.PERSON


def draft(work: Work, version_id: int, wish: Wish) -> LicenseRow:
    """The draft, in the asset's organisation, and the version under it. `Conflict` where the file claims nothing.

    Its first day is the file's, else that of the purchase, else today. The licensor is a party with the same PLUS id or
    name; where there is none it is made.
    """
    version = owning.version(work, version_id)
    asset = owning.asset(work, version.asset_id, Permission.LICENSE_MANAGE, ("version",))
    proposed = of_versions(work, [version.id]).get(version.id)
    if proposed is None:
        raise Conflict("The file of this version says nothing of a licence.", ("version",))
    row = licenses.create(work, proposed.kind, _said(work, asset, proposed, wish), _grants(proposed), asset.org_id)
    assessing.assess(work, asset.id, version.id, assessing.Wish(license_ids=[row.id]))
    return row


def _said(work: Work, asset: AssetRow, proposed: LicenseProposal, wish: Wish) -> dict[str, Any]:
    starts_on = wish.starts_on or proposed.starts_on or proposed.transacted_on or work.now.date()
    said: dict[str, Any] = {
        "title": wish.title or asset.title[: MAX_TITLE - len(_CLAIMED)] + _CLAIMED,
        "starts_on": starts_on,
        "ends_on": proposed.ends_on,
        "transaction_date": proposed.transacted_on,
        "terms_url": proposed.terms_url or None,
        "code": proposed.code or None,
        "licensor_id": _licensor(work, asset.org_id, proposed.party(Role.LICENSOR), wish),
        "free_text": _words(proposed),
        **{name: text for name, text in _references(proposed).items() if 0 < len(text) <= licenses.MAX_REF},
    }
    if proposed.code:  # given to everybody
        said["licensee_org_id"] = None
    return said


def _references(proposed: LicenseProposal) -> dict[str, str]:
    return {
        "plus_license_id": proposed.license_id,
        "supplier_item_id": proposed.item_id,
        "order_ref": proposed.order_ref,
    }


def _grants(proposed: LicenseProposal) -> list[Grant]:
    terms, _, _ = proposed.code.rpartition("-")
    template = TEMPLATES.get(proposed.code) or TEMPLATES.get(f"{terms}-{_CURRENT}")
    grants = list(template.grants) if template is not None and proposed.code else []
    return [*grants, _NO_TRAINING] if proposed.data_mining in _FORBIDS else grants


def _words(proposed: LicenseProposal) -> list[str]:
    """At most as many as a licence has room for; the last one says how many more there are."""
    words = [each[:MAX_NOTE] for each in dict.fromkeys(_spoken(proposed))]
    room = licenses.MAX_FREE_TEXTS
    if len(words) <= room:
        return words
    return [*words[: room - 1], f"The file says {len(words) - room + 1} things more: see its metadata."]


def _spoken(proposed: LicenseProposal) -> Iterator[str]:
    yield from (each.text for each in proposed.constraints)
    yield from (f"PLUS: not to be altered: {each.value}." for each in proposed.alterations)
    if not proposed.code:  # a public licence's own grants say what is owed
        for duty in proposed.duties:
            yield f"PLUS: {duty.kind.value}{f': {duty.parameter}' if duty.parameter else ''}."
    for usage in proposed.usages.usages if proposed.usages else ():
        yield f"PLUS media summary: {' '.join(item.code for item in usage)}."
    yield from _named(proposed)
    for unread in proposed.unread:
        source = unread.source
        yield f"Not understood: {source.namespace}:{source.name}: {source.text[:_QUOTED]}. {unread.sentence}"


def _named(proposed: LicenseProposal) -> Iterator[str]:
    """For whom the file says it is, and references that are longer than a licence has room for."""
    for party in proposed.parties:
        if party.role in {Role.LICENSEE, Role.END_USER}:
            yield f"{party.role.value.replace('_', ' ').capitalize()} by the file: {party.name or party.plus_id}."
    for name, text in _references(proposed).items():
        if len(text) > licenses.MAX_REF:
            yield f"{name.replace('_', ' ').capitalize()}: {text}"


def _licensor(work: Work, org_id: int, named: ProposedParty | None, wish: Wish) -> int | None:
    if wish.licensor_id is not None or named is None:
        return wish.licensor_id
    plus_id = named.plus_id if len(named.plus_id) <= parties.MAX_PLUS_ID else ""
    name = (named.name or plus_id)[: parties.MAX_NAME].strip()
    if not name:
        return None
    known = sa.select(PartyRow.id).where(PartyRow.org_id == org_id, PartyRow.archived_at.is_(None))
    for condition in (PartyRow.plus_id == plus_id,) * bool(plus_id) + (PartyRow.name_folded == fold(name),):
        if (found := work.session.scalar(known.where(condition).order_by(PartyRow.id).limit(1))) is not None:
            return found
    said = {"name": name, "plus_id": plus_id or None, "url": named.url or None}
    return parties.create(work, wish.licensor_kind, said, org_id).id
