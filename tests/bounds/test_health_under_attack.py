"""A real server goes on answering while it is attacked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import httpx

from tests.bounds.attacks import ATTACKS, Attack
from tests.bounds.pausing import under
from tests.server import program

#: Seconds. `bench/bounds.py` measures what it really is; here a server must only be told from one that stands still,
#: on a machine that has other things to do. Validating an unbounded document kept it waiting for longer than this.
LONGEST_PAUSE = 2.0


def test_no_attack_keeps_the_health_check_waiting(tmp_path: Path) -> None:
    """A machine that was busy with something else for a moment gets another chance, with documents that are new."""
    with program.running(tmp_path / "data", TOKEN_BUDGET="0") as served:
        token, address = served.token(), served.address()
        assert token
        codes: dict[str, list[str]] = {}
        pauses = [under(address, token, list(ATTACKS), lambda *told: codes.update(_codes(*told))).longest]
        while pauses[-1] > LONGEST_PAUSE and len(pauses) < 3:
            fresh = [replace(attack, query="," * len(pauses) + attack.query) for attack in ATTACKS]
            pauses.append(under(address, token, fresh, lambda *_: None).longest)
        assert served.stop() == 0
    told_by_their_size = {name for name, found in codes.items() if found == ["TOO_LARGE"]}
    assert {attack.name: attack.code for attack in ATTACKS if attack.name not in told_by_their_size} == {
        name: found[0] for name, found in codes.items() if name not in told_by_their_size
    }
    assert len(told_by_their_size) < 5
    assert pauses[-1] < LONGEST_PAUSE


def _codes(attack: Attack, answer: httpx.Response) -> dict[str, list[str]]:
    return {attack.name: [error["extensions"]["code"] for error in answer.json()["errors"]]}
