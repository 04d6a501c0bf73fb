"""How text becomes terms: the same word in any inflection, script and spelling, and where it stood."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.index import analyser


def surfaces(text: str) -> list[str]:
    return [token.surface for token in analyser.analyse(text).words]


def joined(text: str) -> list[str]:
    return [token.surface for token in analyser.analyse(text).joined]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("campaign", "campaigns"),
        ("running", "runs"),
        ("catalogue", "catalogues"),
        ("Haus", "Häuser"),
        ("Broschüre", "Broschüren"),
        ("Katalog", "Katalogen"),
        ("München", "Muenchen"),
        ("München", "MUNCHEN"),
        ("Straße", "STRASSEN"),
        ("кампания", "кампаниями"),
        ("летняя", "летних"),
        ("отчёт", "отчеты"),
        ("École", "ecole"),
        ("e\u0301cole", "\u00e9cole"),
        ("ﬁnal", "final"),
        ("İstanbul", "istanbul"),
        ("Ærø", "aero"),
    ],
)
def test_inflections_and_spellings_share_a_stem(one: str, other: str) -> None:
    stems = {token.stem for text in (one, other) for token in analyser.analyse(text).words}

    assert len(stems) == 1


@pytest.mark.parametrize(("one", "other"), [("house", "mouse"), ("лес", "лето"), ("Wand", "Wund")])
def test_different_words_stay_different(one: str, other: str) -> None:
    assert analyser.stem(analyser.fold(one)) != analyser.stem(analyser.fold(other))


@pytest.mark.parametrize(
    ("name", "pieces", "together"),
    [
        (
            "BrandHero_2024-final.JPG",
            ["brand", "hero", "2024", "final", "jpg"],
            ["brandhero", "brandhero2024", "brandhero2024final"],
        ),
        ("IMG4711", ["img", "4711"], ["img4711"]),
        ("HTMLFile", ["html", "file"], ["htmlfile"]),
        ("iPhone", ["i", "phone"], ["iphone"]),
        ("t-shirt", ["t", "shirt"], ["tshirt"]),
        ("L'Oréal", ["l", "oreal"], ["loreal"]),
        ("the brand's", ["the", "brand"], []),
        ("2024-06-01", ["2024", "06", "01"], ["202406", "20240601"]),
        ("НоваяКоллекция", ["новая", "коллекция"], ["новаяколлекция"]),
        ("plain", ["plain"], []),
        ("ALLCAPS", ["allcaps"], []),
        ("16:9", ["16", "9"], []),
        ("__--''", [], []),
    ],
)
def test_names_are_split_and_kept_together_too(name: str, pieces: list[str], together: list[str]) -> None:
    assert surfaces(name) == pieces
    assert joined(name) == together


@pytest.mark.parametrize(
    ("text", "folded"), [("ЙОД", "йод"), ("Ёлка", "елка"), ("ẞß", "ssss"), ("Łódź", "lodz"), ("Ça", "ca"), ("①", "1")]
)
def test_folding_takes_case_and_accents_but_leaves_letters(text: str, folded: str) -> None:
    assert analyser.fold(text) == folded


def test_offsets_point_at_the_word_in_the_normalised_text() -> None:
    text = "Die e\u0301cole_2 und Größe"
    normal = analyser.normalise(text)

    assert [normal[token.start : token.end] for token in analyser.analyse(text).words] == [
        "Die",
        "école",
        "2",
        "und",
        "Größe",
    ]


def test_stop_words_are_indexed_like_any_other() -> None:
    assert surfaces("the who") == ["the", "who"]
    assert {"the", "und", "в"} <= analyser.STOP_WORDS


def test_equal_names_have_equal_keys_whatever_their_punctuation() -> None:
    assert analyser.key("Black & White: Größe") == analyser.key("black, white — GROSSE") == "black white grosse"
    assert analyser.digest("a") != analyser.digest("b")
    assert -(2**63) <= analyser.digest("a") < 2**63


def test_a_word_without_end_is_cut() -> None:
    (token,) = analyser.analyse("x" * 10_000).words

    assert len(token.surface) == analyser.MAX_WORD
    assert (token.start, token.end) == (0, 10_000)


def test_a_name_of_a_thousand_pieces_is_not_joined_a_thousand_times() -> None:
    assert len(analyser.analyse("-".join(["ab"] * 1_000)).joined) < analyser.MAX_WORD


@given(st.text(max_size=200))
@settings(max_examples=400, deadline=None, derandomize=True)
def test_any_text_gives_clean_terms_in_order(text: str) -> None:
    words, together = analyser.analyse(text)
    normal = analyser.normalise(text)
    ends = [0, *(token.end for token in words)]

    for token, end in zip(words, ends, strict=False):
        assert end <= token.start < token.end <= len(normal)
    for token in (*words, *together):
        assert 0 < len(token.surface) <= analyser.MAX_WORD
        assert token.stem
        assert not any(character.isspace() for character in token.surface + token.stem)
        assert token.start < token.end <= len(normal)


@given(st.text(st.characters(categories=("L", "N")), max_size=30))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_decomposed_and_composed_text_are_analysed_alike(text: str) -> None:
    assert analyser.analyse(unicodedata.normalize("NFD", text)) == analyser.analyse(text)
