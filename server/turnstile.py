"""How much somebody may ask: per token by cost, per address without a valid sign-in, and per attempt at a password.

Counted in the memory of this process: several server processes let through that many each, and a restart forgets.
A refusal is a 429 that says when to come back, and costs nothing but the count.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from typing import Final, TypeAlias

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter, RateLimiter, SlidingWindowCounterRateLimiter

from domain.identity.tokens import digest_of
from domain.work import Viewer
from schema.cost import REQUEST, Allowance
from server.addresses import party
from server.bucket import Buckets, Spent
from server.counting import Counts
from server.problems import HttpRefusal
from storage.settings import Settings

TOO_MANY: Final = "TOO_MANY_REQUESTS"

Items: TypeAlias = tuple[RateLimitItem, ...]

#: Attempts at one account's password from one address, and at any account's.
PER_ACCOUNT: Final[Items] = (RateLimitItemPerMinute(5), RateLimitItemPerHour(30))
PER_ADDRESS: Final[Items] = (RateLimitItemPerMinute(20), RateLimitItemPerHour(200))
#: Parties told apart at once; whoever comes beyond them is counted as one crowd, so that memory stays bounded.
MOST_PARTIES = 5_000
#: Credentials remembered as good, so that a stranger behind the same address does not shut their owners out.
MOST_KNOWN = 10_000
KNOWN_SECONDS = 3600.0


class Turnstile:
    def __init__(self, settings: Settings) -> None:
        self._tokens = Buckets(settings.token_budget, 60, MOST_PARTIES) if settings.token_budget else None
        self._strangers = _Counted(SlidingWindowCounterRateLimiter(Counts()), settings.stranger_rate)
        self._passwords = MovingWindowRateLimiter(MemoryStorage())
        self._known: OrderedDict[str, float] = OrderedDict()
        self._knowing = threading.Lock()

    def spend(self, viewer: Viewer, cost: int = REQUEST) -> Allowance | None:
        """Takes what a request of this viewer costs, and answers what is left; raises a 429, and takes nothing, when
        their token has spent all it may. None where nothing limits it.
        """
        if self._tokens is None:
            return None
        payer = f"principal:{viewer.principal_id}" if viewer.token_id is None else f"token:{viewer.token_id}"
        try:
            return self._tokens.spend(payer, cost)
        except Spent as spent:
            sentence = f"This token has asked for too much: wait {spent.seconds} s, or ask for less."
            raise HttpRefusal(429, TOO_MANY, sentence, {"Retry-After": str(spent.seconds)}) from None

    def admit(self, address: str | None, credential: str | None) -> None:
        """To be asked before a credential is looked at: raises a 429 where too many from there were no good, except
        for a credential that was good a moment ago.
        """
        if credential is None or not self._is_known(credential):
            self._strangers.refuse_if_spent(party(address), _STRANGERS)

    def count_stranger(self, address: str | None) -> None:
        """A request without a valid sign-in came from there; raises a 429 when it was one too many."""
        self._strangers.spend(party(address), 1, _STRANGERS)

    def welcome(self, credential: str) -> None:
        """The credential was good."""
        with self._knowing:
            self._known[digest_of(credential)] = time.monotonic()
            self._known.move_to_end(digest_of(credential))
            while len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)

    def unwelcome(self, credential: str) -> None:
        """The credential is good no more."""
        with self._knowing:
            self._known.pop(digest_of(credential), None)

    def count_attempt(self, address: str | None, account: str) -> None:
        """An attempt at a password; raises a 429, before anything is computed, when there were too many."""
        place, tried = self._place(address), digest_of(account)
        keys = [(item, (place,)) for item in PER_ADDRESS] + [(item, (place, tried)) for item in PER_ACCOUNT]
        for item, key in keys:
            if not self._passwords.hit(item, *key):
                raise _too_many(self._passwords, item, *key, sentence="Too many attempts: wait before the next one.")

    def forgive(self, address: str | None, account: str) -> None:
        """The right password was given: earlier attempts at this account from there do not count any more."""
        for item in PER_ACCOUNT:
            self._passwords.clear(item, self._place(address), digest_of(account))

    def _place(self, address: str | None) -> str:
        storage = self._passwords.storage
        assert isinstance(storage, MemoryStorage)
        place = party(address)
        full = len(storage.events) >= MOST_PARTIES
        return "crowd" if full and PER_ADDRESS[-1].key_for(place) not in storage.events else place

    def _is_known(self, credential: str) -> bool:
        since = self._known.get(digest_of(credential))
        return since is not None and time.monotonic() - since < KNOWN_SECONDS


_STRANGERS = "Too many requests without a valid sign-in came from your address: wait a little."


class _Counted:
    """So many a minute per key; 0 for any number."""

    def __init__(self, limiter: SlidingWindowCounterRateLimiter, rate: int) -> None:
        self._limiter = limiter
        self._item = RateLimitItemPerMinute(rate) if rate else None

    def spend(self, key: str, cost: int, sentence: str) -> None:
        if self._item is not None and not self._limiter.hit(self._item, self._kept(key), cost=cost):
            raise _too_many(self._limiter, self._item, self._kept(key), sentence=sentence)

    def refuse_if_spent(self, key: str, sentence: str) -> None:
        if self._item is not None and not self._limiter.test(self._item, self._kept(key)):
            raise _too_many(self._limiter, self._item, self._kept(key), sentence=sentence)

    def _kept(self, key: str) -> str:
        """The key itself, or the crowd's when too many are kept already."""
        storage = self._limiter.storage
        assert isinstance(storage, Counts)
        assert self._item is not None
        if len(storage.storage) < MOST_PARTIES:
            return key
        known = self._limiter.get_window_stats(self._item, key).remaining < self._item.amount
        return key if known else "crowd"


def _too_many(limiter: RateLimiter, item: RateLimitItem, *key: str, sentence: str) -> HttpRefusal:
    again = limiter.get_window_stats(item, *key).reset_time - time.time()
    wait = max(1, min(math.ceil(again), item.get_expiry()))
    return HttpRefusal(429, TOO_MANY, sentence, {"Retry-After": str(wait)})
