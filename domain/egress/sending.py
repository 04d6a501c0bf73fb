"""One request to an address that somebody gave, on a connection that goes where it was checked to go.

httpcore is handed a network backend of ours: it is asked for the name, connects to an address that was checked, and
bounds every read and write by one deadline for the whole request, so that a receiver that sends a letter a second is
not waited for. Environment variables for proxies are not read.
"""

from __future__ import annotations

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from http import HTTPStatus
from typing import Any, Final, TypeAlias

import certifi
import httpcore

from domain.egress.rules import Forbidden, Rules, Target, check_address, redirected, target_of
from storage.settings import Settings

#: Seconds for looking a name up and for a connection, and for the whole of it with all redirects.
CONNECT_SECONDS: Final = 5.0
TOTAL_SECONDS: Final = 10.0
#: Bytes of an answer that are read; the rest is left where it is.
LARGEST_ANSWER: Final = 16 * 1024
MAX_REDIRECTS: Final = 3
#: Addresses of one name that are tried.
MAX_ADDRESSES: Final = 3
#: Names looked up at once: a system resolver that hangs does so in a thread of its own.
LOOKUPS: Final = 16
#: The redirects that keep method and body, and all that a reader follows.
_KEPT: Final = (HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.PERMANENT_REDIRECT)
_FOLLOWED: Final = (*_KEPT, HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.FOUND, HTTPStatus.SEE_OTHER)

#: Every address of a name; OSError where there is none.
Resolve: TypeAlias = Callable[[str, int], Sequence[str]]

_lookups = threading.BoundedSemaphore(LOOKUPS)


