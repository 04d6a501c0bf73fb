"""Bringing a folder of files into the hub, several at a time, each read once.

A file's bytes stand in the blob store before the one transaction that makes its asset and remembers the file as
finished: whatever is interrupted, running the import again goes on where it ended, and nothing is there twice. Bytes
that are here already make no second asset, whoever brought them and whether or not that one is archived.
"""

from __future__ import annotations

from domain.importing.bringing import Halted, run, survey
from domain.importing.outcomes import Outcome, Word
from domain.importing.watching import watch

__all__ = ["Halted", "Outcome", "Word", "run", "survey", "watch"]
