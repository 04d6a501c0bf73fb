"""What a decision on rights reads and says, as plain values that no database stands behind.

Days: `starts_on` and `ends_on` are both days of the term, the last one included, in the zone that stands beside them
(IANA); None is for ever. Lists are sorted tuples without repeats. An empty list constrains nothing, except that a
grant's actions, channels and territories have to be said (`codes.ANY` says all). Ids are those of rows, and tell values
apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from domain.licensing.codes import (
    Action,
    Alteration,
    AlternativeKind,
    CapPer,
    CapUnit,
    Coverage,
    Dimension,
    DutyKind,
    Effect,
    ExclusivityDirection,
    LicenseKind,
    LicenseStatus,
    MinorAge,
    Missing,
    Outcome,
    Purpose,
    ReasonCode,
    ReleaseKind,
    ReleaseStatus,
    Severity,
    TakedownStatus,
)


@dataclass(frozen=True, slots=True)
class Size:
    """A limit, or what is asked for: each measure alone, None not said. A share of the page is in basis points."""

    page_share: int | None = None
    long_edge_mm: int | None = None
    long_edge_px: int | None = None


@dataclass(frozen=True, slots=True)
class Used:
    """What a cap has given away in one of its periods: `starts_on` is the period's first day, None for TOTAL."""

    starts_on: date | None
    used: int
    reserved: int


@dataclass(frozen=True, slots=True)
class Cap:
    id: int
    unit: CapUnit
    limit: int
    per: CapPer = CapPer.TOTAL
    #: Of periods that are not here nothing is used.
    used: tuple[Used, ...] = ()


@dataclass(frozen=True, slots=True)
class Duty:
    id: int
    kind: DutyKind
    #: What it is about: the credit line, an address, who approves; None where the kind says it all.
    parameter: str | None = None
    #: The actions that owe it; all of them where none is named.
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True)
class Grant:
    """One conjunction. A PROHIBIT has no caps, duties or size: it forbids whatever meets it in every dimension.

    A use that leaves a dimension open may meet any prohibition there, and no permission that is limited there.
    """

    id: int
    effect: Effect
    #: `Action` values, or `ANY`.
    actions: tuple[str, ...]
    #: Codes of `uses`, or `ANY`; one above the leaves covers all below it.
    channels: tuple[str, ...]
    #: Countries, subdivisions, groups, `WORLDWIDE` or `ANY`.
    territories: tuple[str, ...]
    territories_except: tuple[str, ...] = ()
    starts_on: date | None = None
    ends_on: date | None = None
    purposes: tuple[Purpose, ...] = ()
    audiences: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()
    products: tuple[int, ...] = ()
    languages: tuple[str, ...] = ()
    placements: tuple[str, ...] = ()
    #: A PERMIT allows only these; a PROHIBIT forbids a use that has any of them.
    alterations: tuple[Alteration, ...] = ()
    max_size: Size | None = None
    caps: tuple[Cap, ...] = ()
    duties: tuple[Duty, ...] = ()


@dataclass(frozen=True, slots=True)
class License:
    id: int
    kind: LicenseKind
    status: LicenseStatus
    starts_on: date
    ends_on: date | None = None
    zone: str = "UTC"
    #: Whose it is; None: everybody's (Creative Commons, public domain).
    licensee_org_id: int | None = None
    end_user_org_ids: tuple[int, ...] = ()
    sublicensable: bool = False
    #: How many parties may hold a seat, and who does; None: as many as like.
    seats: int | None = None
    seat_org_ids: tuple[int, ...] = ()
    #: The day that group codes in its grants are read as of; its first day where None.
    groups_as_of: date | None = None
    #: Constraints in words that nobody has turned into grants yet.
    free_text: tuple[str, ...] = ()
    number: str | None = None
    #: What a credit line says: who gave it, under which public licence (such as `CC-BY-4.0`), where its text stands.
    licensor: str | None = None
    public_code: str | None = None
    terms_url: str | None = None
    grants: tuple[Grant, ...] = ()


@dataclass(frozen=True, slots=True)
class Release:
    """LIMITED: its grants must carry a commercial use as a licence's must. UNLIMITED: its prohibitions still hold."""

    id: int
    kind: ReleaseKind
    status: ReleaseStatus
    minor_age: MinorAge | None = None
    #: Whether whoever signed for a minor is known.
    guardian: bool = False
    starts_on: date | None = None
    ends_on: date | None = None
    zone: str = "UTC"
    #: As in a licence; what has no first day either reads group codes on each day as of that day.
    groups_as_of: date | None = None
    revoked_at: datetime | None = None
    grants: tuple[Grant, ...] = ()


@dataclass(frozen=True, slots=True)
class Rights:
    """One assessment: what a licence or a release covers of an asset or version, and what is to be seen in it.

    Of all that are said of a version, one True makes people (or property) recognisable; else one False rules it out;
    else nobody knows.
    """

    id: int
    license_id: int | None = None
    release_id: int | None = None
    coverage: Coverage = Coverage.WHOLE
    people: bool | None = None
    property: bool | None = None


