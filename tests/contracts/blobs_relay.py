"""A relay in front of a server, whose connections fail in the middle as those of networks do."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

END_OF_HEAD = b"\r\n\r\n"
Carry = Callable[[socket.socket, socket.socket], None]


class Relay:
    """Passes everything on, until it is told otherwise; that holds for connections made from then on."""

    def __init__(self, target: str, listener: socket.socket) -> None:
        host, _, port = target.rpartition(":")
        self._target, self._listener = (host, int(port)), listener
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._over = threading.Event()
        self.endpoint = f"127.0.0.1:{listener.getsockname()[1]}"
        self.connections = 0
        self._requested = 0
        #: Hang up after so many bytes of answers.
        self.answers_end_after: int | None = None
        #: Hang up where the body of an answer begins.
        self.answers_have_no_body = False
        #: Pass on so many bytes of requests, over all connections, then stand still and set `stalled`.
        self.requests_stall_after: int | None = None
        self.stalled = threading.Event()

    def serve(self) -> None:
        with suppress(OSError):  # the listener was closed
            while True:
                asker, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                self.connections += 1
                self._open += [asker, server]
                self._start(self._carry_requests, asker, server)
                self._start(self._carry_answers, server, asker)

    def end(self) -> None:
        self._over.set()
        for one in self._open:
            _hang_up(one)
        for thread in self._threads:
            thread.join()
        for one in self._open:
            one.close()

    def _start(self, carry: Carry, source: socket.socket, target: socket.socket) -> None:
        def work() -> None:
            with suppress(OSError):
                carry(source, target)
            _hang_up(source)
            _hang_up(target)

        self._threads.append(threading.Thread(target=work))
        self._threads[-1].start()

    def _carry_requests(self, asker: socket.socket, server: socket.socket) -> None:
        while piece := asker.recv(1 << 16):
            self._requested += len(piece)
            if self.requests_stall_after is not None and self._requested > self.requests_stall_after:
                self.stalled.set()
                self._over.wait()
                return
            server.sendall(piece)

    def _carry_answers(self, server: socket.socket, asker: socket.socket) -> None:
        left, no_body = self.answers_end_after, self.answers_have_no_body
        while piece := server.recv(1 << 16):
            if no_body and END_OF_HEAD in piece:
                asker.sendall(piece[: piece.index(END_OF_HEAD) + len(END_OF_HEAD)])
                return
            asker.sendall(piece if left is None else piece[:left])
            if left is not None and (left := left - len(piece)) <= 0:
                return


@contextmanager
def relay(target: str) -> Iterator[Relay]:
    """A relay to this host:port, on a port of loopback of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        between = Relay(target, listener)
        thread = threading.Thread(target=between.serve)
        thread.start()
        try:
            yield between
        finally:
            _hang_up(listener)
            thread.join()
            between.end()


def _hang_up(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
