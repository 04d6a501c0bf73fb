"""Where the hub sends and where not: spellings, addresses, names that change, redirects, slow and endless answers."""

from __future__ import annotations

import errno
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from domain.egress import Egress, Forbidden, Rules, Unanswered, check_address, target_of
from storage.settings import Network, Settings
from tests.webhooks.authority import Authority, authority
from tests.webhooks.receiver import Receiver, answering, receiver, speaking

STRICT = Rules()
LOOPBACK: tuple[Network, ...] = Settings(outside_networks="127.0.0.0/8").reachable_networks


def way(*addresses: str, total: float = 5.0, connect: float = 2.0, **more: object) -> Egress:
    """To loopback over http:, where every name has these addresses."""
    resolve = resolving(*addresses) if addresses else resolving("127.0.0.1")
    rules = Rules(LOOPBACK, http=True)
    return Egress(rules, resolve=resolve, total_seconds=total, connect_seconds=connect, **more)  # type: ignore[arg-type]


def resolving(*addresses: str) -> Callable[[str, int], Sequence[str]]:
    """Whatever name is asked for; the addresses themselves as they are."""

    def resolve(host: str, _port: int) -> Sequence[str]:
        return [host] if host.replace(".", "").isdecimal() or ":" in host else addresses

    return resolve


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",  # not private on the way
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "https://user@example.com/",
        "https://user:word@example.com/",
        "https://example.com@127.0.0.1/",
        "https://example.com/#fragment",
        "https://example.com\\@127.0.0.1/",
        "https://exa mple.com/",
        "https://example.com/a\r\nHost: x",
        "https://example.com/\x00",
        "https://éxample.com/",
        "https://example.com:0/",
        "https://example.com:25/",
        "https://example.com:22/",
        "https://example.com:65536/",
        "https://example.com:٤٤٣/",
        "https://:443/",
        "https:///hook",
        "https:example.com",
        "//example.com/",
        "https://example..com/",
        "https://-example.com/",
        "https://[::1/",
        "https://[fe80::1%25eth0]/",
        "https://[example.com]/",
        "https://" + "a" * 2_000 + ".com/",
        "",
    ],
)
def test_an_address_that_could_be_read_in_two_ways_or_is_not_https_is_refused(url: str) -> None:
    with pytest.raises(Forbidden):
        target_of(url, STRICT)


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",  # decimal
        "017700000001",  # octal
        "0x7f000001",  # hexadecimal
        "0x7f.0.0.1",
        "0177.0.0.1",
        "127.1",
        "127.0.1",
        "127.0.0.1.",
        "1.1.1.257",
        "1.1.1.1.1",
        "0x",
        "example.0x7f",
        "0",
    ],
)
def test_a_number_that_stands_for_an_address_in_disguise_is_refused(host: str) -> None:
    with pytest.raises(Forbidden):
        target_of(f"https://{host}/", Rules(LOOPBACK))


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254", "169.254.169.254"),
        *("172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1"),
        *("198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
        "168.63.129.16",
        *("::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:7f00:1"),
        *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2002:101:101::", "2001::1"),
        *("fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "2001:db8::1", "3fff::1", "5f00::1", "100::1"),
        *("2001:10::1", "2001:20::1", "4000::1"),
    ],
)
def test_an_address_that_is_not_public_is_refused_in_every_form(address: str) -> None:
    with pytest.raises(Forbidden):
        check_address(address, STRICT)
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(Forbidden):
        target_of(f"https://{host}/", STRICT)


