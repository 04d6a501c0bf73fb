"""Addresses of well-known agencies, as they stand on public pages, and the numbers that they show."""

from __future__ import annotations

import pytest

from domain.hub import Hub
from domain.purchases import addresses, agencies
from tests.asking import Client
from tests.assets.acts import accepted
from tests.purchases.buying import mutate

SHOWN = (
    ("123rf", "https://www.123rf.com/photo_128160367_stock-vector-passenger-tram.html", "128160367"),
    ("adobe-stock", "https://stock.adobe.com/images/two-boats/168461703", "168461703"),
    ("adobe-stock", "https://stock.adobe.com/il/images/computer-learning-logo-designs/168461703", "168461703"),
    ("adobe-stock", "https://stock.adobe.com/uk/search/images?k=medusa+statue&asset_id=238011989", "238011989"),
    ("adobe-stock", "https://stock.adobe.com/search?k=boats", None),
    ("alamy", "https://www.alamy.com/map-united-states-with-latitude-image331276569.html", "331276569"),
    ("alamy", "https://www.alamy.com/stock-photo-tour-buses-in-taipei-136369876.html", "136369876"),
    ("alamy", "https://www.alamy.com/stock-photo/paint-scraper.html?sortBy=relevant", None),
    ("depositphotos", "https://depositphotos.com/10415184/stock-photo-golden-retriever-dog.html", "10415184"),
    ("depositphotos", "https://depositphotos.com/cn/vector/exposure-photo-camera-icons-set-79726132.html", "79726132"),
    ("depositphotos", "https://depositphotos.com/editorial/stanley-alexandria-egypt-182879584.html", "182879584"),
    ("depositphotos", "https://depositphotos.com/vectors/zn-logo.html", None),
    ("dreamstime", "https://www.dreamstime.com/stock-photo-basket-goods-image26388700", "26388700"),
    ("dreamstime", "https://www.dreamstime.com/", None),
    ("freepik", "https://www.freepik.com/free-photo/two-boats_4711.htm#query=boats", "4711"),
    ("getty-images", "https://www.gettyimages.com/detail/2221849504?u", "2221849504"),
    ("getty-images", "https://www.gettyimages.com/detail/photo/987654321", "987654321"),
    ("getty-images", "https://www.gettyimages.de/detail/foto/two-boats-lizenzfreies-bild/1247853892", "1247853892"),
    ("getty-images", "https://www.gettyimages.com/detail/news-photo/a-logo-news-photo/1247853892", "1247853892"),
    ("istock", "https://www.istockphoto.com/photo/pumpkin-soup-gm859053324-141898373?utm_source=a", "859053324"),
    ("istock", "https://www.istockphoto.com/de/vektor/atm-machine-gm515914670-88738565", "515914670"),
    ("istock", "https://www.istockphoto.com/search/2/image-film?phrase=volleyball", None),
    ("pexels", "https://www.pexels.com/photo/2519813/", "2519813"),
    ("pexels", "https://www.pexels.com/photo/black-iphone-7-on-brown-table-699122/", "699122"),
    ("pexels", "https://www.pexels.com/de-de/foto/zwei-boote-1036623/", "1036623"),
    ("pexels", "https://www.pexels.com/license/", None),
    ("pixabay", "https://pixabay.com/photos/two-boats-4711/", "4711"),
    ("shutterstock", "https://www.shutterstock.com/image-vector/microblog-platform-1852998859", "1852998859"),
    ("shutterstock", "https://www.shutterstock.com/de/image-photo/zwei-boote-1674253951", "1674253951"),
    ("shutterstock", "https://www.shutterstock.com/image-photo/young-woman-600nw-1674253951.jpg", "1674253951"),
    ("shutterstock", "https://www.shutterstock.com/video/clip-4711-two-boats", "4711"),
    ("shutterstock", "https://www.shutterstock.com/blog/the-best-of-2024", None),
    ("unsplash", "https://unsplash.com/photos/fX2WyHHeAUY?utm_source=unsplash", "fX2WyHHeAUY"),
    ("unsplash", "https://unsplash.com/photos/a-group-of-children-playing-in-a-field-DldEn-9g78k", "DldEn-9g78k"),
    ("unsplash", "https://unsplash.com/s/photos/dismantling", None),
)


@pytest.mark.parametrize(("key", "address", "item"), SHOWN)
def test_the_page_of_an_agency_shows_its_own_number(key: str, address: str, item: str | None) -> None:
    kept = addresses.checked(agencies.PATTERNS[key], ())
    assert addresses.item_of(address, kept) == item


def test_no_agency_speaks_for_the_pages_of_another() -> None:
    for key, address, _ in SHOWN:
        for other, patterns in agencies.PATTERNS.items():
            if other != key:
                assert addresses.item_of(address, addresses.checked(patterns, ())) is None, (other, address)


def test_a_supplier_with_the_key_of_an_agency_knows_its_pages(hub: Hub, client: Client) -> None:
    query = "supplier { id urlPatterns { host path } }"
    made = accepted(mutate(client, "supplierCreate", query, key="istock", name="iStock"))["supplier"]
    assert made["urlPatterns"] == [{"host": "istockphoto.com", "path": r"/.+-gm(?P<item>\d+)-\d+"}]
    own = accepted(mutate(client, "supplierCreate", query, key="alamy", name="Alamy", urlPatterns=[]))["supplier"]
    assert own["urlPatterns"] == []
    other = accepted(mutate(client, "supplierCreate", query, key="our-agency", name="Ours"))["supplier"]
    assert other["urlPatterns"] == []
