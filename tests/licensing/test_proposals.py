"""What files say of their licences, read into proposals: by PLUS, IPTC and Creative Commons, honest or not."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from domain.licensing import proposals
from domain.licensing.codes import Alteration, Dimension, DutyKind, LicenseKind, MinorAge, ReleaseStatus
from domain.licensing.proposals import Constraint, Field, LicenseProposal, ProposedDuty, ProposedParty, Role, plus
from domain.licensing.proposals.plus import Matrix
from domain.licensing.proposals.public import licenses_in
from domain.statements import DataMining

VOCABULARY = "http://ns.useplus.org/ldf/vocab/"
#: Two usages: a printed magazine in Germany for a year, not exclusive; a website, worldwide, for ever.
SUMMARY = "|PLUS|V0120|U002|1IAD2BOB7DZA8RDE9ENE|1IAC2ACE7DWR8RAA|"
AGENCY = {
    "plus:LicensorName": "Lens Agency",
    "plus:LicensorID": "PLUS-1",
    "plus:LicensorURL": "https://lens.example/4711",
    "plus:LicensorEmail": "a@lens.example",
}


def read(*entries: tuple[str, str, Any]) -> LicenseProposal:
    proposed = proposals.proposal({(space, name): value for space, name, value in entries})
    assert proposed is not None
    return proposed


def test_a_file_that_says_nothing_of_rights_proposes_nothing() -> None:
    assert proposals.proposal({}) is None
    assert (
        proposals.proposal({("exif", "Model"): "EOS R5", ("dc", "title"): "Cup", ("plus", "Version"): "1.2.0"}) is None
    )
    assert proposals.proposal({("plus", "CreditLineRequired"): f"{VOCABULARY}CR-NRQ"}) is None


def test_a_managed_licence_is_read_whole() -> None:
    proposed = read(
        ("plus", "Licensor", [AGENCY]),
        ("plus", "Licensee", [{"plus:LicenseeName": "The Brand"}]),
        ("plus", "ImageSupplierImageID", "4711"),
        ("plus", "LicenseID", "L-9"),
        ("plus", "LicensorTransactionID", ["T-1", "T-2"]),
        ("plus", "LicenseTransactionDate", "2026-01-02"),
        ("plus", "LicenseStartDate", "2026-02-01T00:00:00+01:00"),
        ("plus", "LicenseEndDate", "2027-01-31"),
        ("plus", "MediaSummaryCode", SUMMARY),
        ("plus", "CreditLineRequired", f"{VOCABULARY}CR-CAI"),
        ("plus", "ImageFileConstraints", [f"{VOCABULARY}IF-MMD", f"{VOCABULARY}IF-MFT"]),
        ("plus", "ImageAlterationConstraints", [f"{VOCABULARY}AL-CRP", "AL-RET"]),
        ("plus", "ModelReleaseStatus", "MR-LMR"),
        ("plus", "PropertyReleaseStatus", "PR-NAP"),
        ("plus", "MinorModelAgeDisclosure", "AG-A16"),
        ("plus", "DataMining", f"{VOCABULARY}DMI-PROHIBITED-AIMLTRAINING"),
        ("plus", "RegionConstraints", {"x-default": "Not in Bavaria.", "de": "Nicht in Bayern."}),
        ("plus", "MediaConstraints", "Not beside alcohol."),
        ("photoshop", "Credit", "Ada Lens / Lens Agency"),
        ("dc", "rights", {"x-default": "© Ada Lens"}),
        ("xmpRights", "WebStatement", "https://lens.example/rights"),
    )  # fmt: skip
    assert (proposed.kind, proposed.code) == (LicenseKind.RIGHTS_MANAGED, "")
    assert proposed.parties == (
        ProposedParty(Role.LICENSOR, "Lens Agency", "PLUS-1", "https://lens.example/4711"),
        ProposedParty(Role.LICENSEE, "The Brand"),
    )
    assert (proposed.license_id, proposed.item_id, proposed.order_ref) == ("L-9", "4711", "T-1")
    assert proposed.transacted_on == date(2026, 1, 2)
    assert (proposed.starts_on, proposed.ends_on) == (date(2026, 2, 1), date(2027, 1, 31))
    assert proposed.duties == (
        ProposedDuty(DutyKind.CREDIT_ADJACENT, "Ada Lens / Lens Agency"),
        ProposedDuty(DutyKind.KEEP_METADATA),
    )
    assert proposed.alterations == (Alteration.CROP, Alteration.RETOUCH)
    assert (proposed.model_release, proposed.property_release) == (ReleaseStatus.LIMITED, ReleaseStatus.NAP)
    assert proposed.minor_age is MinorAge.A16
    assert proposed.data_mining is DataMining.PROHIBITED_TRAINING
    assert proposed.constraints == (
        Constraint(Dimension.CHANNEL, "Not beside alcohol."),
        Constraint(Dimension.TERRITORY, "Not in Bavaria."),
        Constraint(Dimension.CONSTRAINT, "The file keeps its type."),
    )
    assert proposed.unread == ()
    assert (proposed.notice, proposed.terms_url) == ("© Ada Lens", "https://lens.example/rights")
    assert "a@lens.example" not in repr(proposed)


def test_each_thing_is_told_with_its_place() -> None:
    proposed = read(
        ("plus", "LicenseEndDate", "2027-01-31"),
        ("iptc", "ExpirationDate", "20261231"),
        ("plus", "LicenseID", "L-9"),
    )
    told = [(each.field, each.namespace, each.name, each.text) for each in proposed.sources]
    assert told == [
        (Field.LICENSE_ID, "plus", "LicenseID", "L-9"),
        (Field.ENDS_ON, "plus", "LicenseEndDate", "2027-01-31"),
        (Field.ENDS_ON, "iptc", "ExpirationDate", "20261231"),
    ]
    assert proposed.ends_on == date(2026, 12, 31)


@pytest.mark.parametrize(
    "said", ["2027", "2027-02", "soon", "2027-02-30", "00000000", "2027-1-1", "2027-0131", "٢٠٢٧-٠١-٠١", "1" * 5000]
)
def test_a_date_that_names_no_day_is_not_guessed(said: str) -> None:
    proposed = read(("plus", "LicenseEndDate", said))
    assert proposed.ends_on is None
    (unread,) = proposed.unread
    assert (unread.source.field, unread.source.name) == (Field.ENDS_ON, "LicenseEndDate")
    assert unread.sentence.endswith(".")


def test_a_licence_that_ends_before_it_begins_is_left_to_a_person() -> None:
    proposed = read(("plus", "LicenseStartDate", "2027-01-02"), ("plus", "LicenseEndDate", "2027-01-01"))
    assert (proposed.starts_on, proposed.ends_on) == (None, None)
    assert [each.dimension for each in proposed.constraints] == [Dimension.WINDOW]


@pytest.mark.parametrize(
    ("address", "code", "url"),
    [
        ("http://creativecommons.org/licenses/by/3.0/de/", "CC-BY-3.0", "by/3.0/de/"),
        ("https://creativecommons.org/licenses/by-sa/4.0", "CC-BY-SA-4.0", "by-sa/4.0/"),
        ("https://creativecommons.org/licenses/by-nd/2.5/scotland/", "CC-BY-ND-2.5", "by-nd/2.5/scotland/"),
        ("https://www.creativecommons.org/licenses/BY-NC/2.0/", "CC-BY-NC-2.0", "by-nc/2.0/"),
        ("https://creativecommons.org/licenses/by-nc-sa/4.0/deed.de", "CC-BY-NC-SA-4.0", "by-nc-sa/4.0/"),
        ("https://creativecommons.org/licenses/by-nc-nd/1.0/legalcode", "CC-BY-NC-ND-1.0", "by-nc-nd/1.0/"),
    ],
)
def test_the_address_of_a_public_licence_names_it(address: str, code: str, url: str) -> None:
    for place in (("cc", "license"), ("xmpRights", "WebStatement"), ("plus", "TermsAndConditionsURL")):
        proposed = read((*place, address))
        assert (proposed.kind, proposed.code) == (LicenseKind.CREATIVE_COMMONS, code)
        assert proposed.terms_url == f"https://creativecommons.org/licenses/{url}"


def test_what_was_given_to_everybody_is_told_from_what_nobody_owns() -> None:
    zero = read(("cc", "license", "https://creativecommons.org/publicdomain/zero/1.0/"))
    mark = read(("cc", "license", "https://creativecommons.org/publicdomain/mark/1.0/deed.en"))
    assert (zero.kind, zero.code) == (LicenseKind.CREATIVE_COMMONS, "CC0-1.0")
    assert (mark.kind, mark.code) == (LicenseKind.PUBLIC_DOMAIN, "PDM-1.0")
    said = read(("plus", "CopyrightStatus", f"{VOCABULARY}CS-PUB"))
    assert (said.kind, said.code) == (LicenseKind.PUBLIC_DOMAIN, "")


@pytest.mark.parametrize(
    "text",
    [
        "CC BY 4.0",
        "https://creativecommons.org/licenses/by/4.01/",
        "https://creativecommons.org/licenses/by/9.0/",
        "https://creativecommons.org/licenses/sampling+/1.0/",
        "https://creativecommons.org.evil.example/licenses/by/4.0/",
        "https://evil.example/?creativecommons.org/licenses/by/4.0/",
        "https://creativecommons.org/licenses/by-nc-nd-extra/4.0/",
    ],
)
def test_what_only_resembles_a_public_licence_is_none(text: str) -> None:
    assert licenses_in(text) == ()
    assert read(("dc", "rights", text)).kind is LicenseKind.UNKNOWN


def test_two_places_that_contradict_each_other_leave_the_kind_open() -> None:
    one, other = (f"https://creativecommons.org/licenses/{each}/4.0/" for each in ("by", "by-nc"))
    assert read(("cc", "license", one), ("xmpRights", "WebStatement", other)).kind is LicenseKind.UNKNOWN
    assert read(("cc", "license", one), ("plus", "MediaSummaryCode", SUMMARY)).kind is LicenseKind.UNKNOWN
    both = read(("cc", "license", one), ("plus", "CopyrightStatus", "CS-PUB"))
    assert (both.kind, both.code) == (LicenseKind.UNKNOWN, "")
    # A licence's own address goes before what some text mentions.
    assert read(("cc", "license", one), ("dc", "rights", f"not {other}")).code == "CC-BY-4.0"
    told = read(("cc", "license", one), ("xmpRights", "WebStatement", other)).sources
    assert [each.name for each in told if each.field is Field.KIND] == ["license", "WebStatement"]


def test_words_on_use_are_constraints_unless_they_are_only_the_licence_itself() -> None:
    address = "https://creativecommons.org/licenses/by/4.0/"
    assert read(("xmpRights", "UsageTerms", address)).constraints == ()
    said = read(("xmpRights", "UsageTerms", f"{address} but not in print"))
    assert [each.text for each in said.constraints] == [f"{address} but not in print"]


def test_the_media_summary_code_is_read_by_its_grammar() -> None:
    summary = plus.summary(SUMMARY)
    assert summary.version == "V0120"
    assert [[item.code for item in usage] for usage in summary.usages] == [
        ["2BOB", "7DZA", "8RDE", "9ENE"],
        ["2ACE", "7DWR", "8RAA"],
    ]
    dimensions = [item.dimension for item in summary.usages[0]]
    assert dimensions == [Matrix.MEDIA, Matrix.DURATION, Matrix.REGION, Matrix.EXCLUSIVITY]
    assert plus.summary("|plus|v120|u001|1iaa2bob|").usages[0][0].code == "2BOB"
    thirty = "".join(f"8R{first}{second}" for first in "AB" for second in "ABCDEFGHIJKLMNO")
    assert len(plus.summary(f"|PLUS|V0120|U001|1IBD{thirty}|").usages[0]) == 30
    (item,) = plus.summary("|PLUS|V0120|U001|1IAA5QQQ|").usages[0]
    assert item.dimension is None


@pytest.mark.parametrize(
    "code",
    [
        "",
        "PLUS",
        "|PLUS|",
        "|PLUS|V0120|U001|",
        "|PLUS|V0120|U001|1IAA2BOB",
        "|PLUS|V0120|U002|1IAA2BOB|",
        "|PLUS|V0120|U001|1IAB2BOB|",
        "|PLUS|V0120|U001|1IAA2BO|",
        "|PLUS|V0120|U001|1IAA2B0B|",
        "|PLUS|V0120|U001|2BOB|",
        "|PLUX|V0120|U001|1IAA2BOB|",
        "|PLUS|0120|U001|1IAA2BOB|",
        "|PLUS|V0120|U1e9|1IAA2BOB|",
        "|PLUS|V0120|U101|" + "1IAA2BOB|" * 101,
        "|PLUS|V0120|U99999999999999999999|1IAA2BOB|",
    ],
)
def test_a_summary_that_was_cut_or_changed_is_not_read_at_all(code: str) -> None:
    with pytest.raises(ValueError, match="media summary code"):
        plus.summary(code)
    if code:
        proposed = read(("plus", "MediaSummaryCode", code))
        assert (proposed.usages, proposed.kind) == (None, LicenseKind.UNKNOWN)
        assert [each.source.field for each in proposed.unread] == [Field.USAGES]


def test_exclusivity_in_the_summary_is_left_to_a_person() -> None:
    assert read(("plus", "MediaSummaryCode", SUMMARY)).constraints == ()
    (said,) = read(("plus", "MediaSummaryCode", "|PLUS|V0120|U001|1IAB2BOB9EIN|")).constraints
    assert said.dimension is Dimension.EXCLUSIVITY


def test_rights_in_a_language_of_their_own_are_named_and_not_followed() -> None:
    proposed = read(
        ("Iptc4xmpExt", "LinkedEncRightsExpr", [{"Iptc4xmpExt:LinkedRightsExpr": "https://x.example/odrl"}])
    )
    assert [each.dimension for each in proposed.constraints] == [Dimension.CONSTRAINT]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("CreditLineRequired", "CR-XXX"),
        ("ImageAlterationConstraints", ["AL-CRP, AL-FLP"]),
        ("ModelReleaseStatus", "yes"),
        ("MinorModelAgeDisclosure", "12"),
        ("DataMining", "http://evil.example/DMI-ALLOWED"),
        ("ImageFileConstraints", "IF-XXX"),
        ("CopyrightStatus", "free"),
    ],
)
def test_a_code_that_nobody_knows_is_told_and_not_guessed(name: str, said: Any) -> None:
    proposed = read(("plus", name, said))
    (unread,) = proposed.unread
    assert (unread.source.name, unread.sentence) == (name, "PLUS knows no such code here.")
    assert proposed == LicenseProposal(unread=proposed.unread)


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "www.lens.example",
        "https://user:secret@lens/",
        "https://",
        "http://[::1",
        "https://lens.example/a b",
        "https://lens.example/" + "a" * 500,
        "data:text/html,<script>",
    ],
)
def test_only_addresses_of_the_web_are_taken_over(address: str) -> None:
    licensor = {"plus:LicensorName": "Lens", "plus:LicensorURL": address}
    proposed = read(("plus", "Licensor", [licensor]), ("xmpRights", "WebStatement", address))
    assert proposed.parties == (ProposedParty(Role.LICENSOR, "Lens"),)
    assert (proposed.terms_url, proposed.web_statement) == ("", "")
    assert {each.source.field for each in proposed.unread} == {Field.PARTY, Field.TERMS_URL, Field.WEB_STATEMENT}


def test_how_to_reach_a_person_is_in_no_part_of_a_proposal() -> None:
    proposed = read(
        ("dc", "creator", ["Ada Lens, ada@lens.example"]),
        ("dc", "rights", "© Ada, tel. +49 89 1234567"),
        ("xmpRights", "UsageTerms", "Ask ada@lens.example first"),
        (
            "plus",
            "Licensor",
            [{"plus:LicensorName": "Ada (ada@lens.example)", "plus:LicensorTelephone1": "089 1234567"}],
        ),
        ("xmpRights", "WebStatement", "https://lens.example/?mail=ada@lens.example"),
    )
    assert "ada@" not in repr(proposed)
    assert "1234567" not in repr(proposed)
    assert proposed.parties == (ProposedParty(Role.LICENSOR, "Ada"), ProposedParty(Role.CREATOR, "Ada Lens"))
    assert proposed.web_statement == ""


def test_values_of_a_shape_that_nobody_expects_say_nothing() -> None:
    deep: Any = "x"
    for _ in range(50):
        deep = [deep]
    for odd in (7, True, None, [], {}, [[["a"]]], {"x-default": ["a"]}, [None, 3], deep, {"plus:x": {"plus:y": "z"}}):
        entries = {(space, name): odd for space, name in proposals.PLACES if space != "Iptc4xmpExt"}
        assert proposals.proposal(entries) is None


def test_a_proposal_is_bounded_however_much_a_file_says() -> None:
    many = ["x" * 4_000 + str(number) for number in range(200)]
    entries: dict[tuple[str, str], Any] = dict.fromkeys(proposals.PLACES, many)
    entries |= {("plus", "Licensor"): [{"plus:LicensorName": text} for text in many]}
    proposed = proposals.proposal(entries)
    assert proposed is not None
    assert max(len(each.text) for each in proposed.constraints) == 2_000
    assert max(len(each.name) for each in proposed.parties) == 500
    assert len(proposed.sources) + len(proposed.unread) < 1_000


def test_the_same_entries_in_another_order_propose_the_same() -> None:
    entries = [
        ("cc", "license", "https://creativecommons.org/licenses/by/4.0/"),
        ("dc", "rights", "© A"),
        ("plus", "DataMining", "DMI-PROHIBITED-SEECONSTRAINT"),
        ("plus", "OtherConstraints", "No models."),
    ]
    assert read(*entries) == read(*reversed(entries))
    assert Constraint(Dimension.CONSTRAINT, "No models.") in read(*entries).constraints
    assert any("machines" in each.text for each in read(*entries).constraints)
