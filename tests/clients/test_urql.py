"""urql, set up as docs/clients.md says."""

from __future__ import annotations

from tests.clients.conftest import ASSETS, Script

RESPONSE = "application/graphql-response+json"
POSTED = {"method": "POST", "sent": True, "named": False, "prefersStreams": False, "offersStreams": True}
READ = {**POSTED, "method": "GET", "sent": False, "named": True}


def test_urql_reads_writes_persists_and_subscribes_in_both_ways(script: Script) -> None:
    found = script("urql.mjs")
    # It accepts event streams for whatever it asks, and gets what it named first.
    assert found["asked"] == [{**POSTED, "status": 200, "type": RESPONSE}]
    assert found["total"] == ASSETS
    assert found["fromCache"] == []
    assert found["renamed"] == found["shown"] == "Zz, renamed"
    assert found["askedAgain"] == 1
    assert found["refused"] == [{"__typename": "StaleRevisionError", "code": "STALE_REVISION"}]
    assert found["invalid"] == ["GRAPHQL_VALIDATION_FAILED"]
    assert found["firstAsked"] == [
        {**READ, "status": 400, "type": RESPONSE},
        {**READ, "sent": True, "status": 200, "type": RESPONSE},
    ]
    assert found["namedOnly"] == [{**READ, "status": 200, "type": RESPONSE}]
    assert found["overSocket"] == found["overStream"] == "Zz, told …"
    assert found["stream"] == "text/event-stream"
