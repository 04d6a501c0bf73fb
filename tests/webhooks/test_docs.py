"""What docs/webhooks.md shows is done as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from schema.webhooks.telling import MAX_COST, VARIABLES
from tests.assets import acts
from tests.webhooks.house import House

TEXT = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()


def block(language: str, place: int = 0) -> str:
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    return found[place]


def test_the_documented_webhook_is_told_verified_and_listed_as_documented(house: House, capsys: Any) -> None:
    document = block("graphql").replace("https://shop.example/hooks/imprimatur", house.there.url)
    made = house.client.ask(document)["webhookCreate"]
    assert made["errors"] == []
    asset = house.asset(title="A lighthouse", tags=["sea"])
    given = {"version": asset["current"]["id"], "sha256": asset["current"]["sha256"]}
    acts.accepted(house.client.mutate("assetVersionApprove", "asset { id }", ownWork=True, **given))
    house.tell()
    (got,) = house.there.got
    assert got.headers["x-shop-key"] == "kept encrypted, shown to nobody"
    exec(block("python"), {"secret": made["secret"], "body": got.body, "headers": got.headers})
    said = capsys.readouterr().out.splitlines()[-1]
    assert said.startswith("asset.version_approved {'node': {'id': ")
    (listed,) = house.client.ask(block("graphql", 1))["webhooks"]["nodes"]
    assert (listed["name"], listed["state"]) == ("The web shop", "ACTIVE")
    assert [each["state"] for each in listed["deliveries"]["nodes"]] == ["DELIVERED"]


def test_the_documented_variables_and_limits_are_those_that_hold() -> None:
    assert dict(re.findall(r"\| `\$(\w+): (\w+)!` \|", TEXT)) == VARIABLES
    assert f"a cost of at most {MAX_COST}" in TEXT
