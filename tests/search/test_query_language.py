"""What people type into the search box: how it is understood, and how it is refused."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.index import query
from storage.index.conditions import Between, Is, StartsWith
from storage.index.query import And, Filter, Fuzzy, Node, Not, Or, Phrase, Prefix, QuerySyntaxError, Word


def tree(text: str) -> Node | None:
    return query.parse(text).root


def day(year: int, month: int = 1, day_: int = 1) -> datetime:
    return datetime(year, month, day_, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "   ", "&", "& — !", '""', "-&", "(&)", "NOT ,"])
def test_a_text_that_says_nothing_asks_for_everything(text: str) -> None:
    assert tree(text) is None


def test_words_side_by_side_mean_both() -> None:
    assert tree("summer  campaign") == And((Word("summer", 0, 6), Word("campaign", 8, 16)))


def test_and_binds_closer_than_or() -> None:
    a, b, c = Word("a", 0, 1), Word("b", 5, 6), Word("c", 7, 8)

    assert tree("a OR b c") == Or((a, And((b, c))))
    assert tree("a OR b AND c") == Or((a, And((b, Word("c", 11, 12)))))
    assert tree("(a OR b) c") == And((Or((Word("a", 1, 2), Word("b", 6, 7))), Word("c", 9, 10)))


def test_not_and_minus_exclude() -> None:
    assert tree("a NOT b") == And((Word("a", 0, 1), Not(Word("b", 6, 7))))
    assert tree("-b") == Not(Word("b", 1, 2))
    assert tree('a -"b c"') == And((Word("a", 0, 1), Not(Phrase("b c"))))
    assert tree("t-shirt") == Word("t-shirt", 0, 7)


def test_operators_in_small_letters_are_words() -> None:
    assert tree("rock and roll") == And((Word("rock", 0, 4), Word("and", 5, 8), Word("roll", 9, 13)))


def test_a_field_confines_a_word_a_phrase_or_a_group() -> None:
    assert tree("Title:hero") == Word("hero", 6, 10, "title")
    assert tree('file:"a b"') == Phrase("a b", "file")
    assert tree("tag:(a OR b*) c") == And((Or((Word("a", 5, 6, "tag"), Prefix("b", "tag"))), Word("c", 14, 15)))


def test_an_address_and_a_ratio_are_words() -> None:
    assert tree("https://example.com/a") == Word("https://example.com/a", 0, 21)
    assert tree("16:9") == Word("16:9", 0, 4)


def test_beginnings_and_near_words() -> None:
    assert tree("broch*") == Prefix("broch")
    assert tree("colour~") == Fuzzy("colour", 1)
    assert tree("title:colour~2") == Fuzzy("colour", 2, "title")


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("kind:PHOTO", Is("kind", "PHOTO")),
        ("type:Image/PNG", Is("media_type", "image/png")),
        ("type:image/*", StartsWith("media_type", "image/")),
        ("type:image", StartsWith("media_type", "image/")),
        ("width:1000", Is("width", 1000)),
        ("width:1000..2000", Between("width", 1000, 2000)),
        ("height:..2000", Between("height", None, 2000)),
        ("size:5..", Between("byte_size", 5, None)),
        ("created:2024", Between("created_at", day(2024), day(2025))),
        ("created:2024..2025-06", Between("created_at", day(2024), day(2025, 7))),
        ("captured:2023-12-31", Between("captured_at", day(2023, 12, 31), day(2024))),
        ("updated:2024-12..", Between("updated_at", day(2024, 12), None)),
        ("created:..2024-02", Between("created_at", None, day(2024, 3))),
        ('created:"2024-02"', Between("created_at", day(2024, 2), day(2024, 3))),
    ],
)
def test_ranges_and_exact_values_become_conditions(text: str, condition: query.Filter) -> None:
    assert tree(text) == Filter(condition)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "position", "sentence"),
    [
        ("a AND", 5, "ends where a word should follow"),
        ("a OR OR b", 5, "needs a word before and after"),
        ("AND", 0, "needs a word before and after"),
        ("a (b", 2, "never closed"),
        ("a)", 1, "closes nothing"),
        ("a ()", 2, "nothing between"),
        ('say "hello', 4, "never closed"),
        ("nope:x", 0, "no field “nope”"),
        ("title: x", 6, "without a blank"),
        ("title:", 6, "without a blank"),
        ("kind:(a)", 5, "takes one value"),
        ('kind:""', 5, "a value must follow"),
        ("width:wide", 6, "no whole number"),
        ("width:٣", 6, "no whole number"),
        ("width:..", 6, "at least one end"),
        ("created:2024-13", 8, "no day"),
        ("created:2023-02-29", 8, "no day"),
        ("created:9999", 8, "no day"),
        ("created:soon", 8, "write 2024"),
        ("type:image*png", 10, "only stand at the end"),
        ("he*ro", 2, "only stand at the end"),
        ("*", 0, "needs a letter"),
        ("~", 0, "needs a letter"),
        ("hero~3", 5, "only 1 or 2"),
        ("hero*~", 4, "only stand at the end"),
    ],
)
def test_a_mistake_is_named_with_its_position(text: str, position: int, sentence: str) -> None:
    with pytest.raises(QuerySyntaxError, match=sentence) as refusal:
        query.parse(text)

    assert refusal.value.position == position
    assert str(refusal.value).endswith(".")


def test_depth_terms_and_length_are_limited() -> None:
    assert query.parse("(" * 49 + "a" + ")" * 49).root == Word("a", 49, 50)
    assert len(query.parse("a " * 64).words()) == 64
    for text, position in [
        ("(" * 50 + "a" + ")" * 50, 50),
        ("-" * 60 + "a", 50),
        ("NOT " * 60 + "a", 200),
        ("a " * 65, 128),
        ("kind:a " * 65, 64 * 7 + 5),
        ("a" * 2_001, 2_000),
        ("(" * 100_000, 2_000),
    ]:
        with pytest.raises(QuerySyntaxError) as refusal:
            query.parse(text)
        assert refusal.value.position == position


def test_words_are_told_in_order_with_their_places() -> None:
    parsed = query.parse('(b OR a) -c title:d "e" f*')

    assert [parsed.text[word.start : word.end] for word in parsed.words()] == ["b", "a", "d"]


hostile = st.one_of(
    st.text(max_size=300),
    st.text(alphabet='()"-~*: ANDORNT.0129abтü\\', max_size=2_000),
    st.lists(
        st.sampled_from(("(", ")", "NOT ", "-", "AND ", "OR ", "a ", '"', "title:", "x~2 ", "y* ")), max_size=700
    ).map("".join),
    st.text(min_size=1, max_size=20).map(lambda text: text * 5_000),
)


@given(hostile)
@settings(max_examples=600, deadline=None, derandomize=True)
def test_any_text_is_parsed_or_refused_with_a_place_in_it(text: str) -> None:
    refusal = None
    try:
        leaves = _leaves(query.parse(text).root)
    except QuerySyntaxError as refused:
        refusal = refused
    if refusal is None:
        assert len(text) <= query.MAX_LENGTH
        assert leaves <= query.MAX_TERMS
    else:
        assert 0 <= refusal.position <= len(text)
        assert refusal.sentence.endswith(".")


def _leaves(node: Node | None) -> int:
    if node is None:
        return 0
    if isinstance(node, And | Or):
        return sum(_leaves(part) for part in node.parts)
    return _leaves(node.part) if isinstance(node, Not) else 1
