"""Titles and alternative texts in other languages, by argument and by what the request accepts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from domain import locales
from domain.hub import Hub
from domain.refusals import Invalid
from schema import execution
from schema.execution import Asked
from tests.asking import Client
from tests.assets import acts
from tests.assets.acts import accepted, created, picture, refusal
from tests.working import index_all

TEXTS = "localTitle { locale text } altText { locale text } titles { locale text } altTexts { locale text } decorative"


def change(client: Client, asset: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return client.mutate(
        "assetUpdate",
        f"asset {{ {acts.WHOLE_ASSET} {TEXTS} }}",
        asset=asset["id"],
        expectedRevision=acts.look(client, asset)["revision"],
        **fields,
    )


def texts(**by_locale: str | None) -> list[dict[str, Any]]:
    return [{"locale": locale.replace("_", "-"), "text": text} for locale, text in by_locale.items()]


def shown(client: Client, asset: dict[str, Any], *languages: str, locale: str | None = None) -> tuple[Any, Any]:
    """The title and the alternative text that somebody is shown who accepts these languages."""
    query = """query ($id: ID!, $l: Locale) { asset(id: $id) {
      localTitle(locale: $l) { locale text } altText(locale: $l) { locale text } } }"""
    asked = Asked(query, variables={"id": asset["id"], "l": locale}, languages=languages)
    found = json.loads(execution.answer(client.hub, client.viewer, asked, "test").body)["data"]["asset"]
    alt = found["altText"]
    return tuple(found["localTitle"].values()), alt and tuple(alt.values())


def test_the_language_that_fits_best_is_shown_and_else_the_assets_own_title(client: Client) -> None:
    asset = created(client, picture(1), title="Meadow")
    assert shown(client, asset) == ((None, "Meadow"), None)
    given = {"titles": texts(de="Wiese", pt_BR="Prado"), "altTexts": texts(de="Eine Wiese", en="A meadow")}
    changed = accepted(change(client, asset, **given))["asset"]
    assert changed["title"] == "Meadow"
    assert changed["revision"] == 2
    assert shown(client, asset, "de-CH", "en") == (("de", "Wiese"), ("de", "Eine Wiese"))
    assert shown(client, asset, "fr", "pt") == (("pt-BR", "Prado"), ("en", "A meadow"))
    assert shown(client, asset, "ja") == ((None, "Meadow"), ("en", "A meadow"))
    assert shown(client, asset, "de", locale="pt-PT") == (("pt-BR", "Prado"), ("de", "Eine Wiese"))


def test_a_decorative_picture_has_an_empty_text_and_keeps_those_it_has(client: Client) -> None:
    asset = created(client, picture(1), decorative=True, altTexts=texts(de="Linie"))
    assert shown(client, asset, "de")[1] == (None, "")
    changed = accepted(change(client, asset, decorative=False))["asset"]
    assert (changed["decorative"], changed["altText"]) == (False, {"locale": "de", "text": "Linie"})
    accepted(change(client, asset, altTexts=texts(de=None)))
    assert shown(client, asset, "de")[1] is None


def test_texts_in_other_languages_are_found_by_their_words(hub: Hub, client: Client) -> None:
    created(client, picture(1), title="one", titles=texts(de="Blumenwiese"), altTexts=texts(fr="Un papillon"))
    index_all(hub)
    for word in ("blumenwiese", "papillon"):
        assert client.ask("query ($w: String) { assets(search: $w) { totalCount } }", w=word) == {
            "assets": {"totalCount": 1}
        }


def test_saying_the_same_again_changes_no_text_and_a_wrong_language_nothing_at_all(client: Client) -> None:
    asset = created(client, picture(1), titles=texts(de="Wiese"))
    with acts.unchanged(client.hub):
        assert refusal(change(client, asset, titles=texts(de="x") + texts(de="y")))["constraint"] == "unique"
        assert refusal(change(client, asset, altTexts=texts(de=" ")))["constraint"] == "required"
    answer = client.answer("query ($l: Locale) { assets { nodes { localTitle(locale: $l) { text } } } }", l="german!")
    assert "A language is a tag" in answer["errors"][0]["message"]


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("", ()),
        ("de-ch,de;q=0.9,en;q=0.8,*;q=0.5", ("de-CH", "de", "en")),
        ("en;q=0.1, fr", ("fr", "en")),
        ("fr;q=0, de;q=nonsense, it;q=1.0", ("it",)),
        ("zh-hant-tw, x-klingon, d", ("zh-Hant-TW",)),
    ],
)
def test_what_a_request_accepts_is_read_as_the_standard_says(header: str, wanted: tuple[str, ...]) -> None:
    assert locales.accepted(header) == wanted


def test_a_language_is_spelt_one_way_or_refused() -> None:
    assert [locales.tag(each) for each in ("EN", "pt_br", "ZH-hANS-sg", "es-419")] == [
        "en",
        "pt-BR",
        "zh-Hans-SG",
        "es-419",
    ]
    for wrong in ("", "e", "english", "de-", "de-CH-1901", "12"):
        with pytest.raises(Invalid):
            locales.tag(wrong)
