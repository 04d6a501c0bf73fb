"""What may be delivered is compiled: where rights have changed at once, and once a day whatever is not as it should be.

Nobody who reads waits for it, and nobody who writes longer than some assets take.
"""

from __future__ import annotations

from datetime import timedelta

from domain.licensing import compiled
from domain.licensing.compiled.messages import CheckCompiledRights
from domain.recompiling import CompileRights
from domain.work import Work
from storage.jobs import Claimed
from workers.registry import Chore, Handler, Tools, Write


def compile_rights(tools: Tools, _job: Claimed) -> Write:
    """All that is due, some hundred assets in a transaction of their own."""
    with tools.reading() as work:
        has_other_rules = compiled.has_other_rules(work)
    if has_other_rules:
        _list_astray(tools)
    beyond = 0
    while True:
        tools.tick()
        with tools.reading() as work:
            found = compiled.compiled(work, beyond)
        if found is None:
            return _nothing_more
        with tools.writing() as work:
            compiled.keep(work, found)
        beyond = max(found.times)


def check_compiled_rights(tools: Tools, _job: Claimed) -> Write:
    _list_astray(tools)
    removed = compiled.LISTED_AT_ONCE
    while removed == compiled.LISTED_AT_ONCE:
        tools.tick()
        with tools.writing() as work:
            removed = compiled.forget_unused(work)
    return _nothing_more


def _list_astray(tools: Tools) -> None:
    beyond: int | None = 0
    while beyond is not None:
        tools.tick()
        with tools.writing() as work:
            beyond = compiled.list_astray(work, beyond)


def _nothing_more(_work: Work) -> None: ...


HANDLERS: dict[str, Handler] = {
    CompileRights.kind: compile_rights,
    CheckCompiledRights.kind: check_compiled_rights,
}
CHORES = (
    # Whoever changed rights has asked for it; this is for what was written past the domain, and for new rules.
    Chore("compile_rights", timedelta(minutes=5), CompileRights()),
    Chore("check_compiled_rights", timedelta(days=1), CheckCompiledRights()),
)
