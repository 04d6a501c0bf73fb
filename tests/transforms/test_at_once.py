"""Small pictures made at once, without a job: as good, as safe and as well recorded as those that a job makes."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from PIL import Image, ImageChops, ImageCms, ImageStat

import domain.studio
from domain import blobs
from domain import transforms as transforms_of_domain
from domain.hub import Hub
from domain.licensing import embargoes
from domain.work import HUB, Viewer
from server import at_once, studio
from server.app import make_app
from storage.tables import AssetVersionRow, EventRow, GrantRow, JobRow, TransformRow
from tests import acting
from tests.asking import Client
from tests.iiif.conftest import SIZE, Gallery
from tests.imaging import made
from tests.imaging.test_studio import is_at_work
from tests.lifecycle import turning
from tests.server.program import descendants
from tests.working import tools_of, wait, work_off
from workers import transforms


@pytest.fixture
def quick(gallery: Gallery, hub: Hub) -> Iterator[Gallery]:
    """The same gallery behind a server that has a studio."""
    with studio.running(hub.settings.model_copy(update={"workers": 1})) as beside:
        gallery.app = make_app(hub, beside)
        yield gallery


def jobs(hub: Hub) -> int:
    with hub.reading(HUB) as work:
        asked = sa.select(sa.func.count()).select_from(JobRow).where(JobRow.kind == "make_transform")
        return work.session.scalar(asked) or 0


def served(hub: Hub) -> list[EventRow]:
    with hub.reading(HUB) as work:
        return list(work.session.scalars(sa.select(EventRow).where(EventRow.type == "delivery.served")))


def rows(hub: Hub) -> list[TransformRow]:
    with hub.reading(HUB) as work:
        return list(work.session.scalars(sa.select(TransformRow)))


def distance(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of their pixels, of 255."""
    assert (one.size, one.mode) == (other.size, other.mode)
    means = ImageStat.Stat(ImageChops.difference(one, other)).mean
    return sum(means) / len(means)


def the_studio() -> int:
    found = _of_studio()
    (top,) = [pid for pid in found if parent(pid) not in found]
    return top


def hands() -> set[int]:
    found = _of_studio()
    return {pid for pid in found if parent(pid) in found}


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _of_studio() -> set[int]:
    """With its hands, which are called like it; some may be missing while threads of this process end."""
    found = set()
    for pid in descendants(os.getpid()):
        with contextlib.suppress(OSError):
            if b"workers.studio" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.add(pid)
    return found


@pytest.mark.parametrize(
    ("wish", "size", "media_type"),
    [
        ("width: 300", (300, 220), "image/jpeg"),
        ("height: 110, format: WEBP", (150, 110), "image/webp"),
        ("width: 200, height: 200, fit: COVER, format: PNG", (200, 200), "image/png"),
        ('width: 200, height: 200, fit: PAD, background: "#ff0000"', (200, 200), "image/jpeg"),
        ("region: {x: 100, y: 100, width: 600, height: 400}, width: 60, rotation: 90", (40, 60), "image/jpeg"),
        ("width: 100, colour: GREY", (100, 73), "image/jpeg"),
    ],
)
def test_the_very_first_picture_of_a_file_takes_no_job(
    quick: Gallery, hub: Hub, wish: str, size: tuple[int, int], media_type: str
) -> None:
    path = quick.transform(wish)
    answer = quick.ask(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, media_type), answer.text
    assert Image.open(io.BytesIO(answer.content)).size == size
    assert jobs(hub) == 0
    (row,) = rows(hub)
    assert (row.state, row.byte_size, row.width, row.height) == ("READY", len(answer.content), *size)
    (event,) = served(hub)
    assert (event.payload["sha256"], event.actor_id) == (row.sha256, quick.viewer.principal_id)
    again = quick.ask(path)
    assert again.content == answer.content
    names = ("etag", "content-type", "content-disposition", "content-security-policy")
    assert [again.headers[name] for name in names] == [answer.headers[name] for name in names]
    assert [len(rows(hub)), len(served(hub))] == [1, 2]


