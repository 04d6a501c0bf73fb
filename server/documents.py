"""Which GraphQL document a request means: the one it holds, or one it names by its digest.

Named are trusted documents (`domain/documents.py`), which any transport may run, and, where the operator lets clients
do so, what a client sent before with its digest: Apollo's automatic persisted queries. Where only trusted documents
run, nothing else does, however it is sent.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final

from domain import documents
from domain.hub import Hub
from domain.work import HUB
from schema import documents as known
from server.parameters import Parameters, bad
from server.problems import HttpRefusal

#: Documents, and bytes of all of them together, that one process remembers for its clients.
MOST_REMEMBERED: Final = 2_000
MOST_BYTES: Final = 16 * 1024 * 1024
#: What a client is told that names a document nobody knows: Apollo's clients wait for exactly these words.
NOT_FOUND: Final = ("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND")
NOT_SUPPORTED: Final = ("PersistedQueryNotSupported", "PERSISTED_QUERY_NOT_SUPPORTED")

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class Unknown(Exception):
    """A well-formed request names a document that is not here: answered as GraphQL answers what cannot run."""

    def __init__(self, sentence: str, code: str) -> None:
        super().__init__(sentence)
        self.sentence, self.code = sentence, code


class Remembered:
    """Documents by digest; of too many, those go that were asked for longest ago."""

    def __init__(self) -> None:
        self._texts: OrderedDict[str, str] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def text_of(self, digest: str) -> str | None:
        with self._lock:
            text = self._texts.get(digest)
            if text is not None:
                self._texts.move_to_end(digest)
            return text

    def keep(self, digest: str, text: str) -> None:
        with self._lock:
            if self._texts.setdefault(digest, text) is text:
                self._bytes += len(text.encode())
            while len(self._texts) > MOST_REMEMBERED or self._bytes > MOST_BYTES:
                _, gone = self._texts.popitem(last=False)
                self._bytes -= len(gone.encode())


@dataclass(frozen=True)
class Meant:
    text: str
    #: To be kept in `Remembered` once the document has proved to be valid.
    digest: str | None = None


def meant(hub: Hub, remembered: Remembered, told: Parameters) -> Meant:
    """The document to run. Reads rows. `Unknown`, and `HttpRefusal` where only trusted documents run."""
    only_trusted, digest = hub.settings.trusted_only, _digest_named(told)
    if told.query is not None:
        if digest is not None and documents.digest_of(told.query) != digest:
            raise bad("The SHA-256 in `extensions.persistedQuery` is not that of `query`.")
        if only_trusted and _trusted(hub, documents.digest_of(told.query)) is None:
            raise only_trusted_run()
        return Meant(told.query, digest if hub.settings.automatic_persisted_queries else None)
    text = None if digest is None else _trusted(hub, digest) or remembered.text_of(digest)
    if text is not None:
        return Meant(text)
    if told.document_id is not None:
        raise Unknown("There is no registered document with this `documentId`.", NOT_FOUND[1])
    if only_trusted:
        raise only_trusted_run()
    raise Unknown(*(NOT_FOUND if hub.settings.automatic_persisted_queries else NOT_SUPPORTED))


def is_plain(hub: Hub, told: Parameters) -> bool:
    """Whether the request holds its document itself, and any may run."""
    return told.query is not None and not hub.settings.trusted_only and "persistedQuery" not in (told.extensions or {})


def only_trusted_run() -> HttpRefusal:
    sentence = "Only registered documents run here: ask by the `documentId` of one."
    return HttpRefusal(403, "TRUSTED_DOCUMENTS_ONLY", sentence)


def _digest_named(told: Parameters) -> str | None:
    """By `documentId`, or by Apollo's extension; None where neither names one as we do."""
    if told.document_id is not None:
        named = documents.digest_named(told.document_id)
        return named if _DIGEST.fullmatch(named) else None
    asked: Any = (told.extensions or {}).get("persistedQuery")
    if asked is None and told.query is not None:
        return None
    if not isinstance(asked, dict) or asked.get("version") != 1:
        raise bad("`extensions.persistedQuery` is an object with `version` 1 and `sha256Hash`.")
    digest = asked.get("sha256Hash")
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise bad("`extensions.persistedQuery.sha256Hash` is 64 lower-case hexadecimal digits.")
    return digest


def _trusted(hub: Hub, digest: str) -> str | None:
    built_in = known.BUILT_IN.get(digest)
    if built_in is not None:
        return built_in
    with hub.reading(HUB) as work:
        return documents.text_of(work, digest)
