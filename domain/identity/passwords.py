"""Passwords, for hubs without an identity provider: Argon2id, never more than `AT_ONCE` computed at a time.

Always true: a wrong password, an unknown e-mail and a person without a password are refused in the same words after the
same work, one verification; and no transaction is open meanwhile.
"""

from __future__ import annotations

import threading
import unicodedata

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from argon2.profiles import RFC_9106_LOW_MEMORY

from domain import history, texts
from domain.hub import Hub
from domain.identity import sessions
from domain.identity.sessions import NewSession
from domain.refusals import Invalid, NotSignedIn
from domain.work import HUB, Work
from storage.tables import CredentialRow, PrincipalRow

SHORTEST, LONGEST = 12, 200
#: Letters of an e-mail address (RFC 5321).
LONGEST_EMAIL = 254
#: Each takes 64 MiB and four threads.
AT_ONCE = 2


class Hashing:
    """Argon2id with the parameters of one `PasswordHasher`, and a place in the queue for each computation."""

    def __init__(self, hasher: PasswordHasher) -> None:
        self._hasher = hasher
        self._places = threading.BoundedSemaphore(AT_ONCE)
        self._nobody: str | None = None

    def of(self, password: str) -> str:
        with self._places:
            return self._hasher.hash(password)

    def is_right(self, kept: str | None, password: str) -> bool:
        """Whether it is the password that `kept` was made of. Without `kept` it takes as long, and is not."""
        against = kept or self._of_nobody()
        with self._places:
            try:
                return self._hasher.verify(against, password) and kept is not None
            except (Argon2Error, InvalidHashError):
                return False

    def is_outdated(self, kept: str) -> bool:
        """Whether it was made with other parameters than these."""
        return self._hasher.check_needs_rehash(kept)

    def _of_nobody(self) -> str:
        if self._nobody is None:
            self._nobody = self.of("the password of nobody at all")
        return self._nobody


HASHING = Hashing(PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY))


def sign_in(hub: Hub, email: str, password: str, address: str | None, hashing: Hashing = HASHING) -> NewSession:
    """A session of the person with this e-mail and password; `NotSignedIn` when they do not belong together."""
    password = _normal(password)
    with hub.reading(HUB) as work:
        found = work.session.execute(_credential_of(email)).one_or_none()
    if not hashing.is_right(None if found is None else found.hash, password) or found is None:
        raise _wrong()
    principal_id, kept = found.id, found.hash
    renewed = hashing.of(password) if hashing.is_outdated(kept) else kept
    with hub.writing(HUB) as work:
        credential = work.session.get_one(CredentialRow, principal_id, with_for_update=True)
        person = work.session.get_one(PrincipalRow, principal_id)
        if credential.hash != kept or person.disabled_at is not None:  # changed while the answer was computed
            raise _wrong()
        credential.hash = renewed
        return sessions.begin(work, person, address)


def account_of(email: str) -> str:
    """One text for all spellings of one address."""
    return texts.fold(email[: LONGEST_EMAIL + 1].strip())


def checked(password: str) -> str:
    """The password as it is kept, in normal form; `Invalid` for one that is too short or too long to be one."""
    normal = _normal(password)
    if len(normal) < SHORTEST:
        raise Invalid(f"A password has at least {SHORTEST} characters.", ("password",), "length")
    if len(set(normal)) <= SHORTEST // 4:
        raise Invalid("A password has more than three different characters.", ("password",), "variety")
    return normal


def keep(work: Work, person: PrincipalRow, hashed: str) -> None:
    """From now on this is their password, made by `Hashing.of`; wherever they were signed in, they are no more."""
    row = work.session.get(CredentialRow, person.id, with_for_update=True)
    if row is None:
        work.session.add(CredentialRow(principal_id=person.id, hash=hashed, changed_at=work.now))
    else:
        row.hash, row.changed_at = hashed, work.now
    sessions.end_all(work, person.id)
    history.record(work, "password.changed", ("Principal", person.id), org_id=person.org_id)


def _credential_of(email: str) -> sa.Select[int, str]:
    wanted = account_of(email)
    return (
        sa.select(PrincipalRow.id, CredentialRow.hash)
        .join(CredentialRow, CredentialRow.principal_id == PrincipalRow.id)
        .where(PrincipalRow.email == wanted, PrincipalRow.kind == "PERSON", PrincipalRow.disabled_at.is_(None))
    )


def _normal(password: str) -> str:
    """Composed (RFC 8265), so that it does not depend on the keyboard; `Invalid` for what no keyboard types."""
    if len(password) > LONGEST:
        raise Invalid(f"A password has at most {LONGEST} characters.", ("password",), "length")
    normal = unicodedata.normalize("NFC", password)
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in normal):
        raise Invalid("A password holds no control characters.", ("password",), "format")
    return normal


def _wrong() -> NotSignedIn:
    return NotSignedIn("E-mail and password do not belong together.")
