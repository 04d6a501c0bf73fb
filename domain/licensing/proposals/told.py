"""What a file proposes of its licence, as plain values: each with the place in the file that says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from domain.licensing.codes import Alteration, Dimension, DutyKind, LicenseKind, MinorAge, ReleaseStatus
from domain.licensing.proposals.plus import Summary
from domain.statements import DataMining


class Field(StrEnum):
    """What of a proposal a place in the file speaks of."""

    KIND = "KIND"
    PARTY = "PARTY"
    CREDIT = "CREDIT"
    NOTICE = "NOTICE"
    TERMS_URL = "TERMS_URL"
    WEB_STATEMENT = "WEB_STATEMENT"
    LICENSE_ID = "LICENSE_ID"
    ITEM_ID = "ITEM_ID"
    ORDER_REF = "ORDER_REF"
    TRANSACTED_ON = "TRANSACTED_ON"
    STARTS_ON = "STARTS_ON"
    ENDS_ON = "ENDS_ON"
    DATA_MINING = "DATA_MINING"
    DUTY = "DUTY"
    ALTERATION = "ALTERATION"
    RELEASE = "RELEASE"
    USAGES = "USAGES"
    CONSTRAINT = "CONSTRAINT"


class Role(StrEnum):
    LICENSOR = "LICENSOR"
    LICENSEE = "LICENSEE"
    END_USER = "END_USER"
    COPYRIGHT_OWNER = "COPYRIGHT_OWNER"
    CREATOR = "CREATOR"
    SUPPLIER = "SUPPLIER"


@dataclass(frozen=True, slots=True)
class Source:
    """`text` is what stands there, tidied, without ways to reach anybody, and cut where it is long."""

    field: Field
    namespace: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Unread:
    """A place that speaks of this in a way that cannot be taken over, and why."""

    source: Source
    sentence: str


@dataclass(frozen=True, slots=True)
class ProposedParty:
    """Empty texts say nothing; one has a name or an id of the PLUS registry."""

    role: Role
    name: str = ""
    plus_id: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class ProposedDuty:
    kind: DutyKind
    parameter: str | None = None


@dataclass(frozen=True, slots=True)
class Constraint:
    """Words that nobody but a person can turn into grants; until then they need approval."""

    dimension: Dimension
    text: str


@dataclass(frozen=True, slots=True)
class LicenseProposal:
    """A claim by whoever wrote the file, never a right. What it does not speak of is None, "" or ().

    `kind` is UNKNOWN where nothing says it, or two places contradict each other. `terms_url` is where a licence's text
    stands, `web_statement` where somebody explains the picture's rights, `terms` its words on use. `ends_on` is the
    last day; of several dates the latest beginning and the earliest end are proposed. `alterations` are forbidden.
    """

    kind: LicenseKind = LicenseKind.UNKNOWN
    code: str = ""
    terms_url: str = ""
    web_statement: str = ""
    terms: str = ""
    credit: str = ""
    notice: str = ""
    license_id: str = ""
    item_id: str = ""
    order_ref: str = ""
    transacted_on: date | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    data_mining: DataMining | None = None
    model_release: ReleaseStatus | None = None
    property_release: ReleaseStatus | None = None
    minor_age: MinorAge | None = None
    parties: tuple[ProposedParty, ...] = ()
    duties: tuple[ProposedDuty, ...] = ()
    alterations: tuple[Alteration, ...] = ()
    usages: Summary | None = None
    constraints: tuple[Constraint, ...] = ()
    sources: tuple[Source, ...] = ()
    unread: tuple[Unread, ...] = ()

    def party(self, role: Role) -> ProposedParty | None:
        """The first of these."""
        return next((each for each in self.parties if each.role is role), None)
