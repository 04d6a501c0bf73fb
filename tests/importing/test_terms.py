"""What a session says of its files: of all, of one, how complete that makes them, and what it would come to."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from domain import fetching, localised
from domain.custom_fields import Given
from domain.fetching import Terms
from domain.global_ids import encode, number_of
from domain.hub import Hub
from domain.work import HUB
from storage.tables import GrantRow
from tests import acting
from tests.asking import Client
from tests.assets.acts import accepted, created, picture, refusal, unchanged
from tests.fields import brand
from tests.formats.made_office import zipped
from tests.importing.test_sessions import opened
from tests.working import mutate

ASSET = """asset { id title description decorative tags { name } completeness { score isEnough }
  titles { locale text } altTexts { locale text } fields { field { key }
    ... on TextFieldValue { texts { locale text } } ... on NumberFieldValue { number } ... on DateFieldValue { date }
    ... on ChoicesFieldValue { choices { key } } } }"""
ITEMS = f"session {{ items {{ nodes {{ name outcome reason message {ASSET} }} }} }}"
PREVIEW = """query ($terms: UploadTermsInput!, $uploads: [UploadBroughtInput!]!) {
  uploadSessionPreview(terms: $terms, uploads: $uploads) {
    name outcome reason message asset { id } completeness { score isEnough lacking { name } } } }"""
NAME = {"name": "A shoot"}
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def fields(**values: Any) -> list[dict[str, Any]]:
    return [{"key": key, "value": value} for key, value in values.items()]


def texts(**by_locale: str | None) -> list[dict[str, Any]]:
    return [{"locale": locale, "text": text} for locale, text in by_locale.items()]


def bring(client: Client, session: str, *uploads: dict[str, Any]) -> list[dict[str, Any]]:
    """The session's items after these were added."""
    answer = client.mutate("uploadSessionAdd", ITEMS, session=session, uploads=list(uploads))
    found: list[dict[str, Any]] = accepted(answer)["session"]["items"]["nodes"]
    return found


def foreseen(client: Client, terms: dict[str, Any], *uploads: dict[str, Any]) -> list[dict[str, Any]]:
    asked = {"terms": {**NAME, **terms}, "uploads": list(uploads)}
    found: list[dict[str, Any]] = client.ask(PREVIEW, **asked)["uploadSessionPreview"]
    return found


def said(asset: dict[str, Any]) -> dict[str, Any]:
    """By key what fields say."""
    plain = {}
    for each in asset["fields"]:
        ((_, value),) = ((name, value) for name, value in each.items() if name != "field")
        plain[each["field"]["key"]] = value
    return plain


def gated(client: Client) -> None:
    """Pictures are to say a title, alternative text and when they were shot, which is required."""
    items = [{"property": "TITLE"}, {"property": "ALT_TEXT"}, {"field": "shot", "required": True, "weight": 2}]
    told = {"name": "Pictures", "kind": "IMAGE", "gate": 100, "items": items}
    accepted(mutate(client, "metadataTemplateCreate", "template { id }", **told))


def test_what_the_terms_say_is_said_of_every_file(client: Client) -> None:
    brand.every_field(client)
    terms = {
        "fields": fields(
            price={"number": "12.50"}, seasons={"choices": ["summer"]}, caption={"texts": texts(de="Wiese")}
        ),
        "titles": texts(de="Am Meer"),
        "altTexts": texts(en="A beach", de="Ein Strand"),
        "decorative": True,
    }
    session = opened(client, **terms)
    for item in bring(client, session, *({"upload": client.upload(picture(n), f"{n}.png")} for n in (1, 2))):
        asset = item["asset"]
        assert item["outcome"] == "CREATED"
        assert said(asset) == {
            "price": "12.5",
            "seasons": [{"key": "summer"}],
            "caption": [{"locale": "de", "text": "Wiese"}],
        }
        assert asset["titles"] == texts(de="Am Meer")
        assert asset["altTexts"] == texts(de="Ein Strand", en="A beach")
        assert asset["decorative"] is True


