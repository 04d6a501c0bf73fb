"""The words that licences are written in: every closed list of the model, by the codes that are kept and spoken.

A value is what a database column holds and what GraphQL says; none is ever renamed.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Final

#: In a grant's actions, channels or territories: all of them. Never implied: an empty list there grants nothing.
ANY: Final = "ANY"
#: As a territory: every country.
WORLDWIDE: Final = "WORLDWIDE"
#: The first day of a licence that holds since ever; it is no date that anybody agreed on, and is not stated as one.
SINCE_EVER: Final = date(1900, 1, 1)


class LicenseKind(StrEnum):
    OWNED = "OWNED"
    COMMISSIONED = "COMMISSIONED"
    ROYALTY_FREE = "ROYALTY_FREE"
    ROYALTY_FREE_EXTENDED = "ROYALTY_FREE_EXTENDED"
    RIGHTS_MANAGED = "RIGHTS_MANAGED"
    EDITORIAL = "EDITORIAL"
    CREATIVE_COMMONS = "CREATIVE_COMMONS"
    PUBLIC_DOMAIN = "PUBLIC_DOMAIN"
    MUSIC_SYNC = "MUSIC_SYNC"
    TALENT = "TALENT"
    FONT = "FONT"
    LIST = "LIST"
    #: Somebody has to find out: it grants nothing, and a decision on it is UNKNOWN.
    UNKNOWN = "UNKNOWN"


class LicenseStatus(StrEnum):
    """DRAFT → ACTIVE ↔ SUSPENDED, ACTIVE or SUSPENDED → TERMINATED. That one is over is seen from its dates."""

    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    TERMINATED = "TERMINATED"


class Effect(StrEnum):
    PERMIT = "PERMIT"
    PROHIBIT = "PROHIBIT"


class Action(StrEnum):
    """`ANY` permits all of them but the two AI uses, which are permitted by name only; it prohibits all."""

    VIEW = "VIEW"
    DOWNLOAD = "DOWNLOAD"
    PUBLISH = "PUBLISH"
    PRINT = "PRINT"
    BROADCAST = "BROADCAST"
    DERIVE = "DERIVE"
    TRANSLATE = "TRANSLATE"
    RESELL = "RESELL"
    SUBLICENSE = "SUBLICENSE"
    AI_TRAIN = "AI_TRAIN"
    AI_INPUT = "AI_INPUT"


AI_ACTIONS: Final = frozenset({Action.AI_TRAIN, Action.AI_INPUT})


class Purpose(StrEnum):
    COMMERCIAL = "COMMERCIAL"
    EDITORIAL = "EDITORIAL"
    INTERNAL = "INTERNAL"
    EDUCATIONAL = "EDUCATIONAL"


class Alteration(StrEnum):
    """What is done to a picture (PLUS AL-*). In a grant's list NONE says that it is used as it is."""

    CROP = "CROP"
    FLIP = "FLIP"
    RETOUCH = "RETOUCH"
    COLORIZE = "COLORIZE"
    DECOLORIZE = "DECOLORIZE"
    MERGE = "MERGE"
    NONE = "NONE"


class CapUnit(StrEnum):
    COPIES = "COPIES"
    IMPRESSIONS = "IMPRESSIONS"
    DISPLAYS = "DISPLAYS"
    PLACEMENTS = "PLACEMENTS"
    SEATS = "SEATS"
    VIEWS = "VIEWS"
    INSERTIONS = "INSERTIONS"
    PIECES = "PIECES"


class CapPer(StrEnum):
    """How often a cap begins anew: never, or with each calendar day, month or year."""

    TOTAL = "TOTAL"
    DAY = "DAY"
    MONTH = "MONTH"
    YEAR = "YEAR"


class DutyKind(StrEnum):
    CREDIT_ADJACENT = "CREDIT_ADJACENT"
    CREDIT_ON_IMAGE = "CREDIT_ON_IMAGE"
    CREDIT_AREA = "CREDIT_AREA"
    LINK_LICENSE = "LINK_LICENSE"
    INDICATE_CHANGES = "INDICATE_CHANGES"
    KEEP_METADATA = "KEEP_METADATA"
    KEEP_FILENAME = "KEEP_FILENAME"
    SHARE_ALIKE = "SHARE_ALIKE"
    NOTIFY_LICENSOR = "NOTIFY_LICENSOR"
    PAY_PER_USE = "PAY_PER_USE"
    #: Until somebody has said yes, the use needs approval.
    APPROVAL_BY = "APPROVAL_BY"
    DISCLAIMER = "DISCLAIMER"


