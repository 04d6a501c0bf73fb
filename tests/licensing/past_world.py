"""A composite and its part, to which everything happens that may happen to the rights of a picture, hour by hour."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, Final

import sqlalchemy as sa

from domain import holds
from domain.global_ids import decode
from domain.hub import Hub
from domain.licensing import (
    activating,
    assessing,
    components,
    embargoes,
    exclusivities,
    groups,
    licenses,
    parties,
    releases,
    seats,
    takedowns,
)
from domain.licensing.codes import (
    Action,
    CapPer,
    CapUnit,
    Coverage,
    DutyKind,
    Effect,
    ExclusivityDirection,
    LicenseKind,
    MinorAge,
    Purpose,
    ReleaseKind,
    ReleaseStatus,
)
from domain.licensing.terms import Cap, Duty, Grant, Member, Quantity, Request, Window
from domain.refusals import Refusal
from domain.usage import reserving
from domain.work import BRAND_ORG_ID, Viewer, Work
from storage.tables import (
    AssetRightsRow,
    EmbargoRow,
    ExclusivityRow,
    LegalHoldRow,
    LicenseRow,
    ReleaseRow,
    TakedownRow,
    TerritoryGroupRow,
    UsageRow,
)
from tests import acting
from tests.asking import Client
from tests.assets.acts import created, picture

PLACES: Final = ("DE", "FR", "US", "OWN")
HOUR: Final = timedelta(hours=1)


@dataclass
class Past:
    hub: Hub
    viewer: Viewer
    dice: Random
    now: datetime = field(init=False)
    #: Whole and part: their assets, and the versions of both.
    assets: list[int] = field(init=False)
    versions: list[int] = field(init=False)

    def __post_init__(self) -> None:
        made = [created(Client(self.hub, self.viewer), picture(number)) for number in (1, 2)]
        self.assets = [decode(each["id"])[1] for each in made]
        self.versions = [decode(each["current"]["id"])[1] for each in made]
        self.orgs = [BRAND_ORG_ID, acting.organisation(self.hub, "Partner")]
        self.now = self.hub.clock() + HOUR
        self.viewer = acting.again(self.hub, self.viewer)
        with self.here().writing(self.viewer) as work:
            self.about = parties.create(work, parties.Kind.PERSON, {"name": "Jane"}).id
            self.group = groups.create(work, "OWN", "Ours", [Member("CH")]).id
        for _ in range(3):
            self.license()

    def here(self) -> Hub:
        return replace(self.hub, clock=lambda: self.now)

    def step(self) -> str:
        """One thing happens; what is refused does not."""
        self.now += HOUR
        while True:
            name, act = self.dice.choice(self.acts())
            try:
                with self.here().writing(self.viewer) as work:
                    act(work)
            except Refusal:
                continue
            return name

    def acts(self) -> list[tuple[str, Callable[[Work], Any]]]:
        dice, why = self.dice, "Why."
        asset, version = dice.choice(self.assets), dice.choice(self.versions)

        def some(work: Work, table: Any, *such: Any) -> Any:
            found = list(work.session.scalars(sa.select(table).where(*such).order_by(table.id)))
            return dice.choice(found) if found else _Nothing()

        def moved(verb: Callable[..., Any], *more: Any) -> Callable[[Work], Any]:
            def act(work: Work) -> Any:
                row = some(work, LicenseRow)
                return verb(work, row.id, row.revision, *more)

            return act

        def supersede(work: Work) -> None:
            old, new = some(work, LicenseRow, LicenseRow.status == "ACTIVE"), self.draft(work)
            activating.supersede(work, old.id, old.revision, new.id, why)

        def rewrite(work: Work) -> None:
            row = some(work, LicenseRow, LicenseRow.status == "DRAFT")
            licenses.update(work, row.id, row.revision, {}, self.grants())

        def assess(work: Work) -> None:
            row, release = some(work, LicenseRow, LicenseRow.status != "TERMINATED"), some(work, ReleaseRow)
            named = dice.choice(("license_ids", "release_ids", "neither"))
            told: dict[str, Any] = {
                "recognisable_people": dice.choice((None, True, False)),
                "recognisable_property": False,
            }
            told |= {named: [row.id if named == "license_ids" else release.id]} if named != "neither" else {}
            coverage = dice.choice((Coverage.WHOLE, Coverage.WHOLE, Coverage.COMPONENT))
            place = self.assets.index(asset)
            alone = dice.choice((None, self.versions[place]))
            assessing.assess(work, asset, alone, assessing.Wish(coverage=coverage, **told))

        def withdraw(work: Work) -> None:
            assessing.withdraw(work, some(work, AssetRightsRow, AssetRightsRow.ended_at.is_(None)).id, why)

        def sign(work: Work) -> None:
            row = some(work, ReleaseRow, ReleaseRow.status == "NON")
            said = {"minor_age": MinorAge.A16} if dice.random() < 0.2 else {}
            status = dice.choice((ReleaseStatus.UNLIMITED, ReleaseStatus.LIMITED))
            releases.sign(work, row.id, row.revision, status, said)

        def revoke(work: Work) -> None:
            row = some(work, ReleaseRow)
            releases.revoke(work, row.id, row.revision, why)

        def embargo(work: Work) -> None:
            embargoes.place(work, asset, None, self.now + timedelta(days=dice.randint(1, 30)), why)

        def exclude(work: Work) -> None:
            wish = exclusivities.Wish(ExclusivityDirection.OUTGOING, self.orgs[1], territories=(dice.choice(PLACES),))
            exclusivities.give(work, asset, wish)

        def enforce(work: Work) -> None:
            row = some(work, TakedownRow, TakedownRow.status == "OPEN")
            takedowns.enforce(work, row.id, row.revision)

        def lift(work: Work) -> None:
            row = some(work, TakedownRow, TakedownRow.status != "LIFTED")
            takedowns.lift(work, row.id, row.revision, why)

        def regroup(work: Work) -> None:
            row = work.session.get_one(TerritoryGroupRow, self.group)
            members = [Member(each) for each in dice.sample(("CH", "AT", "LI"), 2)]
            groups.update(work, row.id, row.revision, f"Ours {dice.random()}", dice.choice((None, members)))

        def reserve(work: Work) -> None:
            reserving.reserve(work, version, self.request(), until=self.now + HOUR * dice.randint(2, 9))

        def confirm(work: Work) -> None:
            row = some(work, UsageRow, UsageRow.phase == "RESERVED")
            reserving.confirm(work, row.id, [Quantity(CapUnit.COPIES, dice.randint(0, 30))])

        def seat(work: Work) -> None:
            seats.assign(work, some(work, LicenseRow, LicenseRow.seats.is_not(None)).id, dice.choice(self.orgs))

        def stand_up(work: Work) -> None:
            seats.release(work, some(work, LicenseRow, LicenseRow.seats.is_not(None)).id, dice.choice(self.orgs))

        return [
            ("activate", moved(activating.activate)),
            ("suspend", moved(activating.suspend, why)),
            ("resume", moved(activating.resume)),
            ("resume", moved(activating.resume)),
            ("terminate", moved(activating.terminate, why)),
            ("supersede", supersede),
            ("supersede", supersede),
            ("draft", self.draft),
            ("rewrite", rewrite),
            ("assess", assess),
            ("assess", assess),
            ("assess", assess),
            ("withdraw", withdraw),
            ("release", self.release),
            ("sign", sign),
            ("revoke", revoke),
            ("embargo", embargo),
            ("free", lambda work: embargoes.lift(work, some(work, EmbargoRow).id, why)),
            ("exclude", exclude),
            ("include", lambda work: exclusivities.end(work, some(work, ExclusivityRow).id, why)),
            ("takedown", lambda work: takedowns.open_(work, asset, why)),
            ("enforce", enforce),
            ("lift", lift),
            ("lift", lift),
            ("hold", lambda work: holds.place(work, asset, f"Matter {dice.random()}", why)),
            ("unhold", lambda work: holds.lift(work, some(work, LegalHoldRow).id, why)),
            ("regroup", regroup),
            ("put in", lambda work: components.add(work, *self.versions)),
            ("take out", lambda work: components.remove(work, *self.versions)),
            ("reserve", reserve),
            ("reserve", reserve),
            ("confirm", confirm),
            ("void", lambda work: reserving.void(work, some(work, UsageRow, UsageRow.phase == "RESERVED").id)),
            ("time out", reserving.time_out),
            ("seat", seat),
            ("stand up", stand_up),
        ]

    def license(self) -> None:
        """Active, of both assets."""
        with self.here().writing(self.viewer) as work:
            row = self.draft(work)
            activating.activate(work, row.id, row.revision)
            seen = assessing.Wish([row.id], recognisable_people=False, recognisable_property=False)
            for asset in self.assets:
                assessing.assess(work, asset, None, seen)

    def draft(self, work: Work) -> LicenseRow:
        said = {"title": f"Licence {self.dice.random()}", "starts_on": date(2026, 1, 1), "sublicensable": True}
        said |= {"seats": 2} if self.dice.random() < 0.3 else {}
        kind = self.dice.choice((LicenseKind.RIGHTS_MANAGED, LicenseKind.OWNED))
        return licenses.create(work, kind, said, self.grants())

    def grants(self) -> Sequence[Grant]:
        dice = self.dice
        caps = (Cap(0, CapUnit.COPIES, 200, dice.choice((CapPer.TOTAL, CapPer.MONTH, CapPer.DAY))),)
        duties = (Duty(0, DutyKind.CREDIT_ADJACENT, "Ada"),) if dice.random() < 0.4 else ()
        places = tuple(sorted(dice.sample(PLACES, 3)))
        return [Grant(0, Effect.PERMIT, ("ANY",), ("ANY",), places, caps=caps, duties=duties)]

    def release(self, work: Work) -> None:
        status = self.dice.choice((ReleaseStatus.NON, ReleaseStatus.UNLIMITED, ReleaseStatus.LIMITED))
        wanted = [replace(each, caps=()) for each in self.grants()]
        releases.create(work, ReleaseKind.MODEL, self.about, {"status": status}, wanted)

    def request(self) -> Request:
        dice = self.dice
        first = self.now.date() + timedelta(days=dice.randint(0, 3))
        return Request(
            Action.PRINT,
            "print.flyer",
            tuple(sorted(dice.sample(PLACES, dice.randint(1, 2)))),
            Window(first, first + timedelta(days=dice.randint(0, 30))),
            dice.choice(self.orgs),
            self.now,
            quantities=(Quantity(CapUnit.COPIES, dice.randint(1, 60)),),
            purpose=dice.choice((Purpose.COMMERCIAL, Purpose.EDITORIAL)),
            partial=dice.random() < 0.3,
        )


class _Nothing:
    """Stands for a row where there is none: whoever asks for it by its number finds none."""

    id = 0
    revision = 1
