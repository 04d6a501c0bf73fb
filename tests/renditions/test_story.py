"""Renditions through GraphQL: asked for by an upload, made by workers, fetched by a signed address."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from domain import delivery
from domain.hub import Hub
from tests.asking import Client, rows_everywhere, statements
from tests.imaging import made, made_hostile
from tests.working import jobs_of, mutate, reads, work_off

RENDITIONS = """id preset state mediaType width height byteSize sha256 failure { code message retryable }
                url { url validUntil }"""
QUERY = f"""query ($id: ID!) {{ asset(id: $id) {{ current {{
              analysis width height mediaType failure {{ code }} renditions {{ {RENDITIONS} }} }} }} }}"""

#: Preset → (media type, longest side), as a brand begins with them.
SEEDS = {"thumb": ("image/webp", 320), "web": ("image/jpeg", 1600), "avif": ("image/avif", 800)}
RETRY = f"rendition {{ {RENDITIONS} }}"


def seen(client: Client, asset: dict[str, Any]) -> dict[str, Any]:
    version: dict[str, Any] = client.ask(QUERY, id=asset["id"])["asset"]["current"]
    return version


def by_preset(version: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["preset"]: each for each in version["renditions"]}


def fetched(hub: Hub, client: Client, url: str) -> tuple[delivery.Delivery, bytes]:
    """What the address opens, and the bytes behind it."""
    with hub.reading(client.viewer) as work:
        opened = delivery.open_door(work, url.rpartition("/")[2])
    with hub.blobs.open(opened.sha256) as stream:
        return opened, stream.read()


def picture(side: int, colour: int = 0) -> bytes:
    return made.encoded(made.solid((colour % 256, colour // 256, side % 256), size=(side, side)), "PNG")


def test_every_format_becomes_all_three_renditions_never_larger_than_the_original(hub: Hub, client: Client) -> None:
    assets = {name: client.create(data, name) for name, (_, data) in made.every_format().items()}
    work_off(hub)
    for name, (media_type, _) in made.every_format().items():
        version = seen(client, assets[name])
        assert (version["analysis"], version["mediaType"]) == ("READY", media_type), name
        for preset, (made_as, _) in SEEDS.items():
            one = by_preset(version)[preset]
            assert (one["state"], one["mediaType"], one["failure"]) == ("READY", made_as, None), (name, preset)
            assert (one["width"], one["height"]) == ((240, 160) if name != "a.pdf" else (one["width"], one["height"]))
            opened, data = fetched(hub, client, one["url"]["url"])
            assert (opened.media_type, opened.sha256) == (made_as, one["sha256"])
            assert str(len(data)) == one["byteSize"]
            with Image.open(io.BytesIO(data)) as rendered:
                assert rendered.size == (one["width"], one["height"]), (name, preset)
                assert Image.MIME[rendered.format or ""] == made_as
                assert max(made.distance(a, b) for a, b in zip(made.corners(rendered), made.CORNERS, strict=True)) < 24


def test_a_large_photograph_is_fitted_into_each_box(hub: Hub, client: Client) -> None:
    asset = client.create(made.encoded(made.photo_like(2000, 1000), "JPEG", quality=70), "wide.jpg")
    work_off(hub)
    version = seen(client, asset)
    sizes = {preset: (one["width"], one["height"]) for preset, one in by_preset(version).items()}
    assert sizes == {"thumb": (320, 160), "web": (1600, 800), "avif": (800, 400)}
    assert (version["width"], version["height"]) == (2000, 1000)


def test_real_photographs_of_a_telephone_and_a_camera_are_rendered(hub: Hub, client: Client) -> None:
    assets = [client.create(made.photograph(name).read_bytes(), name) for name in ("coffee.heic", "hubble.jpg")]
    work_off(hub)
    for asset in assets:
        assert {one["state"] for one in seen(client, asset)["renditions"]} == {"READY"}


def test_a_turned_photograph_is_rendered_upright_and_measured_as_it_is_seen(hub: Hub, client: Client) -> None:
    asset = client.create(made.lying(6), "turned.jpg")
    work_off(hub)
    version = seen(client, asset)
    assert (version["width"], version["height"]) == (240, 160)
    _, data = fetched(hub, client, by_preset(version)["web"]["url"]["url"])
    with Image.open(io.BytesIO(data)) as rendered:
        assert max(made.distance(a, b) for a, b in zip(made.corners(rendered), made.CORNERS, strict=True)) < 24


def test_the_first_page_of_a_document_is_its_picture(hub: Hub, client: Client) -> None:
    pages = [made.solid(colour, size=(200, 100)) for colour in ((220, 30, 30), (30, 30, 220))]
    data = made.encoded(pages[0], "PDF", save_all=True, append_images=pages[1:], resolution=72)
    asset = client.create(data, "two pages.pdf")
    work_off(hub)
    web = by_preset(seen(client, asset))["web"]
    _, rendered = fetched(hub, client, web["url"]["url"])
    with Image.open(io.BytesIO(rendered)) as page:
        middle = page.convert("RGB").getpixel((page.width // 2, page.height // 2))
    assert isinstance(middle, tuple)
    assert made.distance((int(middle[0]), int(middle[1]), int(middle[2])), (220, 30, 30)) < 24


def test_a_rendition_goes_from_queued_over_running_to_ready(hub: Hub, client: Client, monkeypatch: Any) -> None:
    asset = client.create(picture(40))
    states = [{one["state"] for one in seen(client, asset)["renditions"]}]
    adopt = type(hub.blobs).adopt

    def watched(store: Any, path: Any) -> Any:
        states.append({one["state"] for one in seen(client, asset)["renditions"]})
        return adopt(store, path)

    monkeypatch.setattr(type(hub.blobs), "adopt", watched)
    work_off(hub)
    states.append({one["state"] for one in seen(client, asset)["renditions"]})
    assert states == [{"QUEUED"}, *([{"RUNNING"}] * 3), {"READY"}]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("page.indd", bytes.fromhex("0606edf5d81d46e5bd31efe7fe74b71d") + b"\0" * 64),
        ("logo.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n" * 4),
        ("notes.txt", b"just words, no picture\n" * 20),
    ],
)
def test_what_is_no_picture_fails_with_a_sentence_and_is_not_tried_again(
    hub: Hub, client: Client, name: str, data: bytes
) -> None:
    asset = client.create(data, name)
    assert work_off(hub) == 2
    version = seen(client, asset)
    for one in version["renditions"]:
        assert (one["state"], one["url"], one["sha256"]) == ("FAILED", None, None)
        assert one["failure"]["code"] == "UNSUPPORTED_FORMAT"
        assert one["failure"]["retryable"] is False
        assert one["failure"]["message"].endswith(".")
    done = {(job["kind"], job["state"], job["attempt"]) for job in jobs_of(hub)}
    assert done == {("look_at_bytes", "DONE", 1), ("render_version", "DONE", 1)}
    assert len(jobs_of(hub)) == 2


def test_damaged_and_hostile_files_fail_with_a_code_and_the_worker_goes_on(hub: Hub, client: Client) -> None:
    whole = made.encoded(made.photo_like(400, 300), "JPEG")
    hostile = {name: data for name, (_, data) in made_hostile.bombs().items()}
    hostile |= {
        "needle.png": made_hostile.needle(),
        "stump.jpg": whole[: len(whole) // 2],
        "locked.pdf": made_hostile.locked_pdf(),
    }
    assets = {name: client.create(data, name) for name, data in hostile.items()}
    good = client.create(picture(50), "good.png")
    work_off(hub)
    codes = {}
    for name, asset in assets.items():
        version = seen(client, asset)
        assert {one["state"] for one in version["renditions"]} == {"FAILED"}, name
        codes[name] = {one["failure"]["code"] for one in version["renditions"]}
        for one in version["renditions"]:
            assert "/" not in one["failure"]["message"], one
            assert "Traceback" not in one["failure"]["message"]
    assert codes["bomb.png"] == {"TOO_MANY_PIXELS"}
    assert codes["needle.png"] == {"ABSURD_DIMENSIONS"}
    assert codes["stump.jpg"] == {"TRUNCATED"}
    assert codes["locked.pdf"] == {"ENCRYPTED"}
    assert {one["state"] for one in seen(client, good)["renditions"]} == {"READY"}
    assert {job["state"] for job in jobs_of(hub)} == {"DONE"}


def test_only_a_failed_rendition_can_be_retried(hub: Hub, client: Client) -> None:
    asset = client.create(picture(40))
    for state in ("QUEUED", "READY"):
        before = rows_everywhere(hub)
        one = seen(client, asset)["renditions"][0]
        assert one["state"] == state
        payload = client.mutate("renditionRetry", RETRY, rendition=one["id"])
        assert payload["rendition"] is None
        assert [error["code"] for error in payload["errors"]] == ["CONFLICT"]
        assert rows_everywhere(hub) == before
        work_off(hub)


def test_a_retried_rendition_is_made_once_more_alone(hub: Hub, client: Client) -> None:
    asset = client.create(b"just words\n" * 9, "notes.txt")
    work_off(hub)
    first, *others = seen(client, asset)["renditions"]
    payload = client.mutate("renditionRetry", RETRY, rendition=first["id"])
    assert payload["errors"] == []
    assert (payload["rendition"]["state"], payload["rendition"]["failure"]) == ("QUEUED", None)
    made = [(job["kind"], job["state"]) for job in jobs_of(hub) if job["kind"] != "look_at_bytes"]
    assert made == [("render_version", "DONE"), ("render_version", "READY")]
    work_off(hub)
    again, *untouched = seen(client, asset)["renditions"]
    assert (again["state"], again["failure"]["code"]) == ("FAILED", "UNSUPPORTED_FORMAT")
    assert untouched == others


def test_retrying_an_unknown_rendition_changes_nothing(hub: Hub, client: Client) -> None:
    before = rows_everywhere(hub)
    for unknown in ("UmVuZGl0aW9uOjk5", "nonsense", client.ask("{ me { name } }")["me"]["name"]):
        payload = client.mutate("renditionRetry", RETRY, rendition=unknown)
        assert [error["code"] for error in payload["errors"]] == ["NOT_FOUND"]
    assert rows_everywhere(hub) == before


def test_reading_never_asks_for_work(hub: Hub, client: Client) -> None:
    client.create(picture(40))
    work_off(hub)
    preset = mutate(client, "renditionPresetCreate", "preset { id }", name="big", format="PNG", width=9, height=9)
    assert preset["errors"] == []
    before = rows_everywhere(hub)
    client.ask(f"""{{ renditionPresets {{ name }}
        assets {{ totalCount facets(by: [KIND, TAG, MEDIA_TYPE, YEAR]) {{ by }} nodes {{ latestUrl(preset: "big")
          current {{ renditions {{ {RENDITIONS} }} rendition(preset: "big") {{ state }} download {{ url }}
                     other: rendition(preset: "thumb") {{ url {{ url }} }} }} }} }} }}""")
    assert rows_everywhere(hub) == before


def test_the_same_bytes_in_two_assets_are_rendered_once(hub: Hub, client: Client) -> None:
    first = client.create(picture(60))
    work_off(hub)
    second = client.create(picture(60), onDuplicate="DISTINCT", reason="For another campaign.")
    shared = by_preset(seen(client, second))
    assert {one["state"] for one in shared.values()} == {"READY"}
    assert {name: one["sha256"] for name, one in shared.items()} == {
        name: one["sha256"] for name, one in by_preset(seen(client, first)).items()
    }
    work_off(hub)
    assert seen(client, second)["analysis"] == "READY"


def test_two_assets_of_the_same_bytes_queued_together_both_become_ready(hub: Hub, client: Client) -> None:
    pair = [client.create(picture(60), onDuplicate="DISTINCT", reason="Test.") for _ in range(2)]
    work_off(hub)
    digests = [{name: one["sha256"] for name, one in by_preset(seen(client, asset)).items()} for asset in pair]
    assert digests[0] == digests[1]
    assert None not in digests[0].values()


def test_renditions_of_a_page_of_assets_take_a_constant_number_of_statements(hub: Hub, client: Client) -> None:
    query = f"""{{ assets {{ nodes {{ current {{
                  renditions {{ {RENDITIONS} }} rendition(preset: "web") {{ state }} }} }} }} }}"""
    counts = []
    for batch in range(2):
        for number in range(3):
            client.create(picture(20 + number, 40 + batch))
        work_off(hub)
        with statements(hub) as sent:
            client.ask(query)
        counts.append(len(reads(sent)))
    assert counts == [4, 4]  # assets, current versions, renditions, and the one of a preset
