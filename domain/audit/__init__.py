"""What was done and delivered, told to those who may know, and whether anybody has tampered with the telling.

`reading` finds events, `verifying` follows their chains, `deliveries` writes down what left the hub.
"""

from __future__ import annotations

from domain.audit.deliveries import Served, first_served, served
from domain.audit.reading import Asked, count, counts, histories, kinds_of, may_of, page, payloads
from domain.audit.verifying import Break, Fault, Verification, check, verify

__all__ = [
    "Asked",
    "Break",
    "Fault",
    "Served",
    "Verification",
    "check",
    "count",
    "counts",
    "first_served",
    "histories",
    "kinds_of",
    "may_of",
    "page",
    "payloads",
    "served",
    "verify",
]
