"""Rights that a file claims for itself, read into proposals that a person may make a draft licence of.

A proposal is a claim by whoever wrote the file: it is kept nowhere, grants nothing, and follows from the metadata of a
version whenever somebody asks. `plus` knows the codes of PLUS, `public` the addresses of public licences, `places` how
one place of a file is read, `reading` what all of them propose.
"""

from __future__ import annotations

from domain.licensing.proposals.drafting import Wish, draft
from domain.licensing.proposals.kept import entries_of, of_versions
from domain.licensing.proposals.places import Entries
from domain.licensing.proposals.reading import PLACES, proposal
from domain.licensing.proposals.told import (
    Constraint,
    Field,
    LicenseProposal,
    ProposedDuty,
    ProposedParty,
    Role,
    Source,
    Unread,
)

__all__ = [
    "PLACES",
    "Constraint",
    "Entries",
    "Field",
    "LicenseProposal",
    "ProposedDuty",
    "ProposedParty",
    "Role",
    "Source",
    "Unread",
    "Wish",
    "draft",
    "entries_of",
    "of_versions",
    "proposal",
]
