"""What a licence of each kind grants to begin with, and how a decision is put into words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.licensing import duties, sentences, templates, uses
from domain.licensing.codes import (
    Action,
    Alteration,
    CapUnit,
    Dimension,
    DutyKind,
    LicenseKind,
    Outcome,
    Purpose,
    ReasonCode,
    Severity,
)
from domain.licensing.terms import DueDuty, Facts, Quantity, Reason
from tests.licensing.terms_of import codes, decide, licence, picture

C = ReasonCode


def under(code: str) -> Facts:
    template = templates.TEMPLATES[code]
    grants = tuple(replace(grant, id=key) for key, grant in enumerate(template.grants, start=1))
    public: Any = {"licensee_org_id": None, "public_code": code} if template.public else {}
    terms = licence(*grants, kind=template.kind, terms_url=template.terms_url, **public)
    return picture(terms, creator="Ada Lovelace", title="Engine")


def test_every_kind_has_a_template_and_all_say_known_channels() -> None:
    assert {template.kind for template in templates.TEMPLATES.values()} == set(LicenseKind)
    for template in templates.TEMPLATES.values():
        for grant in template.grants:
            assert uses.checked(grant.channels) == grant.channels, template.code
            assert tuple(sorted(set(grant.actions))) == grant.actions, template.code


@pytest.mark.parametrize("terms", ["BY", "BY-SA", "BY-ND", "BY-NC", "BY-NC-SA", "BY-NC-ND"])
def test_creative_commons_grants_what_its_letters_say(terms: str) -> None:
    facts = under(f"CC-{terms}-4.0")
    commercial = decide(facts)
    assert commercial.outcome == (Outcome.DENIED if "NC" in terms else Outcome.ALLOWED_WITH_DUTIES)
    taught = decide(facts, purpose=Purpose.EDUCATIONAL, party=99)
    owed = {DutyKind.CREDIT_ADJACENT, DutyKind.INDICATE_CHANGES, DutyKind.LINK_LICENSE}
    assert (taught.outcome, {duty.kind for duty in taught.duties}) == (Outcome.ALLOWED_WITH_DUTIES, owed)
    derived = decide(facts, purpose=Purpose.EDUCATIONAL, action=Action.DERIVE)
    assert (derived.outcome == Outcome.DENIED) == ("ND" in terms)
    assert (DutyKind.SHARE_ALIKE in {duty.kind for duty in derived.duties}) == ("SA" in terms)
    cut = decide(facts, purpose=Purpose.EDUCATIONAL, alterations=(Alteration.CROP,))
    assert (C.ALTERATION_FORBIDDEN in codes(cut)) == ("ND" in terms)


@pytest.mark.parametrize("code", ["CC0-1.0", "PDM-1.0"])
def test_what_is_free_owes_nothing(code: str) -> None:
    for action in Action:
        if action != Action.SUBLICENSE:
            assert decide(under(code), action=action, party=99).outcome == Outcome.ALLOWED, action


def test_a_royalty_free_licence_ends_at_half_a_million_copies_and_is_not_resold() -> None:
    facts = under("ROYALTY_FREE")
    many = (Quantity(CapUnit.COPIES, 500_000),)
    assert decide(facts, channel="print.flyer", quantities=many).outcome == Outcome.ALLOWED
    more = (Quantity(CapUnit.COPIES, 500_001),)
    assert codes(decide(facts, channel="print.flyer", quantities=more)) == {C.CAP_EXCEEDED}
    extended = decide(under("ROYALTY_FREE_EXTENDED"), channel="print.flyer", quantities=more)
    assert extended.outcome == Outcome.ALLOWED
    assert C.PROHIBITED in codes(decide(facts, action=Action.RESELL))


def test_an_editorial_licence_is_for_the_press_and_a_managed_one_for_nothing_yet() -> None:
    facts = under("EDITORIAL")
    article = decide(facts, channel="editorial.article", purpose=Purpose.EDITORIAL)
    assert article.outcome == Outcome.ALLOWED_WITH_DUTIES
    assert C.PURPOSE_FORBIDDEN in codes(decide(facts, channel="editorial.article"))
    assert codes(decide(under("RIGHTS_MANAGED"))) == {C.ACTION_NOT_GRANTED}
    assert decide(under("UNKNOWN")).outcome == Outcome.UNKNOWN


def test_a_credit_line_is_whole_in_each_language() -> None:
    facts = under("CC-BY-SA-4.0")
    credit = next(one for one in decide(facts).duties if one.kind == DutyKind.CREDIT_ADJACENT)
    address = "https://creativecommons.org/licenses/by-sa/4.0/"
    whose = facts.subjects[7], facts.licenses[1]
    assert duties.credit_line(credit, *whose, "en-GB") == f"“Engine” by Ada Lovelace, CC BY-SA 4.0, {address}"
    assert duties.credit_line(credit, *whose, "de") == f"„Engine“ von Ada Lovelace, CC BY-SA 4.0, {address}"
    assert duties.credit_line(replace(credit, parameter="© Agency"), *whose, "de") == "© Agency"
    assert duties.text(credit, *whose, "de").startswith("Neben dem Bild zu nennen: „Engine“ von Ada")
    assert duties.credit_line(credit, facts.subjects[7], licence(licensor="Agency"), "en") == "© Ada Lovelace / Agency"


@pytest.mark.parametrize("locale", sentences.LOCALES)
def test_every_duty_and_reason_is_a_whole_sentence(locale: str) -> None:
    facts = picture(licence())
    for kind in DutyKind:
        text = duties.text(DueDuty(kind, "Ada", 1, 1, 7), facts.subjects[7], None, locale)
        assert text, kind
        assert "{" not in text, kind
    for code in ReasonCode:
        for severity in Severity:
            said = sentences.message(Reason(code, severity, Dimension.QUANTITY, "DE", expected="5"), locale)
            assert said.startswith("DE: "), code
            assert "{" not in said, code


def test_a_language_that_we_do_not_speak_is_answered_in_english() -> None:
    reason = Reason(C.NO_LICENSE, Severity.DENY, Dimension.LICENSE)
    assert sentences.message(reason, "fr") == sentences.message(reason, "en") == "No licence covers this picture."
    assert sentences.message(reason, "de-AT") == "Für dieses Bild gibt es keine Lizenz."