def test_what_is_said_of_one_file_comes_after_what_is_said_of_all(client: Client) -> None:
    brand.every_field(client)
    terms = {
        "description": "All of them",
        "tags": ["sea"],
        "fields": fields(
            price={"number": "1"},
            note={"text": "all"},
            seasons={"choices": ["summer"]},
            caption={"texts": texts(de="Alle")},
        ),
        "altTexts": texts(de="Alle", en="All"),
    }
    own = {
        "title": "The beach",
        "description": "Only this",
        "tags": ["beach"],
        "fields": fields(
            price={"number": "2"}, note=None, seasons={"addChoices": ["winter"]}, caption={"texts": texts(en="This")}
        ),
        "altTexts": texts(en="This", de=None),
        "decorative": True,
    }
    session, files = opened(client, **terms), [client.upload(picture(n)) for n in (1, 2)]
    plain, special = bring(client, session, {"upload": files[0]}, {"upload": files[1], **own})
    assert (plain["asset"]["description"], said(plain["asset"])["price"]) == ("All of them", "1")
    asset = special["asset"]
    assert (asset["title"], asset["description"], asset["decorative"]) == ("The beach", "Only this", True)
    assert sorted(tag["name"] for tag in asset["tags"]) == ["beach", "sea"]
    assert said(asset) == {
        "price": "2",
        "seasons": [{"key": "summer"}, {"key": "winter"}],
        "caption": texts(de="Alle", en="This"),
    }
    assert asset["altTexts"] == texts(en="This")


def test_terms_that_no_asset_takes_open_no_session(hub: Hub, client: Client) -> None:
    brand.every_field(client)
    wrong: list[dict[str, Any]] = [
        {"fields": fields(nothing={"text": "x"})},
        {"fields": fields(price={"number": "2000"})},
        {"fields": fields(price={"text": "dear"})},
        {"fields": fields(seasons={"choices": ["monsoon"]})},
        {"fields": [*fields(note={"text": "x"}), *fields(note={"text": "y"})]},
        {"fields": fields(original={"asset": encode("Asset", 12_345)})},
        {"titles": texts(en="x" * 301)},
        {"titles": [*texts(en="x"), *texts(en="y")]},
        {"altTexts": texts(en="x" * 2_001)},
    ]
    codes = []
    for terms in wrong:
        with unchanged(hub):
            found = refusal(client.mutate("uploadSessionOpen", "session { id }", terms={**NAME, **terms}))
            codes.append(found["code"])
    assert codes == [
        "INVALID",
        "INVALID",
        "INVALID",
        "INVALID",
        "INVALID",
        "NOT_FOUND",
        "INVALID",
        "INVALID",
        "INVALID",
    ]


def test_a_file_of_a_kind_that_lacks_a_field_of_the_terms_is_refused_alone_until_it_leaves_the_field_out(
    client: Client,
) -> None:
    brand.new_field(client, "shot", "DATE", kinds=["IMAGE"])
    session = opened(client, fields=fields(shot={"date": "2026-06-01"}))
    image, document = client.upload(picture(1), "a.png"), client.upload(PDF, "a.pdf")
    first, second = bring(client, session, {"upload": image}, {"upload": document})
    assert (first["outcome"], second["outcome"], second["reason"]) == ("CREATED", "REFUSED", "CONFLICT")
    assert second["message"] == "An asset of kind DOCUMENT has no field shot."
    first, second = bring(client, session, {"upload": image}, {"upload": document, "fields": fields(shot=None)})
    assert [(each["outcome"], each["reason"], each["message"]) for each in (first, second)] == [
        ("CREATED", None, None),
        ("CREATED", None, None),
    ]


def test_a_file_of_which_too_little_is_said_is_refused_until_enough_is(hub: Hub, client: Client) -> None:
    brand.every_field(client)
    gated(client)
    session, upload = opened(client, requireComplete=True), client.upload(picture(1))
    told = {"upload": upload, "title": "Dunes", "altTexts": texts(en="Dunes")}
    (item,) = bring(client, session, told)
    assert (item["outcome"], item["reason"], item["asset"]) == ("REFUSED", "INCOMPLETE", None)
    assert item["message"] == "This asset is 50 % complete, and its template asks for 100 %. It lacks shot."
    assert client.ask("{ assets { totalCount } }") == {"assets": {"totalCount": 0}}
    (item,) = bring(client, session, {**told, "fields": fields(shot={"date": "2026-06-01"})})
    assert (item["outcome"], item["reason"], item["message"]) == ("CREATED", None, None)
    assert item["asset"]["completeness"] == {"score": 100, "isEnough": True}


def test_a_file_that_need_not_be_complete_becomes_a_draft_that_the_gate_keeps_from_approval(client: Client) -> None:
    brand.every_field(client)
    gated(client)
    (item,) = bring(client, opened(client), {"upload": client.upload(picture(1))})
    assert item["asset"]["completeness"] == {"score": 0, "isEnough": False}
    asked = "query ($id: ID!) { asset(id: $id) { current { id sha256 } } }"
    current = client.ask(asked, id=item["asset"]["id"])["asset"]["current"]
    approving = {"version": current["id"], "sha256": current["sha256"], "ownWork": True}
    assert refusal(client.mutate("assetVersionApprove", "asset { id }", **approving))["code"] == "INCOMPLETE"