class Unanswered(Exception):
    """Nothing that is an answer came; `code` is a stable word, `sentence` is for people."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


@dataclass(frozen=True)
class Answer:
    status: int
    #: The first bytes of what was said.
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Incoming:
    """An answer whose body is still to be read: `pieces` raises `Unanswered` where it breaks off or takes too long."""

    status: int
    headers: Mapping[str, str]
    #: Where it came from in the end.
    target: Target
    pieces: Iterator[bytes]


@dataclass(frozen=True)
class Egress:
    """The way out under these rules."""

    rules: Rules = field(default_factory=Rules)
    resolve: Resolve = field(default_factory=lambda: look_up)
    #: Whose certificates are believed; the usual authorities' if not said.
    trust: ssl.SSLContext | None = None
    connect_seconds: float = CONNECT_SECONDS
    total_seconds: float = TOTAL_SECONDS

    def check(self, url: str) -> Target:
        """`Forbidden` where a request to this address would not be sent now, `Unanswered` where its name is unknown."""
        target = target_of(url, self.rules)
        self._addresses(target, time.monotonic() + self.total_seconds)
        return target

    def post(self, url: str, body: bytes, headers: Mapping[str, str], own: Mapping[str, str] | None = None) -> Answer:
        """The answer to a POST. Redirects that keep method and body are followed, each checked like the first address;
        headers in `own` go to the first origin only. Raises `Forbidden` and `Unanswered`.
        """
        late = time.monotonic() + self.total_seconds
        target = first = target_of(url, self.rules)
        for _ in range(MAX_REDIRECTS + 1):
            more = own or {} if target.origin == first.origin else {}
            answer = self._asked(target, body, {**headers, **more}, late)
            if answer.status not in _KEPT or "location" not in answer.headers:
                return answer
            target = redirected(target, answer.headers["location"], self.rules)
        raise Unanswered("REDIRECTS", f"It redirects more than {MAX_REDIRECTS} times.")

    @contextmanager
    def get(self, url: str) -> Iterator[Incoming]:
        """The answer to a GET while the block runs. Redirects are followed, each checked like the first address. Raises
        `Forbidden` and `Unanswered`.
        """
        late = time.monotonic() + self.total_seconds
        target = target_of(url, self.rules)
        for _ in range(MAX_REDIRECTS + 1):
            with self._opened("GET", target, b"", {"Accept": "*/*"}, late) as answer:
                headers = _headers(answer)
                if answer.status not in _FOLLOWED or "location" not in headers:
                    yield Incoming(answer.status, headers, target, self._pieces(answer))
                    return
            target = redirected(target, headers["location"], self.rules)
        raise Unanswered("REDIRECTS", f"It redirects more than {MAX_REDIRECTS} times.")

    def _asked(self, target: Target, body: bytes, headers: Mapping[str, str], late: float) -> Answer:
        with self._opened("POST", target, body, headers, late) as answer:
            return _read(answer)

    @contextmanager
    def _opened(
        self, method: str, target: Target, body: bytes, headers: Mapping[str, str], late: float
    ) -> Iterator[httpcore.Response]:
        pinned = _Pinned(self._addresses(target, late), late, self.connect_seconds)
        told = {"Host": target.authority, "Accept-Encoding": "identity", "Connection": "close", **headers}
        with (
            self._telling(),
            httpcore.ConnectionPool(ssl_context=self.trust or authorities(), network_backend=pinned) as pool,
            pool.stream(method, _url(target), headers=_spelt(told), content=body) as answer,
        ):
            yield answer

    def _pieces(self, answer: httpcore.Response) -> Iterator[bytes]:
        with self._telling():
            yield from answer.iter_stream()

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """What httpcore raises is told as `Unanswered`."""
        try:
            yield
        except httpcore.TimeoutException:
            raise Unanswered("TIMEOUT", f"It did not answer within {self.total_seconds:.0f} seconds.") from None
        except httpcore.ConnectError as error:
            raise _unconnected(error) from None
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise Unanswered("BROKEN", f"The connection broke: {str(error)[:200] or type(error).__name__}.") from None

    def _addresses(self, target: Target, late: float) -> Sequence[str]:
        """Every address of the host, all of them checked."""
        patience = min(self.connect_seconds, max(0.0, late - time.monotonic()))
        addresses = _within(patience, lambda: self.resolve(target.host, target.port))
        if not addresses:
            raise Unanswered("DNS", f"{target.host} has no address.")
        for address in addresses:
            _check_found(target, address, self.rules)
        return addresses[:MAX_ADDRESSES]


def _check_found(target: Target, address: str, rules: Rules) -> None:
    """As `check_address`, without telling what the hub's own name server says of the house."""
    try:
        check_address(address, rules)
    except Forbidden:
        raise Forbidden(f"{target.host} is not at a public address: the hub does not send there.") from None


def of_settings(settings: Settings) -> Egress:
    return Egress(Rules(settings.reachable_networks, http=settings.outside_http))


def of_import_settings(settings: Settings) -> Egress:
    """The way to files that people have fetched: what comes back is shown to them, so its rules are its own."""
    rules = Rules(settings.importable_networks, http=settings.import_http)
    return Egress(rules, total_seconds=float(settings.import_seconds))