def test_it_is_what_a_job_would_have_made_to_the_eye(quick: Gallery, hub: Hub) -> None:
    path = quick.transform("width: 150, format: PNG")
    at_once_made = Image.open(io.BytesIO(quick.ask(path).content))
    with hub.writing(HUB) as work:
        work.session.execute(sa.delete(TransformRow))
    for kept in hub.settings.reductions_dir.iterdir():
        kept.unlink()
    by_a_job = Image.open(io.BytesIO(quick.get(path).content))
    assert jobs(hub) == 1
    assert distance(at_once_made, by_a_job) < 1.5


@pytest.mark.parametrize(
    "wish",
    [
        "width: 1500, height: 1400, fit: PAD",
        "width: 1400",
        "width: 90, format: AVIF",
        "width: 90, format: TIFF, colour: CMYK",
    ],
)
def test_what_is_not_small_is_left_to_a_job(quick: Gallery, hub: Hub, wish: str) -> None:
    path = quick.transform(wish)
    assert quick.ask(path).status_code == 503
    assert quick.get(path).status_code == 200
    assert jobs(hub) == 1


def test_what_was_never_decoded_is_left_to_a_job(quick: Gallery, hub: Hub) -> None:
    for kept in hub.settings.reductions_dir.iterdir():
        kept.unlink()
    assert quick.ask(quick.transform("width: 91")).status_code == 503
    assert quick.get(quick.transform("width: 91")).status_code == 200
    assert quick.ask(quick.transform("width: 92")).status_code == 200
    assert jobs(hub) == 1


@pytest.mark.parametrize("spoilt", [b"", b"nonsense", b'{"mode": "RGBX", "size": [9, 9], "width": 9, "height": 9}\n'])
def test_a_spoilt_reduction_costs_a_job_and_nothing_else(quick: Gallery, hub: Hub, spoilt: bytes) -> None:
    for kept in hub.settings.reductions_dir.iterdir():
        kept.write_bytes(spoilt)
    assert quick.ask(quick.transform("width: 93")).status_code == 503
    assert quick.get(quick.transform("width: 93")).status_code == 200