def test_a_field_that_somebody_may_not_know_of_is_none_of_their_sessions(hub: Hub, client: Client) -> None:
    brand.new_field(client, "fee", "TEXT", needs="FIELD_PRICES")
    designer = Client(hub, acting.member(hub, "designer"))
    terms = {**NAME, "fields": fields(fee={"text": "a lot"})}
    with unchanged(hub):
        refused = refusal(designer.mutate("uploadSessionOpen", "session { id }", terms=terms))
    assert (refused["code"], refused["path"]) == ("INVALID", ["terms", "fields"])


def test_the_files_of_a_zip_say_what_the_terms_say(hub: Hub, client: Client) -> None:
    brand.every_field(client)
    upload = client.upload(zipped({"a.png": picture(1), "b.png": picture(2)}), "shoot.zip")
    words = localised.Changes(alts={"en": "A picture"})
    terms = Terms("A ZIP", fields=[Given("note", text="from the archive")], words=words, requires_complete=True)
    with hub.writing(client.viewer) as work:
        number = fetching.from_zip(work, terms, upload).id
    fetching.fetch_zip(hub, number, lambda: None)
    asked = f"query ($id: ID!) {{ node(id: $id) {{ ... on UploadSession {{ items {{ nodes {{ {ASSET} }} }} }} }} }}"
    nodes = client.ask(asked, id=encode("UploadSession", number))["node"]["items"]["nodes"]
    assert [said(each["asset"]) for each in nodes] == [{"note": [{"locale": None, "text": "from the archive"}]}] * 2
    assert [each["asset"]["altTexts"] for each in nodes] == [texts(en="A picture")] * 2


def test_a_file_does_not_refer_to_what_its_bringer_lost_sight_of_since(hub: Hub, client: Client) -> None:
    brand.every_field(client)
    other = number_of("Asset", created(client, picture(8))["id"], ())
    stranger = acting.member(hub, "designer", org_id=acting.organisation(hub, "North"))
    assert stranger.principal_id is not None
    with hub.writing(HUB) as work:
        acting.give(hub, stranger.principal_id, "admin", session=work.session, scope="ASSET", asset_id=other)
    bringer = Client(hub, acting.again(hub, stranger))
    uploads = [bringer.upload(zipped({f"{n}.png": picture(n)}), "shoot.zip") for n in (1, 2)]
    terms = Terms("A ZIP", fields=[Given("original", asset_id=other)])
    numbers = []
    for upload in uploads:
        with hub.writing(bringer.viewer) as work:
            numbers.append(fetching.from_zip(work, terms, upload).id)
    fetching.fetch_zip(hub, numbers[0], lambda: None)
    with hub.writing(HUB) as work:
        work.session.execute(sa.update(GrantRow).where(GrantRow.asset_id == other).values(revoked_at=work.now))
    fetching.fetch_zip(hub, numbers[1], lambda: None)
    asked = "query ($id: ID!) { node(id: $id) { ... on UploadSession { items { nodes { outcome reason } } } } }"
    nodes = [bringer.ask(asked, id=encode("UploadSession", number))["node"]["items"]["nodes"] for number in numbers]
    assert nodes == [[{"outcome": "CREATED", "reason": None}], [{"outcome": "REFUSED", "reason": "NOT_FOUND"}]]


