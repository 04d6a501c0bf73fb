"""A stand-in for an S3 (moto) in a thread of this process: ready at once, but it checks no signature."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class QuickS3:
    endpoint: str

    def blob_url(self, bucket: str) -> str:
        """What IMPRIMATUR_BLOB_URL would say; any key and secret will do."""
        return f"s3://anyone:anything@{self.endpoint}/{bucket}?secure=false"


@contextmanager
def running_quick_s3() -> Iterator[QuickS3]:
    from moto.server import ThreadedMotoServer  # more than a second of imports, for the few who ask

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield QuickS3(f"{host}:{port}")
    finally:
        server.stop()
