"""Apollo Client, set up as docs/clients.md says."""

from __future__ import annotations

from tests.clients.conftest import ASSETS, Script

RESPONSE = "application/graphql-response+json"
NAMED = {"method": "POST", "sent": False, "named": True, "prefersStreams": False, "offersStreams": False}


def test_apollo_client_reads_pages_writes_caches_by_id_persists_and_subscribes(script: Script) -> None:
    found = script("apollo.mjs")
    assert found["possible"] == ["Person", "ServiceAccount"]
    assert found["firstAsked"] == [
        {**NAMED, "status": 400, "type": RESPONSE},
        {**NAMED, "sent": True, "status": 200, "type": RESPONSE},
    ]
    assert found["askedAgain"] == [{**NAMED, "status": 200, "type": RESPONSE}]
    assert found["pages"] == {"edges": ASSETS, "different": ASSETS}
    assert found["keyed"]
    assert found["renamed"] == "Aa, renamed"
    # One document that the hub did not know, and nothing read again.
    assert [request["sent"] for request in found["renaming"]] == [False, True]
    assert found["byInterface"] == {"__typename": "Person", "name": "Administrator"}
    assert found["refused"] == [{"__typename": "StaleRevisionError", "code": "STALE_REVISION", "newer": True}]
    assert found["invalid"] == {"combined": True, "code": "GRAPHQL_VALIDATION_FAILED"}
    assert found["told"] == {"id": True, "hasCursor": True, "title": "Aa, told …"}
    assert found["shown"]
