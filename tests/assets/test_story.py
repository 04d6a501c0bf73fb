"""Assets through GraphQL: arriving, duplicates, versions, changes, archive, approval."""

from __future__ import annotations

from tests.asking import Client
from tests.imaging import made

ONE, TWO, THREE = (made.encoded(made.quadrants(side, 30), "PNG") for side in (40, 50, 60))


def test_an_upload_becomes_an_asset_titled_after_its_file(client: Client) -> None:
    asset = client.create(ONE, "summer_hero-01.png")
    found = client.ask(
        """query ($id: ID!) { asset(id: $id) {
             title kind lifecycle revision description viewerCan tags { name }
             current { number mediaType byteSize fileName analysis renditions { preset state } } } }""",
        id=asset["id"],
    )["asset"]
    assert found == {
        "title": "summer hero-01",
        "kind": "IMAGE",
        "lifecycle": "DRAFT",
        "revision": 1,
        "description": None,
        "viewerCan": ["UPDATE", "ADD_VERSION", "APPROVE", "ARCHIVE", "DOWNLOAD", "SHARE", "TRASH"],
        "tags": [],
        "current": {
            "number": 1,
            "mediaType": "image/png",
            "byteSize": str(len(ONE)),
            "fileName": "summer_hero-01.png",
            "analysis": "QUEUED",
            "renditions": [
                {"preset": "thumb", "state": "QUEUED"},
                {"preset": "web", "state": "QUEUED"},
                {"preset": "avif", "state": "QUEUED"},
            ],
        },
    }
