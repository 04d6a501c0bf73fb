"""An implementation that is not ours verifies what the hub signs: npm's `standardwebhooks`, in Node.js."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.assets import acts
from tests.webhooks.house import House
from tests.working import mutate

SOURCE = Path(__file__).parent / "npm"
#: Seconds for npm to fetch three small packages.
PATIENCE = 180


@pytest.fixture(scope="session")
def verifier(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """The program, with its packages installed at the versions of `npm/package-lock.json`."""
    if missing := [name for name in ("node", "npm") if shutil.which(name) is None]:
        sentence = f"No independent verifier ({', '.join(missing)}): install Node.js and npm."
        if request.config.getoption("--require-servers"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    folder = tmp_path_factory.mktemp("verifier")
    for name in ("package.json", "package-lock.json", "verify.mjs"):
        shutil.copy(SOURCE / name, folder)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "verify.mjs"


def verified(program: Path, *messages: dict[str, Any]) -> list[dict[str, Any]]:
    done = subprocess.run(
        ["node", program], input=json.dumps(messages), capture_output=True, text=True, timeout=60, check=True
    )
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def test_npms_standardwebhooks_verifies_our_messages_and_refuses_altered_ones(house: House, verifier: Path) -> None:
    hook = house.made()
    house.asset(title="Zürich — „Löwe” 🦁")
    house.tell()
    given = {"webhook": hook["id"], "expectedRevision": hook["revision"], "overlapHours": 1}
    fresh = acts.accepted(mutate(house.client, "webhookSecretRotate", "webhook { id } secret", **given))["secret"]
    acts.accepted(mutate(house.client, "webhookTest", "delivery { id }", webhook=hook["id"]))
    house.send()
    messages: list[dict[str, Any]] = [
        {"headers": {name: each.headers[name] for name in each.headers}, "body": each.body.decode()}
        for each in house.there.got
    ]
    first, second = messages
    altered = {**first, "body": first["body"].replace("Löwe", "Maus")}
    renamed = {**first, "headers": {**first["headers"], "webhook-id": "msg_other"}}
    answers = verified(
        verifier,
        {**first, "secret": hook["secret"]},
        {**second, "secret": hook["secret"]},
        {**second, "secret": fresh},
        {**first, "secret": fresh},
        {**altered, "secret": hook["secret"]},
        {**renamed, "secret": hook["secret"]},
    )
    assert answers[0]["told"]["data"]["node"]["title"] == "Zürich — „Löwe” 🦁"
    assert [each.get("told", {}).get("type") for each in answers[:3]] == [
        "asset.created",
        "webhook.ping",
        "webhook.ping",
    ]
    assert [each.get("refused") for each in answers[3:]] == ["WebhookVerificationError"] * 3
