"""tus 1.0 over HTTP: what each request is answered, and what each mistake is told."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from email.utils import parsedate_to_datetime

import httpx
import pytest
import sqlalchemy as sa

from domain import assets, global_ids, identity, intake
from domain.assets import NewAsset
from domain.hub import Hub
from domain.work import HUB, Viewer
from server.app import make_app
from storage.tables import PrincipalRow, TokenRow, UploadRow
from tests.server.caller import BYTES, Caller, checksum, spelt

CONTENT = bytes(range(256)) * 40
DIGEST = hashlib.sha256(CONTENT).hexdigest()
TUS = {"Tus-Resumable": "1.0.0"}


def begun(ask: Caller, length: int = len(CONTENT), **metadata: str) -> str:
    answer = ask.begin(length, {"filename": "a.bin", **metadata})
    assert answer.status_code == 201
    return answer.headers["location"]


def sentence(answer: httpx.Response) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["tus-resumable"] == "1.0.0"
    told = answer.json()
    assert told["status"] == answer.status_code
    assert told["detail"].endswith(".")
    return str(told["detail"])


def test_what_the_server_can_do_is_told_to_everybody(ask: Caller, hub: Hub) -> None:
    answer = ask.as_("")("OPTIONS", "/uploads")
    assert answer.status_code == 204
    assert answer.headers["tus-version"] == "1.0.0"
    assert answer.headers["tus-max-size"] == str(hub.settings.max_upload_bytes)
    assert answer.headers["tus-checksum-algorithm"] == "sha256"
    told = set(answer.headers["tus-extension"].split(","))
    assert told == {"creation", "creation-with-upload", "checksum", "termination", "expiration"}


def test_a_file_sent_in_three_parts_becomes_a_blob(ask: Caller, hub: Hub) -> None:
    address = begun(ask)
    offset = 0
    for part in (CONTENT[:100], CONTENT[100:5000], CONTENT[5000:]):
        answer = ask.patch(address, offset, part)
        offset += len(part)
        assert (answer.status_code, answer.headers["upload-offset"]) == (204, str(offset))
        assert "upload-expires" in answer.headers
    assert answer.headers["imprimatur-sha256"] == DIGEST
    with hub.blobs.open(DIGEST) as stream:
        assert stream.read() == CONTENT


def test_one_request_is_enough_for_a_small_file(ask: Caller, hub: Hub, admin: Viewer) -> None:
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(CONTENT)), "Content-Type": BYTES}
    answer = ask("POST", "/uploads", {**headers, "Upload-Metadata": spelt({"filename": "ж a.bin"})}, content=CONTENT)
    assert answer.status_code == 201
    assert answer.headers["upload-offset"] == str(len(CONTENT))
    assert answer.headers["imprimatur-sha256"] == DIGEST
    upload_id = answer.headers["location"].rsplit("/", 1)[1]
    with hub.reading(admin) as work:
        row = intake.completed(work, upload_id)
    assert (row.file_name, row.sha256) == ("ж a.bin", DIGEST)


def test_asking_tells_how_much_is_here_and_what_was_said_of_it(ask: Caller) -> None:
    address = begun(ask, sha256=DIGEST)
    ask.patch(address, 0, CONTENT[:321])
    answer = ask.head(address)
    assert answer.status_code == 200
    assert answer.headers["upload-offset"] == "321"
    assert answer.headers["upload-length"] == str(len(CONTENT))
    assert answer.headers["upload-metadata"] == spelt({"filename": "a.bin", "sha256": DIGEST})
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content == b""


def test_bytes_that_do_not_begin_where_the_last_ended_are_refused(ask: Caller) -> None:
    address = begun(ask)
    ask.patch(address, 0, CONTENT[:100])
    for offset in (0, 99, 101, len(CONTENT)):
        answer = ask.patch(address, offset, b"x")
        assert answer.status_code == 409
        assert "100" in sentence(answer)
    assert ask.head(address).headers["upload-offset"] == "100"


def test_a_finished_upload_answers_the_same_when_its_last_part_is_repeated_empty(ask: Caller) -> None:
    address = begun(ask)
    ask.patch(address, 0, CONTENT)
    again = ask.patch(address, len(CONTENT), b"")
    assert (again.status_code, again.headers["imprimatur-sha256"]) == (204, DIGEST)
    assert ask.patch(address, 0, CONTENT).status_code == 409
    asked = ask.head(address)
    assert (asked.headers["upload-offset"], asked.headers["imprimatur-sha256"]) == (str(len(CONTENT)), DIGEST)


def test_bytes_the_viewer_has_already_are_named(ask: Caller, hub: Hub, admin: Viewer) -> None:
    ask.patch(first := begun(ask), 0, CONTENT)
    with hub.writing(admin) as work:
        content = assets.of_upload(work, first.rsplit("/", 1)[1])
        asset = assets.create(work, content, NewAsset(title="A")).asset
    answer = ask.patch(begun(ask), 0, CONTENT)
    assert answer.headers["imprimatur-duplicate-of"] == global_ids.encode("Asset", asset.id)


def test_no_byte_beyond_the_announced_length_is_taken(ask: Caller) -> None:
    address = begun(ask)
    answer = ask.patch(address, 0, CONTENT + b"!")
    assert answer.status_code == 413
    assert "Upload-Length" in sentence(answer)
    assert ask.head(address).headers["upload-offset"] == "0"

    async def unmeasured() -> AsyncIterator[bytes]:
        for start in range(0, len(CONTENT), 1000):
            yield CONTENT[start : start + 1000]
        yield b"!"

    told = {**TUS, "Upload-Offset": "0", "Content-Type": BYTES}
    answer = ask("PATCH", address, told, content=unmeasured())
    assert answer.status_code == 413
    assert ask.head(address).headers["upload-offset"] == "0"
    assert ask.patch(address, 0, CONTENT).headers["imprimatur-sha256"] == DIGEST


def test_a_part_with_the_wrong_checksum_is_thrown_away_and_can_be_sent_again(ask: Caller) -> None:
    address = begun(ask)
    ask.patch(address, 0, CONTENT[:100])
    damaged = b"!" + CONTENT[101:500]
    answer = ask.patch(address, 100, damaged, **{"Upload-Checksum": checksum(CONTENT[100:500])})
    assert answer.status_code == 460
    assert "send them again" in sentence(answer)
    assert ask.head(address).headers["upload-offset"] == "100"
    rest = CONTENT[100:]
    answer = ask.patch(address, 100, rest, **{"Upload-Checksum": checksum(rest)})
    assert answer.headers["imprimatur-sha256"] == DIGEST


def test_a_checksum_that_cannot_be_read_is_refused_before_bytes_are_taken(ask: Caller) -> None:
    address = begun(ask)
    for told in ("md5 AAAA", "sha256", "sha256 !!", "sha256 AAAA", "sha256  AAAA"):
        answer = ask.patch(address, 0, CONTENT, **{"Upload-Checksum": told})
        assert answer.status_code == 400
        assert "Upload-Checksum" in sentence(answer)
    assert ask.head(address).headers["upload-offset"] == "0"


def test_a_file_with_another_digest_than_announced_is_thrown_away(ask: Caller, hub: Hub) -> None:
    address = begun(ask, sha256="0" * 64)
    answer = ask.patch(address, 0, CONTENT)
    assert answer.status_code == 422
    assert DIGEST in sentence(answer)
    assert ask.head(address).status_code == 404
    assert hub.blobs.stat(DIGEST) is None


def test_the_announced_digest_may_be_written_in_capitals(ask: Caller) -> None:
    address = begun(ask, sha256=DIGEST.upper())
    assert ask.patch(address, 0, CONTENT).headers["imprimatur-sha256"] == DIGEST


def test_a_terminated_upload_is_forgotten_with_its_bytes(ask: Caller, hub: Hub) -> None:
    address = begun(ask)
    ask.patch(address, 0, CONTENT[:100])
    assert ask("DELETE", address, TUS).status_code == 204
    assert ask.head(address).status_code == 404
    assert ask("DELETE", address, TUS).status_code == 404
    assert list(hub.settings.staging_dir.iterdir()) == []


def test_an_upload_tells_when_it_expires_and_is_gone_then(ask: Caller, hub: Hub) -> None:
    answer = ask.begin(10, {"filename": "a"})
    expires = parsedate_to_datetime(answer.headers["upload-expires"])
    late = replace(hub, clock=lambda: expires + timedelta(seconds=1))
    asked = Caller(make_app(late), ask.token).head(answer.headers["location"])
    assert asked.status_code == 410


def test_another_principals_upload_is_unknown(ask: Caller, hub: Hub) -> None:
    address = begun(ask)
    ask.patch(address, 0, CONTENT[:10])
    other = ask.as_(token_of_somebody_else(hub))
    for answer in (other.head(address), other.patch(address, 10, b"x"), other("DELETE", address, TUS)):
        assert answer.status_code == 404
    assert ask.head(address).headers["upload-offset"] == "10"


def test_without_a_valid_token_nothing_is_begun(ask: Caller, hub: Hub, admin: Viewer) -> None:
    for token in ("", "imp_unknown"):
        answer = ask.as_(token).begin(10)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        sentence(answer)
    with hub.reading(admin) as work:
        assert work.session.scalars(sa.select(UploadRow)).all() == []


def test_another_version_of_the_protocol_is_refused(ask: Caller) -> None:
    for version in (None, "0.2.2", "1.0"):
        headers = {"Upload-Length": "3"} | ({"Tus-Resumable": version} if version else {})
        answer = ask("POST", "/uploads", headers)
        assert answer.status_code == 412
        assert answer.headers["tus-version"] == "1.0.0"
        assert "Tus-Resumable: 1.0.0" in sentence(answer)


def test_a_length_that_is_no_count_is_refused(ask: Caller) -> None:
    for length in ("", "-1", "1.5", "ten", "１０".encode(), "1" * 19, "0x10", "+5"):
        answer = ask("POST", "/uploads", {**TUS, "Upload-Length": length})
        assert answer.status_code == 400
        assert "Upload-Length" in sentence(answer)


def test_a_length_that_is_only_told_later_is_refused(ask: Caller) -> None:
    answer = ask("POST", "/uploads", {**TUS, "Upload-Defer-Length": "1"})
    assert answer.status_code == 400
    assert "Upload-Defer-Length" in sentence(answer)


def test_an_empty_file_is_refused_with_a_sentence(ask: Caller) -> None:
    answer = ask.begin(0, {"filename": "a"})
    assert answer.status_code == 422
    assert "empty" in sentence(answer)


def test_a_file_beyond_the_limit_is_refused_with_the_limit(ask: Caller, hub: Hub) -> None:
    small = replace(hub, settings=hub.settings.model_copy(update={"max_upload_bytes": 1000}))
    answer = Caller(make_app(small), ask.token).begin(1001, {"filename": "a"})
    assert answer.status_code == 413
    assert "1,000" in sentence(answer)


def test_metadata_that_cannot_be_read_is_refused(ask: Caller) -> None:
    for metadata in (
        "filename !!!",
        "filename YQ==,filename Yg==",
        "filename YQ==,,filetype Yg==",
        " ,",
        "filename YQ",
        "file\tname YQ==",
        "filename /////w==",
        "filename YQ==,sha256 YWJj",
        f"filename {'YWFh' * 3000}",
    ):
        answer = ask("POST", "/uploads", {**TUS, "Upload-Length": "3", "Upload-Metadata": metadata})
        assert answer.status_code == 400
        assert "Upload-Metadata" in sentence(answer)


def test_a_key_without_a_value_is_lawful_and_empty(ask: Caller) -> None:
    answer = ask("POST", "/uploads", {**TUS, "Upload-Length": "3", "Upload-Metadata": "filename,is_confidential"})
    assert answer.status_code == 201


def test_a_file_name_is_only_ever_a_name(ask: Caller) -> None:
    for told, kept in (
        ("../../etc/passwd", "passwd"),
        ("C:\\photos\\cat.jpg", "cat.jpg"),
        ("Плакат 🎉.png", "Плакат 🎉.png"),
        ("", "unnamed"),
    ):
        answer = ask.begin(3, {"filename": told, "filetype": "image/png", "relativePath": "x/y"})
        assert answer.status_code == 201
        encoded = ask.head(answer.headers["location"]).headers["upload-metadata"].split(" ")[1]
        assert base64.b64decode(encoded).decode() == kept


def test_bytes_of_another_content_type_are_refused(ask: Caller) -> None:
    address = begun(ask)
    told = {**TUS, "Upload-Offset": "0", "Content-Type": "application/octet-stream"}
    answer = ask("PATCH", address, told, content=b"abc")
    assert answer.status_code == 415
    assert BYTES in sentence(answer)
    answer = ask("POST", "/uploads", {**TUS, "Upload-Length": "3"}, content=b"abc")
    assert answer.status_code == 415


def test_an_address_that_is_no_upload_is_not_found(ask: Caller) -> None:
    for address in ("/uploads/nothing", "/uploads/..%2F..%2Fsecret-key", "/uploads/" + "a" * 500):
        assert ask.head(address).status_code == 404


def test_a_method_that_means_nothing_here_is_refused_with_the_ones_that_do(ask: Caller) -> None:
    answer = ask("GET", begun(ask), TUS)
    assert answer.status_code == 405
    assert {each.strip() for each in answer.headers["allow"].split(",")} == {"HEAD", "PATCH", "DELETE", "OPTIONS"}


def test_where_only_post_gets_through_a_header_says_what_is_meant(ask: Caller) -> None:
    address = begun(ask)

    def post(meant: str, **more: str) -> httpx.Response:
        told = {"Tus-Resumable": "1.0.0", "X-HTTP-Method-Override": meant, **more}
        return ask("POST", address, told, content=CONTENT if more else b"")

    answer = post("PATCH", **{"Upload-Offset": "0", "Content-Type": BYTES})
    assert (answer.status_code, answer.headers["imprimatur-sha256"]) == (204, DIGEST)
    assert post("head").headers["upload-offset"] == str(len(CONTENT))
    assert post("DELETE").status_code == 204
    assert ask.head(address).status_code == 404
    for wrong in (post("GET"), ask("POST", address, TUS)):
        assert wrong.status_code == 405
        assert "X-HTTP-Method-Override" in sentence(wrong)


@pytest.mark.parametrize("looks_at_bytes", ["offset", "writer"])
def test_an_upload_that_another_request_completes_meanwhile_is_complete_and_not_gone(
    ask: Caller, monkeypatch: pytest.MonkeyPatch, looks_at_bytes: str
) -> None:
    """The other request goes in between the reading of the row and the look at its bytes."""
    address = begun(ask)
    ask.patch(address, 0, CONTENT[:100])
    look = getattr(intake, looks_at_bytes)
    others = [CONTENT[100:]]

    def later(*arguments: object, **more: object) -> object:
        if others:
            assert ask.patch(address, 100, others.pop()).status_code == 204
        return look(*arguments, **more)

    monkeypatch.setattr(intake, looks_at_bytes, later)
    if looks_at_bytes == "offset":
        answer = ask.head(address)
        assert (answer.status_code, answer.headers["imprimatur-sha256"]) == (200, DIGEST)
    else:
        assert ask.patch(address, 100, CONTENT[100:]).status_code == 409
    assert others == []


def test_the_address_stays_behind_the_prefix_of_a_proxy(ask: Caller, hub: Hub) -> None:
    behind = replace(hub, settings=hub.settings.model_copy(update={"public_url": "https://brand.example/hub"}))
    answer = Caller(make_app(behind), ask.token).begin(3, {"filename": "a"})
    assert answer.headers["location"].startswith("/hub/uploads/")


def token_of_somebody_else(hub: Hub) -> str:
    with hub.writing(HUB) as work:
        row = PrincipalRow(org_id=1, kind="PERSON", name="Somebody", is_administrator=False, created_at=work.now)
        work.session.add(row)
        work.session.flush()
        digest = hashlib.sha256(b"imp_other").hexdigest()
        work.session.add(
            TokenRow(principal_id=row.id, name="t", digest=digest, prefix="imp_other", created_at=work.now)
        )
    assert identity.viewer_of_token(hub, "imp_other").name == "Somebody"
    return "imp_other"