def look_up(host: str, port: int) -> list[str]:
    """Every address of a name, as the system knows it."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


@cache
def authorities() -> ssl.SSLContext:
    """Those whose certificates are believed: the usual ones, and those that `SSL_CERT_FILE` adds."""
    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    return context


def _within(seconds: float, ask: Callable[[], Sequence[str]]) -> Sequence[str]:
    """A system resolver cannot be told to hurry: whoever hangs is left behind in a thread."""
    if not _lookups.acquire(timeout=seconds):
        raise Unanswered("DNS", "Too many names are being looked up.")
    answers: queue.SimpleQueue[Sequence[str] | OSError | UnicodeError] = queue.SimpleQueue()

    def asked() -> None:
        try:
            answers.put(ask())
        except (OSError, UnicodeError) as error:
            answers.put(error)
        finally:
            _lookups.release()

    threading.Thread(target=asked, name="lookup", daemon=True).start()
    try:
        found = answers.get(timeout=seconds)
    except queue.Empty:
        raise Unanswered("DNS", "Looking the name up took too long.") from None
    if isinstance(found, OSError | UnicodeError):
        raise Unanswered("DNS", "The name cannot be looked up.")
    return found


def _read(answer: httpcore.Response) -> Answer:
    """Its status counts, however its body ends."""
    found = Answer(answer.status, b"", _headers(answer))
    body = bytearray()
    try:
        for piece in answer.iter_stream():
            body += piece
            if len(body) >= LARGEST_ANSWER:
                break
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        pass
    return replace(found, body=bytes(body[:LARGEST_ANSWER]))


def _headers(answer: httpcore.Response) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}


def _unconnected(error: httpcore.ConnectError) -> Unanswered:
    """What an exception of httpcore's was raised from is cut off: it travels as the argument."""
    cause = error.args[0] if error.args else None
    if isinstance(cause, ssl.SSLCertVerificationError):
        return Unanswered("CERTIFICATE", f"Its certificate is not good: {cause.verify_message}.")
    if isinstance(cause, ssl.SSLError):
        return Unanswered("TLS", f"No private connection came about: {cause.reason or 'TLS failed'}.")
    return Unanswered("UNREACHABLE", "Nothing answers there.")


def _url(target: Target) -> httpcore.URL:
    return httpcore.URL(
        scheme=target.scheme.encode(), host=target.host.encode(), port=target.port, target=target.path.encode()
    )


def _spelt(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]


class _Pinned(httpcore.NetworkBackend):
    """Connects to addresses that were checked, whatever name it is asked for."""

    def __init__(self, addresses: Sequence[str], late: float, patience: float) -> None:
        self._addresses = addresses
        self._late = late
        self._patience = patience

    def connect_tcp(
        self,
        host: str,  # noqa: ARG002  # looked up and checked before
        port: int,
        timeout: float | None = None,  # noqa: ARG002  # bounded by the deadline
        local_address: str | None = None,  # noqa: ARG002  # any will do
        socket_options: Any = None,  # noqa: ARG002  # none
    ) -> httpcore.NetworkStream:
        until = min(self._late, time.monotonic() + self._patience)
        refused: OSError | None = None
        for address in self._addresses:
            try:
                made = socket.create_connection((address, port), _left(until, httpcore.ConnectTimeout))
            except OSError as error:
                refused = error
                continue
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return _Stream(made, self._late)
        # The kernel's own ETIMEDOUT is a TimeoutError too, and may come long before ours.
        if isinstance(refused, TimeoutError):
            raise httpcore.ConnectTimeout
        raise httpcore.ConnectError(str(refused)) from refused


class _Stream(httpcore.NetworkStream):
    """A socket whose every step ends by one deadline."""

    def __init__(self, made: socket.socket, late: float) -> None:
        self._socket = made
        self._late = late

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002  # bounded by the deadline
        try:
            self._socket.settimeout(_left(self._late, httpcore.ReadTimeout))
            return self._socket.recv(max_bytes)
        except TimeoutError as error:
            raise httpcore.ReadTimeout from error
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002  # likewise
        left = memoryview(buffer)
        try:
            while left:
                self._socket.settimeout(_left(self._late, httpcore.WriteTimeout))
                left = left[self._socket.send(left) :]
        except TimeoutError as error:
            raise httpcore.WriteTimeout from error
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    def close(self) -> None:
        self._socket.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002  # likewise
    ) -> httpcore.NetworkStream:
        try:
            self._socket.settimeout(_left(self._late, httpcore.ConnectTimeout))
            return _Stream(ssl_context.wrap_socket(self._socket, server_hostname=server_hostname), self._late)
        except TimeoutError as error:
            self.close()
            raise httpcore.ConnectTimeout from error
        except OSError as error:
            self.close()
            raise httpcore.ConnectError(error) from error


def _left(until: float, late: type[Exception]) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise late
    return left