class ReleaseKind(StrEnum):
    MODEL = "MODEL"
    #: A model release for somebody under age, signed by a guardian.
    MINOR = "MINOR"
    PROPERTY = "PROPERTY"
    TRADEMARK = "TRADEMARK"
    ARTWORK = "ARTWORK"
    TALENT = "TALENT"


#: Releases for people; the others are for things.
OF_PEOPLE: Final = frozenset({ReleaseKind.MODEL, ReleaseKind.MINOR, ReleaseKind.TALENT})


class ReleaseStatus(StrEnum):
    """PLUS says these as MR-NON, MR-NAP, MR-UMR, MR-LMR for models and PR-NON, PR-NAP, PR-UPR, PR-LPR for property."""

    NON = "NON"
    NAP = "NAP"
    UNLIMITED = "UNLIMITED"
    LIMITED = "LIMITED"


class MinorAge(StrEnum):
    """PLUS MinorModelAgeDisclosure: the age of the youngest."""

    UNKNOWN = "AG-UNK"
    A25 = "AG-A25"
    A24 = "AG-A24"
    A23 = "AG-A23"
    A22 = "AG-A22"
    A21 = "AG-A21"
    A20 = "AG-A20"
    A19 = "AG-A19"
    A18 = "AG-A18"
    A17 = "AG-A17"
    A16 = "AG-A16"
    A15 = "AG-A15"
    U14 = "AG-U14"


UNDER_AGE: Final = frozenset({MinorAge.A17, MinorAge.A16, MinorAge.A15, MinorAge.U14})


class Coverage(StrEnum):
    """WHOLE licences are alternatives, one of which must carry a use; each COMPONENT is a part, cleared besides."""

    WHOLE = "WHOLE"
    COMPONENT = "COMPONENT"


class TakedownStatus(StrEnum):
    """OPEN → ENFORCED → LIFTED, OPEN → LIFTED. The first two forbid everything."""

    OPEN = "OPEN"
    ENFORCED = "ENFORCED"
    LIFTED = "LIFTED"


class ExclusivityDirection(StrEnum):
    #: We gave it away: nobody else may use it so.
    OUTGOING = "OUTGOING"
    #: It was given to us: watched, no decision heeds it.
    INCOMING = "INCOMING"


class Outcome(StrEnum):
    """From best to worst; only the first two let anything out."""

    ALLOWED = "ALLOWED"
    ALLOWED_WITH_DUTIES = "ALLOWED_WITH_DUTIES"
    NEEDS_APPROVAL = "NEEDS_APPROVAL"
    UNKNOWN = "UNKNOWN"
    DENIED = "DENIED"


class Severity(StrEnum):
    """What a reason alone makes of a decision: denied, unknown until a fact is given, or in need of approval."""

    DENY = "DENY"
    UNKNOWN = "UNKNOWN"
    APPROVAL = "APPROVAL"


class Dimension(StrEnum):
    LICENSE = "LICENSE"
    ACTION = "ACTION"
    CHANNEL = "CHANNEL"
    TERRITORY = "TERRITORY"
    WINDOW = "WINDOW"
    QUANTITY = "QUANTITY"
    SEATS = "SEATS"
    PURPOSE = "PURPOSE"
    PARTY = "PARTY"
    ALTERATION = "ALTERATION"
    SIZE = "SIZE"
    PRODUCT = "PRODUCT"
    INDUSTRY = "INDUSTRY"
    LANGUAGE = "LANGUAGE"
    AUDIENCE = "AUDIENCE"
    PLACEMENT = "PLACEMENT"
    RELEASE = "RELEASE"
    EXCLUSIVITY = "EXCLUSIVITY"
    COMPONENT = "COMPONENT"
    CONSTRAINT = "CONSTRAINT"
    APPROVAL = "APPROVAL"
    EMBARGO = "EMBARGO"
    TAKEDOWN = "TAKEDOWN"
    HOLD = "HOLD"


