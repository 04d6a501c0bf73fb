"""How the hub reaches addresses that somebody gave it: webhooks, and files that are imported.

Always true here:
- An address is spelt plainly, or refused: no name or password in it, no number that stands for an address in disguise.
- A name is looked up once; every address it has is checked, and the connection is made to one that was. The certificate
  and the `Host` are for the name.
- Only what the whole internet can reach is reached, unless the operator allows a network. Each redirect is a new
  address.
- Nothing takes longer, and no more of an answer is held, than is said beforehand.
"""

from __future__ import annotations

from domain.egress.rules import Forbidden, Rules, Target, check_address, target_of
from domain.egress.sending import Answer, Egress, Incoming, Unanswered, of_import_settings, of_settings

__all__ = [
    "Answer",
    "Egress",
    "Forbidden",
    "Incoming",
    "Rules",
    "Target",
    "Unanswered",
    "check_address",
    "of_import_settings",
    "of_settings",
    "target_of",
]