def test_what_is_taken_away_while_it_is_made_is_not_delivered(
    quick: Gallery, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    designer = acting.member(hub, "designer")
    path = quick.transform("width: 94", designer)
    real = at_once._made

    def made_late(*told: object) -> object:
        found = real(*told)  # type: ignore[arg-type]  # handed on as they came
        with hub.writing(HUB) as work:
            mine = sa.update(GrantRow).where(GrantRow.principal_id == designer.principal_id)
            work.session.execute(mine.values(revoked_at=work.now))
        return found

    monkeypatch.setattr(at_once, "_made", made_late)
    assert quick.ask(path).status_code == 404
    assert (served(hub), rows(hub)) == ([], [])


def test_what_is_barred_by_the_time_alone_while_it_is_made_is_not_delivered(
    gallery: Gallery, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = timedelta(0)
    moved = replace(hub, clock=lambda: hub.clock() + later)
    with hub.writing(gallery.viewer) as work:
        asset_id = work.session.scalars(sa.select(AssetVersionRow.asset_id)).one()
        embargoes.place(work, asset_id, work.now + timedelta(minutes=1), None, "The fair opens then.")
    path = gallery.transform("width: 101")
    real = at_once._made

    def made_late(*told: object) -> object:
        nonlocal later
        later = timedelta(minutes=2)
        return real(*told)  # type: ignore[arg-type]  # handed on as they came

    monkeypatch.setattr(at_once, "_made", made_late)
    with studio.running(hub.settings.model_copy(update={"workers": 1})) as beside:
        gallery.app = make_app(moved, beside)
        assert gallery.ask(path).status_code == 451
    assert (served(hub), rows(hub)) == ([], [])


def test_bytes_that_are_just_being_let_go_are_left_to_a_job(
    quick: Gallery, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = quick.transform("width: 102")
    first = quick.ask(path)
    with hub.writing(HUB) as work:
        work.session.execute(sa.delete(TransformRow))
    (event,) = served(hub)
    real = at_once._made

    def made_late(*told: object) -> object:
        found = real(*told)  # type: ignore[arg-type]  # handed on as they came
        with hub.writing(HUB) as work:
            assert blobs.let_go(work, event.payload["sha256"])
        return found

    monkeypatch.setattr(at_once, "_made", made_late)
    assert quick.ask(path).status_code == 503
    with hub.writing(HUB) as work:
        assert blobs.remove(work, event.payload["sha256"])
    monkeypatch.undo()
    assert quick.get(path).status_code == first.status_code == 200
    assert jobs(hub) == 1


def test_a_studio_that_hangs_is_asked_once_and_again_when_it_goes_on(
    quick: Gallery, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert quick.ask(quick.transform("width: 103")).status_code == 200
    waited: list[None] = []
    real = studio._heard

    def heard(reading: int) -> bytes | None:
        waited.append(None)
        return real(reading)

    monkeypatch.setattr(studio, "_heard", heard)
    with monkeypatch.context() as soon:
        soon.setattr(domain.studio, "SECONDS", 0.1)
        os.kill(hung := the_studio(), signal.SIGSTOP)
        try:
            paths = [quick.transform(f"width: {width}") for width in range(110, 130)]
            assert [quick.ask(path).status_code for path in paths] == [503] * 20
            assert len(waited) == 1
        finally:
            os.kill(hung, signal.SIGCONT)
    wait(lambda: quick.ask(quick.transform(f"width: {130 + time.monotonic_ns() % 400}")).status_code == 200, 30)
    assert the_studio() == hung


def test_a_studio_that_is_killed_at_its_work_leaves_that_to_a_job_and_nothing_behind(quick: Gallery, hub: Hub) -> None:
    assert quick.ask(quick.transform("width: 104")).status_code == 200
    wait(lambda: len(hands()) == 1)
    killed, (hand,) = the_studio(), hands()
    before = [path.name for path in hub.settings.data_dir.rglob("*") if path.is_file()]
    wait(lambda: not is_at_work(killed))
    os.kill(hand, signal.SIGSTOP)
    path = quick.transform("width: 105")
    with ThreadPoolExecutor(1) as beside:
        answer = beside.submit(quick.ask, path)
        wait(lambda: is_at_work(killed))  # it has given the hand its order
        os.kill(killed, signal.SIGKILL)
        assert answer.result(20).status_code == 503
    wait(lambda: not {killed, hand} & set(descendants(os.getpid())))
    assert (len(served(hub)), jobs(hub)) == (1, 1)
    assert [path.name for path in hub.settings.data_dir.rglob("*") if path.is_file()] == before
    assert quick.get(path).status_code == 200
    wait(lambda: quick.ask(quick.transform(f"width: {130 + time.monotonic_ns() % 400}")).status_code == 200, 30)
    assert the_studio() != killed


def test_rights_are_asked_again_only_where_something_was_committed_or_time_has_passed(
    quick: Gallery, monkeypatch: pytest.MonkeyPatch, hub: Hub
) -> None:
    asked: list[None] = []
    real = transforms_of_domain.knock

    def knock(*told: object) -> object:
        asked.append(None)
        return real(*told)  # type: ignore[arg-type]  # handed on as they came

    monkeypatch.setattr(transforms_of_domain, "knock", knock)
    monkeypatch.setattr(at_once, "BRIEFLY", timedelta(minutes=1))
    assert quick.ask(quick.transform("width: 106")).status_code == 200
    assert len(asked) == (1 if hub.database.epochs.are_at_hand else 2)
    asked.clear()
    monkeypatch.setattr(at_once, "BRIEFLY", timedelta(0))
    assert quick.ask(quick.transform("width: 107")).status_code == 200
    assert len(asked) == 2


def test_a_part_of_it_is_recorded_as_that_part(quick: Gallery, hub: Hub) -> None:
    answer = quick.ask(quick.transform("width: 95"), Range="bytes=10-19")
    assert (answer.status_code, len(answer.content)) == (206, 10)
    (event,) = served(hub)
    assert (event.payload["start"], event.payload["stop"]) == ("10", "20")
    assert quick.ask(quick.transform("width: 96"), "HEAD").status_code == 200
    assert (len(served(hub)), jobs(hub)) == (1, 0)


def test_who_is_told_to_sign_pictures_has_them_made_by_jobs(gallery: Gallery, hub: Hub) -> None:
    signing = replace(hub, settings=hub.settings.model_copy(update={"content_credentials": True}))
    with studio.running(hub.settings.model_copy(update={"workers": 1})) as beside:
        gallery.app = make_app(signing, beside)
        assert gallery.ask(gallery.transform("width: 97")).status_code == 503
    assert jobs(hub) == 1


def test_without_a_studio_a_job_makes_it_and_a_new_studio_is_begun(quick: Gallery, hub: Hub) -> None:
    assert quick.ask(quick.transform("width: 98")).status_code == 200
    killed = the_studio()
    os.kill(killed, signal.SIGKILL)
    wait(lambda: killed not in descendants(os.getpid()))
    path = quick.transform("width: 99")
    quick.get(path)
    assert quick.get(path).status_code == 200
    wait(lambda: quick.ask(quick.transform(f"width: {100 + time.monotonic_ns() % 400}")).status_code == 200, 30)
    assert the_studio() != killed


def test_a_file_that_is_no_jpeg_is_left_to_a_job(hang: Callable[..., Gallery], hub: Hub, admin: Viewer) -> None:
    gallery = hang(admin, made.encoded(made.photo_like(*SIZE), "PNG"), "coffee.png")
    with studio.running(hub.settings.model_copy(update={"workers": 1})) as beside:
        gallery.app = make_app(hub, beside)
        assert gallery.ask(gallery.transform("width: 88")).status_code == 503
        assert gallery.get(gallery.transform("width: 88")).status_code == 200
    assert jobs(hub) == 1


def test_a_file_with_a_colour_profile_needs_no_job_and_shares_no_hand_with_one_without(
    quick: Gallery, hang: Callable[..., Gallery], hub: Hub, admin: Viewer
) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    content = made.encoded(made.photo_like(*SIZE, seed=3), "JPEG", quality=92, icc_profile=profile)
    profiled = hang(admin, content, "profiled.jpg")
    profiled.app = quick.app
    assert [profiled.ask(profiled.transform(f"width: {width}")).status_code for width in (140, 141)] == [200, 200]
    wait(lambda: len(hands()) == 1)
    assert quick.ask(quick.transform("width: 142")).status_code == 200
    wait(lambda: len(hands()) == 2)
    assert jobs(hub) == 0


def test_many_files_that_come_at_once_do_not_push_out_what_is_laid_by(
    hang: Callable[..., Gallery], hub: Hub, admin: Viewer
) -> None:
    client = Client(hub, admin)
    for number in range(3):
        client.create(made.encoded(made.photo_like(*SIZE, seed=number), "JPEG", quality=80), f"{number}.jpg")
    work_off(hub)
    laid = {path.name.partition("-")[0] for path in hub.settings.reductions_dir.iterdir()}
    assert len(laid) == 1, "the last one, behind which nothing waits"


def test_what_nobody_holds_any_more_is_thrown_away_by_the_next_round(gallery: Gallery, hub: Hub) -> None:
    def laid() -> list[Path]:
        transforms.sweep_reductions(tools_of(hub))
        return sorted(hub.settings.reductions_dir.iterdir())

    assert laid() != []
    client = Client(hub, gallery.viewer)
    other = client.create(made.encoded(made.photo_like(*SIZE, seed=9), "JPEG", quality=80), "other.jpg")
    work_off(hub)
    both = laid()
    turning.thrown(client, other)
    assert laid() == both
    turning.purge(hub)
    left = {path.name.partition("-")[0] for path in laid()}
    assert left == {path.name.partition("-")[0] for path in both} - {other["current"]["sha256"]}
    assert len(left) == 1
