"""Everything the domain may refuse: a class per kind, a stable code for programs, a whole sentence for people.

Raising one rolls the unit of work back. `schema/` answers them as typed mutation errors, `server/` as HTTP
problems. Any other exception is a bug.
"""

from __future__ import annotations

from typing import ClassVar


class Refusal(Exception):
    """`path` names the input field at fault, outermost first."""

    code: ClassVar[str]

    def __init__(self, message: str, path: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.path = path


class NotSignedIn(Refusal):
    code = "UNAUTHENTICATED"


class NotAllowed(Refusal):
    """The viewer lacks `permission`."""

    code = "NOT_ALLOWED"

    def __init__(self, message: str, permission: str, path: tuple[str, ...] = ()) -> None:
        super().__init__(message, path)
        self.permission = permission


class NotFound(Refusal):
    """There is no such thing, or the viewer may not know of it: the two read the same."""

    code = "NOT_FOUND"


class Invalid(Refusal):
    """An input breaks a rule named by `constraint`, such as `length` or `format`."""

    code = "INVALID"

    def __init__(self, message: str, path: tuple[str, ...] = (), constraint: str = "value") -> None:
        super().__init__(message, path)
        self.constraint = constraint


class BadCursor(Refusal):
    code = "BAD_CURSOR"


class PageTooLarge(Refusal):
    code = "PAGE_TOO_LARGE"


class BadSearch(Refusal):
    """The search text cannot be read; `position` is where, counted from 0."""

    code = "BAD_SEARCH"

    def __init__(self, message: str, position: int | None = None) -> None:
        super().__init__(message, ("search",))
        self.position = position


class StaleRevision(Refusal):
    """Somebody changed it first; `current` is the revision that stands now."""

    code = "STALE_REVISION"

    def __init__(self, current: int) -> None:
        super().__init__(
            f"This was changed by somebody else and is at revision {current} now: look at it again, then repeat.",
            ("expectedRevision",),
        )
        self.current = current


class StaleSubject(Refusal):
    """The decision was about other bytes than the version holds; `current_digest` is what it holds."""

    code = "STALE_SUBJECT"

    def __init__(self, current_digest: str) -> None:
        super().__init__("These are not the bytes of that version: look at it again before you decide.", ("sha256",))
        self.current_digest = current_digest


class DuplicateAsset(Refusal):
    """The same bytes are here already; `asset_id` is None where the viewer may not see the other asset."""

    code = "DUPLICATE_ASSET"

    def __init__(self, asset_id: int | None) -> None:
        super().__init__("The hub already holds exactly these bytes.", ("upload",))
        self.asset_id = asset_id


class IdempotencyMismatch(Refusal):
    code = "IDEMPOTENCY_MISMATCH"

    def __init__(self) -> None:
        super().__init__("This idempotency key was used before with another request.", ("idempotencyKey",))


class Conflict(Refusal):
    """What is asked does not fit the state that things are in."""

    code = "CONFLICT"


class ChangedSince(Conflict):
    """What an operation changed was changed since: it is not taken back."""

    code = "CHANGED_SINCE"


class Incomplete(Refusal):
    """The asset lacks what its template asks for; `lacking` names properties and fields. `score` and `gate` in per
    cent.
    """

    code = "INCOMPLETE"

    def __init__(self, message: str, *, score: int, gate: int, lacking: tuple[str, ...]) -> None:
        super().__init__(message, ("version",))
        self.score = score
        self.gate = gate
        self.lacking = lacking


class RightsNotAssessed(Refusal):
    """Nobody said yet which licence the asset is under, or what can be recognised in it."""

    code = "RIGHTS_NOT_ASSESSED"

    def __init__(self) -> None:
        super().__init__(
            "Nobody has assessed the rights of this asset: say which licence it is under with assetRightsAssess, or "
            "approve it as own work with ownWork: true.",
            ("version",),
        )


class FileRefused(Refusal):
    """The file itself cannot be taken; `reason` is a stable word such as EMPTY, TOO_LARGE or NOT_WHAT_IT_CLAIMS."""

    code = "FILE_REFUSED"

    def __init__(self, message: str, reason: str, path: tuple[str, ...] = ("upload",)) -> None:
        super().__init__(message, path)
        self.reason = reason


class StorageFull(Refusal):
    code = "STORAGE_FULL"

    def __init__(self, message: str = "The hub has no room for this file: nothing was stored.") -> None:
        super().__init__(message)


class StorageUnavailable(Refusal):
    """The place where bytes are kept cannot be used now; the cause is chained for the log."""

    code = "STORAGE_UNAVAILABLE"


class Gone(Refusal):
    """It was here and its time is over."""

    code = "GONE"
