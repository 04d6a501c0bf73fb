"""A stand-in for an S3 (moto) in a thread of this process: ready at once, but it checks no signature."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class QuickS3:
    endpoint: str

    def blob_url(self, bucket: str) -> str:
        """What IMPRIMATUR_BLOB_URL would say; any key and secret will do."""
        return f"s3://anyone:anything@{self.endpoint}/{bucket}?secure=false"


def _left_to_the_garbage_collector(self: Any, garbage: bool = False) -> None:
    self.disposed = True


@contextmanager
def running_quick_s3() -> Iterator[QuickS3]:
    from moto.s3.models import FakeKey  # more than a second of imports, for the few who ask
    from moto.server import ThreadedMotoServer

    # What one request replaces another may just be reading: moto closes it, and answers that one with a 500.
    FakeKey.dispose = _left_to_the_garbage_collector  # type: ignore[method-assign]
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield QuickS3(f"{host}:{port}")
    finally:
        server.stop()
