"""What may be delivered, compiled: for every shown version all uses that the engine would allow, as rows that a list is
filtered by.

Always true here:
- What is compiled is what the engine's own clauses and bars say (`clearing.cleared`); nothing is decided anew here.
- A use is one without quantity, size, alterations or context, and its window's days are those of each licence's zone.
- Nothing has to be compiled anew because time passes.
- Terms that take too many questions to compile let nothing out here (`compiling.MOST_ASKED`), whatever the engine says.
- A version whose compiled rows are not of its asset's present epoch is not listed.
"""

from __future__ import annotations

from domain.licensing.compiled.asking import wanted
from domain.licensing.compiled.keeping import (
    LISTED_AT_ONCE,
    compiled,
    forget_unused,
    has_other_rules,
    keep,
    list_astray,
)
from domain.licensing.compiled.verdicts import lets_out
from domain.licensing.compiled.verdicts import of as verdicts_of

__all__ = [
    "LISTED_AT_ONCE",
    "compiled",
    "forget_unused",
    "has_other_rules",
    "keep",
    "lets_out",
    "list_astray",
    "verdicts_of",
    "wanted",
]