@pytest.mark.parametrize("address", ["1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_a_public_address_is_reached(address: str) -> None:
    check_address(address, STRICT)


def test_a_public_address_behind_nat64_is_reached_and_judged_by_the_address_within() -> None:
    check_address("64:ff9b::101:101", STRICT)
    check_address("64:ff9b::7f00:1", Rules(LOOPBACK))


def test_a_network_that_the_operator_allows_is_reached_and_no_other() -> None:
    rules = Settings(outside_networks="10.1.0.0/16, fd00::/8").reachable_networks
    for good in ("10.1.2.3", "::ffff:10.1.2.3", "fd00::1"):
        check_address(good, Rules(rules))
    for bad in ("10.2.0.1", "127.0.0.1", "fe80::1"):
        with pytest.raises(Forbidden):
            check_address(bad, Rules(rules))


@pytest.mark.parametrize(
    ("url", "spelt"),
    [
        ("HTTPS://Example.COM", "https://example.com/"),
        ("https://example.com:443/a?b=c", "https://example.com/a?b=c"),
        ("https://example.com:8443?x", "https://example.com:8443/?x"),
        ("https://[2606:4700:0:0::1111]/", "https://[2606:4700::1111]/"),
        ("https://xn--bcher-kva.example/h%20k", "https://xn--bcher-kva.example/h%20k"),
    ],
)
def test_an_address_is_spelt_in_one_way(url: str, spelt: str) -> None:
    assert target_of(url, STRICT).url == spelt


def test_a_name_with_one_address_that_is_not_public_is_refused_whatever_else_it_has() -> None:
    for addresses in (("127.0.0.1",), ("1.1.1.1", "10.0.0.1"), ("2606:4700::1111", "::ffff:192.168.0.1")):
        with pytest.raises(Forbidden):
            Egress(STRICT, resolve=resolving(*addresses)).check("https://hooks.example/")
    Egress(STRICT, resolve=resolving("1.1.1.1")).check("https://hooks.example/")


def test_a_refusal_does_not_tell_what_the_name_server_of_the_house_says() -> None:
    with pytest.raises(Forbidden, match=r"^hooks\.example is not at a public address") as told:
        Egress(STRICT, resolve=resolving("10.11.12.13")).check("https://hooks.example/")
    assert "10.11" not in f"{told.value}{told.value.__cause__}"


def test_a_connection_that_the_kernel_gives_up_is_unanswered(monkeypatch: pytest.MonkeyPatch) -> None:
    def given_up(*_: object) -> None:
        raise OSError(errno.ETIMEDOUT, "Connection timed out")

    monkeypatch.setattr(socket, "create_connection", given_up)
    with pytest.raises(Unanswered) as told:
        Egress(STRICT, resolve=resolving("1.1.1.1")).post("https://hooks.example/", b"{}", {})
    assert told.value.code == "TIMEOUT"


def test_a_name_that_changes_its_mind_is_asked_once_and_reached_where_it_was_checked(there: Receiver) -> None:
    asked: list[str] = []

    def rebinding(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    sender = Egress(Rules(LOOPBACK, http=True), resolve=rebinding)
    answer = sender.post(f"http://hooks.example:{there.port}/in?x=1", b"{}", {})
    assert (answer.status, asked) == (204, ["hooks.example"])
    (got,) = there.got
    assert (got.path, got.headers["host"]) == ("/in?x=1", f"hooks.example:{there.port}")
    with pytest.raises(Forbidden):  # asked again, it is checked again
        sender.post(f"http://hooks.example:{there.port}/in", b"{}", {})
    assert len(there.got) == 1


def test_a_proxy_named_by_the_environment_is_not_asked(there: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert way().post(f"http://hooks.example:{there.port}/", b"{}", {}).status == 204


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_that_keeps_the_method_is_followed_without_the_headers_of_another_origin(
    there: Receiver, status: int
) -> None:
    with receiver() as other:
        there.then(answering(status, Location="/again"), answering(status, Location=f"http://127.0.0.1:{other.port}/x"))
        answer = way().post(there.url, b'{"a":1}', {"webhook-id": "m"}, {"Authorization": "Bearer sesame"})
    assert answer.status == 204
    assert [each.path for each in there.got] == ["/hook", "/again"]
    assert [each.headers["authorization"] for each in there.got] == ["Bearer sesame"] * 2
    (got,) = other.got
    assert (got.path, got.body, got.headers["webhook-id"], got.headers.get("authorization")) == (
        "/x",
        b'{"a":1}',
        "m",
        None,
    )


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]:{port}/",
        "http://[::ffff:10.0.0.1]:{port}/",
        "http://2130706433:{port}/",
        "http://inside.example:{port}/",
        "http://user:word@127.0.0.1:{port}/",
        "file:///etc/passwd",
        "http://127.0.0.1:22/",
    ],
)
def test_a_redirect_to_where_nothing_is_sent_is_refused(there: Receiver, location: str) -> None:
    def resolve(host: str, port: int) -> Sequence[str]:
        return ["10.0.0.1"] if host == "inside.example" else resolving("127.0.0.1")(host, port)

    there.then(answering(307, Location=location.format(port=there.port)))
    sender = Egress(Rules(LOOPBACK, http=True), resolve=resolve, total_seconds=5)
    with pytest.raises(Forbidden):
        sender.post(there.url, b"{}", {})
    assert len(there.got) == 1


def test_a_redirect_away_from_a_public_address_into_the_house_is_refused(there: Receiver) -> None:
    """The rules of an operator who allowed one network let nobody be led into another."""
    there.then(answering(308, Location="http://10.0.0.1/"))
    with pytest.raises(Forbidden):
        way().post(there.url, b"{}", {})


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_redirect_that_would_lose_the_message_is_an_answer_like_any_other(there: Receiver, status: int) -> None:
    there.then(answering(status, Location=there.url))
    assert way().post(there.url, b"{}", {}).status == status
    assert len(there.got) == 1


def test_a_circle_of_redirects_ends(there: Receiver) -> None:
    there.always = answering(307, Location="/hook")
    with pytest.raises(Unanswered, match="redirects more than 3 times"):
        way().post(there.url, b"{}", {})
    assert len(there.got) == 4


def dripping(peer: socket.socket) -> None:
    """A letter at a time, never done with its headers."""
    peer.recv(65536)
    peer.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        peer.sendall(b"X")
        time.sleep(0.05)


def silent(peer: socket.socket) -> None:
    while peer.recv(65536):
        pass


@pytest.mark.parametrize("talk", [dripping, silent])
def test_a_receiver_that_takes_for_ever_is_not_waited_for(talk: Callable[[socket.socket], None]) -> None:
    with speaking(talk) as port:
        begun = time.monotonic()
        with pytest.raises(Unanswered) as failed:
            way(total=0.5).post(f"http://127.0.0.1:{port}/", b"{}", {})
    assert failed.value.code == "TIMEOUT"
    assert time.monotonic() - begun < 60, "it would have dripped for ever"


def test_a_handshake_that_takes_for_ever_is_not_waited_for() -> None:
    with speaking(silent) as port, pytest.raises(Unanswered) as failed:
        way(total=0.5).post(f"https://127.0.0.1:{port}/", b"{}", {})
    assert failed.value.code == "TIMEOUT"


def test_a_name_that_is_looked_up_for_ever_is_not_waited_for() -> None:
    def hanging(_host: str, _port: int) -> Sequence[str]:
        time.sleep(1.5)
        return ["127.0.0.1"]

    sender = Egress(Rules(LOOPBACK, http=True), resolve=hanging, connect_seconds=0.2)
    with pytest.raises(Unanswered) as failed:
        sender.post("http://hooks.example/", b"{}", {})
    assert failed.value.code == "DNS"


def test_of_an_endless_answer_only_the_beginning_is_read() -> None:
    sent = [0]

    def endless(peer: socket.socket) -> None:
        peer.recv(65536)
        peer.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            sent[0] += peer.send(b"400\r\n" + b"x" * 1024 + b"\r\n")

    with speaking(endless) as port:
        answer = way().post(f"http://127.0.0.1:{port}/", b"{}", {})
    assert (answer.status, answer.body) == (200, b"x" * 16 * 1024)
    assert sent[0] < 64 * 1024 * 1024


def test_a_good_answer_counts_although_its_body_never_ends(there: Receiver) -> None:
    def hung(peer: socket.socket) -> None:
        peer.recv(65536)
        peer.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 1000\r\n\r\nyes")
        silent(peer)

    with speaking(hung) as port:
        answer = way(total=0.5).post(f"http://127.0.0.1:{port}/", b"{}", {})
    assert (answer.status, answer.body) == (202, b"yes")


@pytest.mark.parametrize("said", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 40_000])
def test_what_is_no_http_is_no_answer(said: bytes) -> None:
    def talk(peer: socket.socket) -> None:
        peer.recv(65536)
        peer.sendall(said)

    with speaking(talk) as port, pytest.raises(Unanswered) as failed:
        way().post(f"http://127.0.0.1:{port}/", b"{}", {})
    assert failed.value.code == "BROKEN"


