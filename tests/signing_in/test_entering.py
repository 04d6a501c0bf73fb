"""Coming in by an identity for the first time, several at once: one person, one link, whoever is quicker."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from domain.identity import oidc_entering
from domain.identity.oidc_entering import External
from domain.refusals import NotSignedIn
from domain.work import HUB
from storage.tables import ExternalIdentityRow, PrincipalRow
from tests.signing_in.house import House

ISSUER = "https://id.example"


def external(subject: str, email: str | None = "ada@example.org") -> External:
    return External(ISSUER, subject, "Ada", email)


def entered(house: House, who: External) -> int | None:
    try:
        return oidc_entering.enter(house.hub, who, "viewer", None).principal_id
    except NotSignedIn:
        return None


def kept(house: House) -> tuple[int, int]:
    """People with this name, and links."""
    with house.hub.reading(HUB) as work:
        people = sa.select(sa.func.count()).select_from(PrincipalRow).where(PrincipalRow.name == "Ada")
        links = sa.select(sa.func.count()).select_from(ExternalIdentityRow)
        return work.session.scalar(people) or 0, work.session.scalar(links) or 0


def test_a_newcomer_who_comes_several_times_at_once_is_one_person(house: House) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda _: entered(house, external("ada")), range(8)))
    assert len(found) == 1
    assert None not in found
    assert kept(house) == (1, 1)


def test_of_several_who_come_with_one_address_at_once_one_is_that_person(house: House) -> None:
    ada = house.person("Ada")
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda number: entered(house, external(f"ada-{number}")), range(8)))
    assert found.count(ada) == 1
    assert found.count(None) == 7
    assert kept(house) == (1, 1)


def test_one_subject_at_two_issuers_is_two_people(house: House) -> None:
    one = entered(house, external("ada", None))
    other = oidc_entering.enter(house.hub, External("https://other.example", "ada", "Ada", None), "viewer", None)
    assert one != other.principal_id


def test_a_newcomer_s_name_is_plain_text_of_bounded_length(house: House) -> None:
    told = External(ISSUER, "long", "\u202eevil\x00 " + "x" * 1000, None)
    made = oidc_entering.enter(house.hub, told, "viewer", None)
    with house.hub.reading(HUB) as work:
        name = work.session.get_one(PrincipalRow, made.principal_id).name
    assert name.startswith("evil x")
    assert len(name) == oidc_entering.LONGEST_NAME


def test_a_program_does_not_sign_in_as_a_person_does(house: House) -> None:
    robot = house.person("Robot", kind="SERVICE", email=None)
    with house.hub.writing(HUB) as work:
        oidc_entering.link(work, work.session.get_one(PrincipalRow, robot), ISSUER, "robot")
    with pytest.raises(NotSignedIn):
        oidc_entering.enter(house.hub, external("robot", None), "viewer", None)
