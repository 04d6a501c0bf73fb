"""Telling others what happened: which webhooks there are, what each is told with whose rights, and what became of it.

`endpoints` makes them, `following` writes down what is to be told, `sending` sends it, `deliveries` lists it. Finding
the words is GraphQL's: the server hands `following` a function for it.
"""

from __future__ import annotations

from domain.webhooks.deliveries import (
    PURGE_BATCH,
    attempts_of,
    bodies,
    counts_of_webhooks,
    of_webhooks,
    purge,
    replay,
    spelt,
    test,
)
from domain.webhooks.deliveries import by_id as deliveries_by_id
from domain.webhooks.endpoints import (
    MAX_DOCUMENT,
    NewSecret,
    Wish,
    archive,
    by_id,
    count,
    create,
    page,
    rotate_secret,
    update,
)
from domain.webhooks.following import Follower, Words
from domain.webhooks.messages import SendWebhooks, TendWebhooks, WakeWebhook, ask_sending, ask_waking
from domain.webhooks.sending import ask_for_the_rest, send_due, tend
from domain.webhooks.topics import TOPICS, seen_with

__all__ = [
    "MAX_DOCUMENT",
    "PURGE_BATCH",
    "TOPICS",
    "Follower",
    "NewSecret",
    "SendWebhooks",
    "TendWebhooks",
    "WakeWebhook",
    "Wish",
    "Words",
    "archive",
    "ask_for_the_rest",
    "ask_sending",
    "ask_waking",
    "attempts_of",
    "bodies",
    "by_id",
    "count",
    "counts_of_webhooks",
    "create",
    "deliveries_by_id",
    "of_webhooks",
    "page",
    "purge",
    "replay",
    "rotate_secret",
    "seen_with",
    "send_due",
    "spelt",
    "tend",
    "test",
    "update",
]