def test_where_nobody_listens_it_says_so() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(Unanswered) as failed:
            way().post(f"http://127.0.0.1:{free.getsockname()[1]}/", b"{}", {})
    assert failed.value.code == "UNREACHABLE"


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def tls(ca: Authority) -> Iterator[Receiver]:
    with receiver(ca.serving("hooks.example")) as made:
        yield made


def trusting(ca: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca)


def test_a_certificate_is_checked_for_the_name_although_the_connection_is_to_an_address(
    tls: Receiver, ca: Authority
) -> None:
    sender = way("127.0.0.1", trust=trusting(ca.certificate))
    assert sender.post(f"https://hooks.example:{tls.port}/", b"{}", {}).status == 204
    assert tls.got[0].headers["host"] == f"hooks.example:{tls.port}"
    for wrong in ("other.example", "127.0.0.1"):
        with pytest.raises(Unanswered) as failed:
            sender.post(f"https://{wrong}:{tls.port}/", b"{}", {})
        assert failed.value.code == "CERTIFICATE"
    assert len(tls.got) == 1


def test_a_certificate_of_an_unknown_authority_is_not_believed(tls: Receiver) -> None:
    with pytest.raises(Unanswered) as failed:
        way("127.0.0.1").post(f"https://hooks.example:{tls.port}/", b"{}", {})
    assert failed.value.code == "CERTIFICATE"
    assert tls.got == []


def test_what_speaks_no_tls_gets_nothing(there: Receiver) -> None:
    with pytest.raises(Unanswered) as failed:
        way("127.0.0.1").post(f"https://hooks.example:{there.port}/", b"{}", {})
    assert failed.value.code in {"TLS", "BROKEN", "UNREACHABLE"}
    assert there.got == []