def many(client: Client) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Terms, and files of every outcome that there is."""
    brand.every_field(client)
    gated(client)
    created(client, picture(9))
    terms = {"requireComplete": True, "altTexts": texts(en="All"), "fields": fields(shot={"date": "2026-06-01"})}

    def file(number: int, **more: Any) -> dict[str, Any]:
        return {"upload": client.upload(picture(number), f"{number}.png"), "title": "Named", **more}

    return terms, [
        file(1),
        file(1),
        file(9),
        file(2, title=None),
        file(3, fields=fields(shot=None)),
        file(4, title="x" * 301),
        file(5, title=" "),
        file(6, fields=fields(nothing={"text": "x"})),
        file(7, fields=fields(price={"number": "2000"})),
        file(8, tags=["\u202e"]),
        file(10, description="x" * 10_001),
        file(11, altTexts=texts(en=None)),
        file(12, altTexts=texts(en=None), decorative=True),
        {"upload": client.upload(PDF, "no.jpg")},
        {"upload": client.upload(PDF, "a.pdf")},
    ]


def test_a_preview_tells_of_each_file_what_becomes_of_it_and_changes_nothing(hub: Hub, client: Client) -> None:
    terms, uploads = many(client)
    with unchanged(hub):
        told = foreseen(client, terms, *uploads)
    items = bring(client, opened(client, tags=[], description=None, **terms), *uploads)

    def plain(nodes: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
        return [(each["name"], each["outcome"], each["reason"], each["message"]) for each in nodes]

    assert plain(told) == plain(items)
    assert {each["outcome"] for each in told} == {"CREATED", "DUPLICATE", "REFUSED"}
    assert {each["reason"] for each in told} >= {None, "INVALID", "INCOMPLETE", "NOT_WHAT_IT_CLAIMS"}
    for one, item in zip(told, items, strict=True):
        if item["outcome"] == "CREATED":
            whole = one["completeness"] and {name: one["completeness"][name] for name in ("score", "isEnough")}
            assert whole == item["asset"]["completeness"]
    incomplete = [each["completeness"]["lacking"] for each in told if each["reason"] == "INCOMPLETE"]
    assert incomplete == [[{"name": "TITLE"}], [{"name": "shot"}], [{"name": "ALT_TEXT"}]]


def test_a_preview_names_the_asset_that_has_the_bytes_to_whoever_may_see_it(hub: Hub, client: Client) -> None:
    known = created(client, picture(1))
    (mine,) = foreseen(client, {}, {"upload": client.upload(picture(1))})
    assert (mine["outcome"], mine["asset"]) == ("DUPLICATE", {"id": known["id"]})
    stranger = Client(hub, acting.member(hub, "designer", org_id=acting.organisation(hub, "North")))
    (theirs,) = foreseen(stranger, {}, {"upload": stranger.upload(picture(1))})
    assert (theirs["outcome"], theirs["asset"]) == ("DUPLICATE", None)


def test_an_organisation_is_refused_before_its_brand_and_unseen_as_one_that_is_not_there(
    hub: Hub, client: Client
) -> None:
    made = mutate(client, "brandCreate", "brand { id }", name="Ours", organisation=encode("Organisation", 1))
    brand_id = accepted(made)["brand"]["id"]
    north, south = (acting.organisation(hub, name) for name in ("North", "South"))
    stranger = Client(hub, acting.member(hub, "designer", org_id=north))
    answers = []
    for asking, org_id in ((client, 99_999), (stranger, 99_999), (stranger, south)):
        terms = {**NAME, "organisation": encode("Organisation", org_id), "brand": brand_id}
        with unchanged(hub):
            found = refusal(asking.mutate("uploadSessionOpen", "session { id }", terms=terms))
        uploads = [{"upload": asking.upload(picture(1))}]
        (error,) = asking.answer(PREVIEW, terms=terms, uploads=uploads)["errors"]
        answers += [(found["code"], found["message"]), (error["extensions"]["code"], error["message"])]
    assert set(answers) == {("NOT_FOUND", "There is no organisation with this id.")}


def test_two_previews_in_one_query_are_of_files_of_their_own(hub: Hub, client: Client) -> None:
    brand.new_field(client, "remark", "TEXT", needs="FIELD_NOTES")
    north, south = (acting.organisation(hub, name) for name in ("North", "South"))
    person = acting.member(hub, "agency", org_id=south)
    assert person.principal_id is not None
    with hub.writing(HUB) as work:
        acting.give(hub, person.principal_id, "designer", org_id=north, session=work.session)
    both = Client(hub, acting.again(hub, person))  # who may say so of what is North's only
    terms = {**NAME, "fields": fields(remark={"text": "hidden words"})}
    said_of = {
        name: {**terms, "organisation": encode("Organisation", org_id)}
        for name, org_id in (("north", north), ("south", south))
    }
    asked = "%s: uploadSessionPreview(terms: $%s, uploads: $uploads) { outcome reason }"
    uploads = [{"upload": both.upload(picture(1))}]
    for names in (["north", "south"], ["south", "north"]):
        query = " ".join(asked % (name, name) for name in names)
        of = "query ($north: UploadTermsInput!, $south: UploadTermsInput!, $uploads: [UploadBroughtInput!]!)"
        assert both.ask(f"{of} {{ {query} }}", uploads=uploads, **said_of) == {
            "north": [{"outcome": "CREATED", "reason": None}],
            "south": [{"outcome": "REFUSED", "reason": "NOT_ALLOWED"}],
        }


def test_a_preview_of_an_upload_of_somebody_elses_is_refused(hub: Hub, client: Client) -> None:
    designer = Client(hub, acting.member(hub, "designer"))
    asked = {"terms": NAME, "uploads": [{"upload": client.upload(picture(1))}]}
    (error,) = designer.answer(PREVIEW, **asked)["errors"]
    assert error["extensions"]["code"] == "NOT_FOUND"
