"""What renditions say of their licences: which of them speaks, what it says, and that a change is written again."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from domain import crediting
from domain.global_ids import decode
from domain.hub import Hub
from domain.licensing import activating, assessing, licenses, parties
from domain.licensing.codes import ANY, WORLDWIDE, Action, Coverage, DutyKind, Effect, LicenseKind
from domain.licensing.terms import Duty, Grant
from domain.refreshing import RefreshLicensed, RefreshRenditions
from domain.statements import DataMining, Statement
from domain.work import HUB, Viewer
from storage.tables import AssetVersionRow, JobRow, PartyRow, RenditionRow
from tests.asking import Client
from tests.imaging import made, made_metadata
from tests.renditions.test_statements import SHOWN, state
from tests.renditions.test_story import fetched
from tests.working import work_off

PERMIT = Grant(0, Effect.PERMIT, (ANY,), (ANY,), (WORLDWIDE,))
NO_TRAINING = Grant(0, Effect.PROHIBIT, (Action.AI_TRAIN,), (ANY,), (WORLDWIDE,))
FIRST, LAST = date(2026, 1, 1), date(2027, 1, 31)
CLAIMED = made_metadata.jpeg(
    xmp=made_metadata.xmp(
        "<dc:creator><rdf:Seq><rdf:li>Ada Lens</rdf:li></rdf:Seq></dc:creator>"
        '<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">© Ada Lens</rdf:li></rdf:Alt></dc:rights>'
        "<photoshop:Credit>Claimed credit</photoshop:Credit>"
        '<plus:Licensor><rdf:Seq><rdf:li rdf:parseType="Resource"><plus:LicensorName>Claimed</plus:LicensorName>'
        "<plus:LicensorURL>https://claimed.example/</plus:LicensorURL></rdf:li></rdf:Seq></plus:Licensor>",
        'xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/"',
    )
)
needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")


class House:
    """One asset, and a person who writes licences for it."""

    def __init__(self, hub: Hub, client: Client, viewer: Viewer) -> None:
        self.hub, self.client, self.viewer = hub, client, viewer
        self.asset = client.create(CLAIMED, "claimed.jpg")
        self.asset_id = decode(self.asset["id"])[1]
        work_off(hub)

    def license(
        self,
        title: str,
        *,
        grants: Sequence[Grant] = (PERMIT,),
        coverage: Coverage = Coverage.WHOLE,
        licensor: str = "",
        **said: Any,
    ) -> int:
        """An active one that the asset is under; its id."""
        with self.hub.writing(self.viewer) as work:
            if licensor:
                party = parties.create(
                    work, parties.Kind.ORGANISATION, {"name": licensor, "url": f"https://{licensor.lower()}.example/"}
                )
                said["licensor_id"] = party.id
            row = licenses.create(
                work, LicenseKind.RIGHTS_MANAGED, {"title": title, "starts_on": FIRST, **said}, grants
            )
            activating.activate(work, row.id, row.revision)
            assessing.assess(work, self.asset_id, None, assessing.Wish(license_ids=[row.id], coverage=coverage))
            return row.id

    def said(self) -> Statement:
        with self.hub.reading(HUB) as work:
            version = work.session.scalars(sa.select(AssetVersionRow)).one()
            return crediting.rights_of(work, version)

    def end(self, license_id: int, how: str) -> None:
        with self.hub.writing(self.viewer) as work:
            row = licenses.by_id(work, [license_id])[license_id]
            getattr(activating, how)(work, license_id, row.revision, *(["Why."] if how != "resume" else []))


@pytest.fixture
def house(hub: Hub, client: Client, admin: Viewer) -> House:
    return House(hub, client, admin)


def told_by_exiftool(house: House, folder: Path, preset: str) -> dict[str, Any]:
    found = house.client.ask(SHOWN, id=house.asset["id"], preset=preset)["asset"]["current"]["rendition"]
    assert found["state"] == "READY"
    _, data = fetched(house.hub, house.client, found["url"]["url"])
    path = made.kept(folder, "fetched", data)
    command = ["exiftool", "-json", "-G1", "-struct", str(path)]
    (told,) = json.loads(subprocess.run(command, capture_output=True, check=True, text=True, timeout=60).stdout)
    return dict(told)


@needs_exiftool
def test_a_licence_is_written_into_every_rendition_and_taken_out_of_it_again(house: House, tmp_path: Path) -> None:
    credit = replace(PERMIT, duties=(Duty(0, DutyKind.CREDIT_ADJACENT, "Ada / Agency"),))
    number = house.license(
        "Harbour",
        grants=(credit, NO_TRAINING),
        licensor="Agency",
        ends_on=LAST,
        terms_url="https://agency.example/terms",
        plus_license_id="PLUS-LIC-1",
    )
    work_off(house.hub)
    expected = {
        "XMP-dc:Creator": ["Ada Lens"],
        "XMP-dc:Rights": "© Ada Lens",
        "XMP-xmpRights:Marked": True,
        "XMP-photoshop:Credit": "Ada / Agency",
        "XMP-xmpRights:WebStatement": "https://agency.example/terms",
        "XMP-plus:Licensor": [{"LicensorName": "Agency", "LicensorURL": "https://agency.example/"}],
        "XMP-plus:LicenseID": "PLUS-LIC-1",
        "XMP-plus:LicenseStartDate": "2026:01:01",
        "XMP-plus:LicenseEndDate": "2027:01:31",
    }
    for preset in ("web", "thumb", "avif"):
        told = told_by_exiftool(house, tmp_path, preset)
        assert {name: told.get(name) for name in expected} == expected, preset
        assert "PROHIBITED" in str(told["XMP-plus:DataMining"]).upper()
    house.end(number, "terminate")
    work_off(house.hub)
    told = told_by_exiftool(house, tmp_path, "web")
    assert (told["XMP-photoshop:Credit"], told["XMP-dc:Rights"]) == ("Claimed credit", "© Ada Lens")
    assert told["XMP-plus:Licensor"] == [{"LicensorName": "Claimed", "LicensorURL": "https://claimed.example/"}]
    assert not {"XMP-plus:LicenseEndDate", "XMP-plus:LicenseID", "XMP-plus:DataMining"} & set(told)


def test_what_a_licence_does_not_say_is_said_as_before(house: House) -> None:
    before = house.said()
    house.license("Bare")
    after = house.said()
    assert after == replace(before, license_id=after.license_id, starts=FIRST)
    assert after.license_id.startswith("LIC-")
    assert (after.credit, after.licensor, after.licensor_url) == (
        "Claimed credit",
        "Claimed",
        "https://claimed.example/",
    )


def test_a_draft_and_a_suspended_licence_say_nothing(house: House) -> None:
    before = house.said()
    with house.hub.writing(house.viewer) as work:
        row = licenses.create(work, LicenseKind.RIGHTS_MANAGED, {"title": "Draft", "starts_on": FIRST}, [PERMIT])
        assessing.assess(work, house.asset_id, None, assessing.Wish(license_ids=[row.id]))
    assert house.said() == before
    number = house.license("Active", licensor="Agency")
    assert house.said().licensor == "Agency"
    house.end(number, "suspend")
    assert house.said() == before
    house.end(number, "resume")
    assert house.said().licensor == "Agency"


def test_of_several_licences_the_one_that_lasts_longest_speaks(house: House) -> None:
    house.license("Short", licensor="Short", ends_on=date(2026, 6, 30))
    house.license("Long", licensor="Long", ends_on=LAST)
    assert (house.said().licensor, house.said().expires) == ("Long", LAST)
    house.license("For ever", licensor="Ever")
    assert (house.said().licensor, house.said().expires) == ("Ever", None)


def test_the_whole_ends_with_the_first_of_its_parts(house: House) -> None:
    house.license("Whole", licensor="Whole", ends_on=LAST)
    house.license("Part", licensor="Part", ends_on=date(2026, 3, 31), coverage=Coverage.COMPONENT)
    house.license("Other part", licensor="Other", coverage=Coverage.COMPONENT)
    assert (house.said().licensor, house.said().expires) == ("Whole", date(2026, 3, 31))


def test_what_somebody_stated_ends_no_later_for_a_licence_and_forbids_no_less(house: House) -> None:
    state(house.client, house.asset, 0, expires="2026-02-28", dataMining="PROHIBITED", credit="Stated")
    house.license("Longer", ends_on=LAST, grants=(PERMIT, NO_TRAINING))
    said = house.said()
    assert (said.expires, said.data_mining, said.credit) == (date(2026, 2, 28), DataMining.PROHIBITED, "Stated")


@pytest.mark.parametrize(
    ("grant", "expected"),
    [
        (NO_TRAINING, DataMining.PROHIBITED_TRAINING),
        (replace(NO_TRAINING, actions=(ANY,)), DataMining.PROHIBITED_TRAINING),
        (replace(NO_TRAINING, territories=("DE",)), None),
        (replace(NO_TRAINING, channels=("web",)), None),
        (replace(NO_TRAINING, ends_on=date(2026, 2, 1)), None),
        (replace(NO_TRAINING, territories_except=("DE",)), None),
        (replace(NO_TRAINING, actions=(Action.RESELL,)), None),
    ],
)
def test_only_what_is_forbidden_everywhere_is_told_to_machines(
    house: House, grant: Grant, expected: DataMining | None
) -> None:
    house.license("Guarded", grants=(PERMIT, grant))
    assert house.said().data_mining is expected


def test_superseding_a_licence_writes_what_the_new_one_says(house: House, tmp_path: Path) -> None:
    old = house.license("Old", licensor="Old", ends_on=LAST)
    work_off(house.hub)
    with house.hub.writing(house.viewer) as work:
        party = parties.create(work, parties.Kind.ORGANISATION, {"name": "New"})
        told = {"title": "New", "starts_on": FIRST, "ends_on": date(2028, 1, 31), "licensor_id": party.id}
        new = licenses.create(work, LicenseKind.RIGHTS_MANAGED, told, [PERMIT])
        row = licenses.by_id(work, [old])[old]
        activating.supersede(work, old, row.revision, new.id, "Renewed.")
    assert (house.said().licensor, house.said().expires) == ("New", date(2028, 1, 31))
    found = house.client.ask(SHOWN, id=house.asset["id"], preset="web")["asset"]["current"]["rendition"]
    work_off(house.hub)
    again = house.client.ask(SHOWN, id=house.asset["id"], preset="web")["asset"]["current"]["rendition"]
    assert again["sha256"] != found["sha256"]
    _, data = fetched(house.hub, house.client, again["url"]["url"])
    assert b"2028-01-31" in data
    assert b"2027-01-31" not in data


def test_a_licensor_who_is_called_otherwise_is_written_otherwise(house: House) -> None:
    house.license("Harbour", licensor="Before")
    work_off(house.hub)
    with house.hub.writing(house.viewer) as work:
        row = work.session.scalars(sa.select(PartyRow)).one()
        parties.update(work, row.id, row.revision, {"name": "Afterwards", "url": "https://afterwards.example/"})
    work_off(house.hub)
    found = house.client.ask(SHOWN, id=house.asset["id"], preset="web")["asset"]["current"]["rendition"]
    _, data = fetched(house.hub, house.client, found["url"]["url"])
    assert b"<plus:LicensorName>Afterwards</plus:LicensorName>" in data
    assert b"https://afterwards.example/" in data
    assert b"Before" not in data


def test_a_licence_that_changes_nothing_makes_nothing_anew(house: House) -> None:
    house.license("Bare")
    work_off(house.hub)
    with house.hub.reading(HUB) as work:
        before = dict(work.session.execute(sa.select(RenditionRow.id, RenditionRow.sha256)).all())
    second = house.license("Shorter", ends_on=LAST, licensor="Agency")
    house.end(second, "terminate")
    work_off(house.hub)
    with house.hub.reading(HUB) as work:
        assert dict(work.session.execute(sa.select(RenditionRow.id, RenditionRow.sha256)).all()) == before


def test_a_licence_of_many_assets_is_written_at_the_operators_pace(hub: Hub, client: Client, admin: Viewer) -> None:
    assets = [client.create(made.encoded(made.solid((n, 9, 9), size=(60, 60)), "PNG"), f"{n}.png") for n in range(4)]
    work_off(hub)
    ids = [decode(asset["id"])[1] for asset in assets]
    with hub.writing(admin) as work:
        row = licenses.create(work, LicenseKind.RIGHTS_MANAGED, {"title": "Series", "starts_on": FIRST}, [PERMIT])
        for asset_id in ids:
            assessing.assess(work, asset_id, None, assessing.Wish(license_ids=[row.id]))
    work_off(hub)
    slow = replace(hub, settings=hub.settings.model_copy(update={"rerenders_per_minute": 2}))
    with hub.writing(admin) as work:
        activating.activate(work, row.id, row.revision)
        begin = work.now
    work_off(slow, at_most=2)  # what may be delivered is compiled, too
    with hub.reading(HUB) as work:
        of_kind = sa.select(JobRow).where(JobRow.state == "READY").order_by(JobRow.run_at)
        jobs = [job for job in work.session.scalars(of_kind) if job.kind == RefreshRenditions.kind]
        left = work.session.scalar(
            sa.select(sa.func.count()).where(JobRow.kind == RefreshLicensed.kind, JobRow.state == "READY")
        )
    assert left == 0
    assert [round((job.run_at - jobs[0].run_at).total_seconds()) for job in jobs] == [0, 30, 60, 90]
    assert jobs[0].run_at >= begin