@dataclass(frozen=True, slots=True)
class Component:
    """A version that is part of another; what a composite may, each of its parts must be allowed."""

    id: int
    version_id: int


@dataclass(frozen=True, slots=True)
class Embargo:
    """Nothing of the asset is used from `starts_at` until before `ends_at`; None: since ever, for ever."""

    id: int
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Takedown:
    id: int
    status: TakedownStatus


@dataclass(frozen=True, slots=True)
class Exclusivity:
    """Nobody but the holder may use it so. Empty channels, territories or industries: all of them."""

    id: int
    direction: ExclusivityDirection
    holder_org_id: int
    channels: tuple[str, ...] = ()
    territories: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()
    starts_on: date | None = None
    ends_on: date | None = None
    zone: str = "UTC"
    #: As in a release.
    groups_as_of: date | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A territory's time in a group: from the first day until the last one, None: since ever, still."""

    territory: str
    first_on: date | None = None
    last_on: date | None = None


@dataclass(frozen=True, slots=True)
class TerritoryGroup:
    code: str
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """All that is known of one version: what is said of it and of its asset together."""

    version_id: int
    asset_id: int
    rights: tuple[Rights, ...] = ()
    components: tuple[Component, ...] = ()
    embargoes: tuple[Embargo, ...] = ()
    takedowns: tuple[Takedown, ...] = ()
    exclusivities: tuple[Exclusivity, ...] = ()
    held: bool = False
    #: What a credit line is made of.
    creator: str | None = None
    title: str | None = None


@dataclass(frozen=True)
class Facts:
    """What a decision on one version reads: closed under components, licences and releases.

    `groups` are the brand's own; those of `territories.GROUPS` are always known, and one here of the same code stands
    instead. `twins` are versions that show the same and are owned, best first, each with a subject here.
    """

    version_id: int
    subjects: Mapping[int, Subject]
    licenses: Mapping[int, License] = field(default_factory=dict)
    releases: Mapping[int, Release] = field(default_factory=dict)
    groups: tuple[TerritoryGroup, ...] = ()
    twins: tuple[int, ...] = ()
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """Both days included. `first > last` is refused by whoever decides."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Quantity:
    unit: CapUnit
    amount: int


@dataclass(frozen=True, slots=True)
class Request:
    """One use. What is None or empty is left open, except `alterations`: none means as it is.

    `party` is the organisation that uses it. The window's days are those of `zone`; where that is None, each licence
    counts them in its own.
    """

    action: Action
    channel: str
    territories: tuple[str, ...]
    window: Window
    party: int
    as_of: datetime
    zone: str | None = None
    quantities: tuple[Quantity, ...] = ()
    purpose: Purpose | None = None
    alterations: tuple[Alteration, ...] = ()
    size: Size | None = None
    product: int | None = None
    industry: str | None = None
    language: str | None = None
    audience: str | None = None
    placement: str | None = None
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Reason:
    """Why not. `territory` None: all that were asked for. `component` is the part of a composite it is about."""

    code: ReasonCode
    severity: Severity
    dimension: Dimension
    territory: str | None = None
    license_id: int | None = None
    grant_id: int | None = None
    release_id: int | None = None
    component: int | None = None
    expected: str | None = None
    actual: str | None = None


@dataclass(frozen=True, slots=True)
class CapBalance:
    """A cap that the use counts against, in its fullest period of the window; `after` is what would remain."""

    cap_id: int
    unit: CapUnit
    limit: int
    used: int
    reserved: int
    remaining: int
    after: int | None


@dataclass(frozen=True, slots=True)
class DueDuty:
    """A duty as owed by this use. `version_id` is the picture that it is owed for."""

    kind: DutyKind
    parameter: str | None
    license_id: int | None
    grant_id: int
    version_id: int


@dataclass(frozen=True, slots=True)
class Basis:
    """Which grant carried which territories of which version."""

    version_id: int
    territories: tuple[str, ...]
    #: None: an unlimited release, which needs none.
    grant_id: int | None
    license_id: int | None = None
    release_id: int | None = None


@dataclass(frozen=True, slots=True)
class Alternative:
    """What would pass: the use as asked for, changed in what is said here only."""

    kind: AlternativeKind
    windows: tuple[Window, ...] = ()
    territories: tuple[str, ...] = ()
    quantity: Quantity | None = None
    version_id: int | None = None
    license_id: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Lists are sorted and without repeats: the same facts and request give an equal decision, and the same bytes.

    `valid_until` is the instant after which it no longer holds even if nothing changes.
    """

    outcome: Outcome
    allowed_territories: tuple[str, ...]
    denied_territories: tuple[str, ...]
    allowed_window: Window | None
    remaining: tuple[CapBalance, ...]
    duties: tuple[DueDuty, ...]
    reasons: tuple[Reason, ...]
    missing: tuple[Missing, ...]
    alternatives: tuple[Alternative, ...]
    basis: tuple[Basis, ...]
    policy_digest: str
    epoch: int
    valid_until: datetime
    evaluated_at: datetime
