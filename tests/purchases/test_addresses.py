"""Which item an address shows: patterns are data, and none can be made to take long or to mean anything else."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.purchases import addresses
from domain.purchases.addresses import Pattern
from domain.refusals import Invalid

KEPT = [
    {"host": "shutterstock.com", "path": r"/[^/]+/[^/]+-(?P<item>\d+)"},
    {"host": "stock.adobe.com", "path": r"/images/[^/]+/(?P<item>\d+)"},
    {"host": "stock.adobe.com", "path": r"/search\?asset_id=(?P<item>\d+)"},
    {"host": "istockphoto.com", "path": r"/photo/.*gm(?P<item>\d+)-\d+"},
]


@pytest.mark.parametrize(
    ("address", "item"),
    [
        ("https://www.shutterstock.com/image-photo/two-old-boats-12345?src=library", "12345"),
        ("http://shutterstock.com/image-photo/two-old-boats-12345", "12345"),
        ("https://stock.adobe.com/images/boats/99", "99"),
        ("https://stock.adobe.com/images/%62oats/99", "99"),
        ("https://stock.adobe.com/search?asset_id=77", "77"),
        ("https://STOCK.adobe.com./images/boats/99", "99"),
        ("https://www.istockphoto.com/photo/two-boats-gm1234567-89012", "1234567"),
        ("https://evilshutterstock.com/image-photo/boats-12345", None),
        ("https://shutterstock.com.evil.example/image-photo/boats-12345", None),
        ("https://shutterstock.com@evil.example/image-photo/boats-12345", None),
        ("ftp://shutterstock.com/image-photo/boats-12345", None),
        ("https://shutterstock.com/boats-12345", None),
        ("https://stock.adobe.com/images/boats/٩٩", None),  # digits, but none of a supplier's
        ("https://[", None),
        ("", None),
        ("https://stock.adobe.com/images/" + "a" * 400 + "/99", None),
    ],
)
def test_an_address_shows_the_item_that_a_pattern_of_its_host_finds(address: str, item: str | None) -> None:
    addresses.checked(addresses.patterns(KEPT), ())
    assert addresses.item_of(address, KEPT) == item


@pytest.mark.parametrize(
    ("path", "constraint"),
    [
        (r"/photo/\d+", "pattern"),  # no item
        (r"(?P<item>(a+)+)", "pattern"),
        (r"(?P<item>a)|b", "pattern"),
        (r"(?P<item>a+){3}", "pattern"),
        (r"(?P<item>a**)", "pattern"),
        (r"(?P<item>a)(?=b)", "pattern"),
        (r"(?P<item>a)\1", "pattern"),
        (r"(?P<item>a)(?P<item>b)", "pattern"),
        (r"a?a?a?a?(?P<item>a)", "pattern"),
        (r".*.*.*(?P<item>\d+)", "pattern"),
        (r"[z-a](?P<item>\d+)", "pattern"),
        (r"(?P<item>a{9,1})", "pattern"),
        ("a" * 200 + "(?P<item>a)", "pattern"),
    ],
)
def test_a_pattern_that_is_not_plain_is_refused(path: str, constraint: str) -> None:
    with pytest.raises(Invalid) as refused:
        addresses.checked([Pattern("stock.example.com", path)], ("urlPatterns",))
    assert refused.value.constraint == constraint
    assert refused.value.path == ("urlPatterns",)


@pytest.mark.parametrize("host", ["", "localhost", "a b.com", "-a.com", "stock.example.com/", "*.example.com"])
def test_a_host_that_is_none_is_refused(host: str) -> None:
    with pytest.raises(Invalid) as refused:
        addresses.checked([Pattern(host, r"/(?P<item>\d+)")], ("urlPatterns",))
    assert refused.value.constraint == "host"


@given(st.text("ab\\dw.[]^+*?{},1/(?P<item>)|$", max_size=40))
def test_what_is_taken_repeats_little_and_has_one_group(path: str) -> None:
    try:
        addresses.checked([Pattern("stock.example.com", path)], ())
    except Invalid:
        return
    compiled = re.compile(path, re.ASCII)
    assert compiled.groupindex == {"item": 1}
    assert compiled.groups == 1
    plain = re.sub(r"\\.|\[[^\]]*\]|\(\?P<item>", "", path)
    assert len(re.findall(r"[+*?{]", plain)) <= addresses.MAX_REPETITIONS


@given(st.text(max_size=60))
def test_no_address_at_all_is_too_odd_to_be_looked_at(address: str) -> None:
    found = addresses.item_of(address, KEPT)
    assert found is None or addresses.ITEM.fullmatch(found)
