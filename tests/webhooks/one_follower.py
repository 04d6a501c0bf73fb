"""`python -m tests.webhooks.one_follower`: a process that finds words for webhooks, as servers do, until it dies."""

from __future__ import annotations

import signal

from domain.hub import open_hub
from server import hooks
from storage.settings import load

if __name__ == "__main__":
    hub = open_hub(load(), upgrade=False)
    with hooks.following(hub):
        signal.pause()