class ReasonCode(StrEnum):
    NO_LICENSE = "NO_LICENSE"
    LICENSE_NOT_ACTIVE = "LICENSE_NOT_ACTIVE"
    NOT_STARTED = "NOT_STARTED"
    EXPIRED = "EXPIRED"
    WINDOW_EXCEEDS_GRANT = "WINDOW_EXCEEDS_GRANT"
    TERRITORY_NOT_GRANTED = "TERRITORY_NOT_GRANTED"
    TERRITORY_EXCLUDED = "TERRITORY_EXCLUDED"
    CHANNEL_NOT_GRANTED = "CHANNEL_NOT_GRANTED"
    ACTION_NOT_GRANTED = "ACTION_NOT_GRANTED"
    PROHIBITED = "PROHIBITED"
    CAP_EXCEEDED = "CAP_EXCEEDED"
    SEATS_EXHAUSTED = "SEATS_EXHAUSTED"
    RELEASE_MISSING = "RELEASE_MISSING"
    RELEASE_LIMITED = "RELEASE_LIMITED"
    RELEASE_REVOKED = "RELEASE_REVOKED"
    MINOR_RESTRICTED = "MINOR_RESTRICTED"
    EXCLUSIVITY_CONFLICT = "EXCLUSIVITY_CONFLICT"
    ALTERATION_FORBIDDEN = "ALTERATION_FORBIDDEN"
    SIZE_EXCEEDED = "SIZE_EXCEEDED"
    PURPOSE_FORBIDDEN = "PURPOSE_FORBIDDEN"
    PARTY_NOT_LICENSED = "PARTY_NOT_LICENSED"
    EMBARGO = "EMBARGO"
    TAKEDOWN = "TAKEDOWN"
    LEGAL_HOLD = "LEGAL_HOLD"
    COMPONENT_DENIED = "COMPONENT_DENIED"
    FREE_TEXT_CONSTRAINT = "FREE_TEXT_CONSTRAINT"
    APPROVAL_REQUIRED = "APPROVAL_REQUIRED"
    AI_USE_FORBIDDEN = "AI_USE_FORBIDDEN"
    #: A grant is for certain products, industries, languages, audiences or placements, and this is not one of them.
    CONTEXT_NOT_GRANTED = "CONTEXT_NOT_GRANTED"


class Missing(StrEnum):
    """What nobody has said: of the use (…_NOT_GIVEN), or of the asset."""

    QUANTITY_NOT_GIVEN = "QUANTITY_NOT_GIVEN"
    PURPOSE_NOT_GIVEN = "PURPOSE_NOT_GIVEN"
    SIZE_NOT_GIVEN = "SIZE_NOT_GIVEN"
    PRODUCT_NOT_GIVEN = "PRODUCT_NOT_GIVEN"
    INDUSTRY_NOT_GIVEN = "INDUSTRY_NOT_GIVEN"
    LANGUAGE_NOT_GIVEN = "LANGUAGE_NOT_GIVEN"
    AUDIENCE_NOT_GIVEN = "AUDIENCE_NOT_GIVEN"
    PLACEMENT_NOT_GIVEN = "PLACEMENT_NOT_GIVEN"
    LICENSE_UNKNOWN = "LICENSE_UNKNOWN"
    RELEASE_STATUS_UNKNOWN = "RELEASE_STATUS_UNKNOWN"
    PROPERTY_STATUS_UNKNOWN = "PROPERTY_STATUS_UNKNOWN"
    GUARDIAN_UNKNOWN = "GUARDIAN_UNKNOWN"


class AlternativeKind(StrEnum):
    """What would pass instead; each was decided, not guessed."""

    WINDOW = "WINDOW"
    TERRITORIES = "TERRITORIES"
    QUANTITY = "QUANTITY"
    TWO_USAGES = "TWO_USAGES"
    WITHOUT_ALTERATIONS = "WITHOUT_ALTERATIONS"
    OTHER_ASSET = "OTHER_ASSET"
    BUY_EXTENDED = "BUY_EXTENDED"
