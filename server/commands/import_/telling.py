"""What an import tells: an account for people, JSON lines for programs.

No path but the one relative to the imported folder is ever told, and none in a form that could steer a terminal.
"""

from __future__ import annotations

import base64
import os
import sys
import time
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
from rich.filesize import decimal

from domain.global_ids import encode
from domain.importing import Outcome, Word
from domain.importing.walking import HIDDEN

#: Files named per group; the rest are counted.
EXAMPLES = 5
_JOINERS = "\u200c\u200d"
_GROUPS = {
    "EMPTY": "empty",
    "TOO_LARGE": "larger than this hub takes",
    "NOT_WHAT_IT_CLAIMS": "not what their names say",
    "UNREADABLE": "unreadable",
    "CHANGED": "changed while they were read",
    "HIDDEN": "hidden or left behind by a system",
    "LINK": "links",
    "SPECIAL": "pipes, sockets or devices",
    "OWN_DATA": "the hub's own data",
    "GONE": "gone before they could be read",
}


@dataclass
class Account:
    """What became of the files so far; of each group only its first examples are held."""

    counts: Counter[Word] = field(default_factory=Counter)
    reasons: dict[Word, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    examples: dict[tuple[Word, str], list[Outcome]] = field(default_factory=lambda: defaultdict(list))
    #: Bytes of new files and of duplicates: what was read to the end.
    read_bytes: int = 0
    began: float = field(default_factory=time.monotonic)

    @property
    def refused(self) -> int:
        return self.counts[Word.REFUSED]

    def note(self, outcome: Outcome) -> None:
        self.counts[outcome.word] += 1
        if outcome.word in {Word.NEW, Word.DUPLICATE}:
            self.read_bytes += outcome.byte_size
        if outcome.reason is not None:
            self.reasons[outcome.word][outcome.reason] += 1
        group = self.examples[outcome.word, outcome.reason or ""]
        if len(group) < EXAMPLES:
            group.append(outcome)

    def as_json(self, ended: str, sentence: str | None) -> dict[str, Any]:
        told: dict[str, Any] = {word.value.lower(): self.counts[word] for word in Word}
        told |= {
            "refusedByReason": dict(self.reasons[Word.REFUSED]),
            "skippedByReason": dict(self.reasons[Word.SKIPPED]),
            "readBytes": self.read_bytes,
            "seconds": round(time.monotonic() - self.began, 3),
            "ended": ended,
            "message": sentence,
        }
        return {"summary": told}

    def as_lines(self) -> Iterator[str]:
        seconds = time.monotonic() - self.began
        rate = decimal(int(self.read_bytes / max(seconds, 0.001)))
        yield f"{self.counts[Word.NEW]:>8,} new"
        yield f"{self.counts[Word.DUPLICATE]:>8,} {'duplicate' if self.counts[Word.DUPLICATE] == 1 else 'duplicates'}"
        yield from self._examples(Word.DUPLICATE, "")
        yield f"{self.counts[Word.UNCHANGED]:>8,} imported earlier and unchanged since"
        yield f"{self.refused:>8,} refused"
        for reason, count in self.reasons[Word.REFUSED].most_common():
            yield f"{'':8} {count:,} {_GROUPS.get(reason, reason)}:"
            yield from self._examples(Word.REFUSED, reason)
        yield f"{self.counts[Word.SKIPPED]:>8,} skipped"
        for reason, count in self.reasons[Word.SKIPPED].most_common():
            yield f"{'':8} {count:,} {_GROUPS.get(reason, reason)}"
            if reason != HIDDEN:
                yield from self._examples(Word.SKIPPED, reason)
        yield f"{decimal(self.read_bytes)} were read in {seconds:,.1f} s ({rate}/s)."

    def _examples(self, word: Word, reason: str) -> Iterator[str]:
        shown = self.examples.get((word, reason), [])
        for outcome in shown:
            yield f"{'':10} {in_words(outcome)}"
        total = self.reasons[word][reason] if reason else self.counts[word]
        if total > len(shown):
            yield f"{'':10} … and {total - len(shown):,} more"


def in_words(outcome: Outcome) -> str:
    path = printable(outcome.path)
    if outcome.word is Word.DUPLICATE:
        return f"{path}: duplicate of “{outcome.title}” ({encode('Asset', outcome.asset_id or 0)})"
    return f"{path}: {outcome.sentence}" if outcome.sentence else path


def is_worth_a_line(outcome: Outcome) -> bool:
    """Hidden things are only counted."""
    return outcome.reason != HIDDEN


def file_as_json(outcome: Outcome) -> dict[str, Any]:
    """What is known of one file; `pathBytes` (base64) stands beside a path that is no UTF-8."""
    raw = os.fsencode(outcome.path)
    path = raw.decode(errors="replace")
    told: dict[str, Any] = {"path": path, "outcome": outcome.word.value, "byteSize": outcome.byte_size}
    if path.encode() != raw:
        told["pathBytes"] = base64.b64encode(raw).decode()
    if outcome.asset_id is not None:
        told |= {
            "asset": encode("Asset", outcome.asset_id),
            "title": outcome.title,
            "sha256": outcome.sha256,
        }
    if outcome.reason is not None:
        told |= {"reason": outcome.reason, "message": outcome.sentence}
    return told


def closing(account: Account, ended: str, sentence: str | None, waiting: int) -> Iterator[str]:
    """What whoever ran the import should do next."""
    if sentence:
        yield sentence
    if ended != "COMPLETE":
        yield "Stopped. What was imported is safe: run the same command again to go on from there."
    if account.counts[Word.NEW] and waiting:
        yield (
            f"{waiting:,} jobs wait for the workers, who make renditions and tell the search index: "
            "they run beside `python -m server`, or on their own as `python -m workers`."
        )


def write_json(told: dict[str, Any]) -> None:
    sys.stdout.buffer.write(orjson.dumps(told) + b"\n")
    sys.stdout.buffer.flush()


def write_lines(lines: Iterator[str]) -> None:
    for line in lines:
        sys.stdout.buffer.write(_encoded(line, sys.stdout.encoding))
    sys.stdout.buffer.flush()


def explain(lines: Iterator[str]) -> None:
    """To people, beside whatever programs read."""
    for line in lines:
        sys.stderr.buffer.write(_encoded(line, sys.stderr.encoding))
    sys.stderr.buffer.flush()


def printable(path: str) -> str:
    """The path in one line: what would steer a terminal or turn its reading direction is spelt out."""
    text = os.fsencode(path).decode(errors="backslashreplace")
    return "".join(letter if _is_harmless(letter) else letter.encode("unicode_escape").decode() for letter in text)


def _is_harmless(letter: str) -> bool:
    return letter.isprintable() or letter in _JOINERS or unicodedata.category(letter) in {"Zs", "Co", "Cn"}


def _encoded(line: str, encoding: str) -> bytes:
    return f"{line}\n".encode(encoding, errors="backslashreplace")
