"""What the server counts, as Prometheus text: requests, their time, bytes taken in and given out, jobs by state."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

MEDIA_TYPE = CONTENT_TYPE_LATEST
#: First parts of our addresses; every other request counts as "other", so that strangers cannot make new labels.
KNOWN = frozenset(
    {"auth", "graphql", "graphiql", "uploads", "files", "latest", "transforms", "iiif", "health", "metrics"}
)
METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS"})
#: Seconds: from a cached file to a long upload.
BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)


class Meters:
    """One set per application, so that two in one process do not count for each other."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._found: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self.requests = Counter(
            "imprimatur_requests", "Requests answered.", ("place", "method", "status"), registry=self._registry
        )
        self.seconds = Histogram(
            "imprimatur_request_seconds",
            "Time to answer, bodies included.",
            ("place",),
            buckets=BUCKETS,
            registry=self._registry,
        )
        self.uploaded = Counter("imprimatur_upload_bytes", "Bytes of uploads taken in.", registry=self._registry)
        self.delivered = Counter("imprimatur_delivered_bytes", "Bytes of answers sent.", registry=self._registry)
        self.jobs = Gauge("imprimatur_jobs", "Unfinished jobs by state.", ("state",), registry=self._registry)

    def answered(self, path: str, method: str, status: int, seconds: float, sent: int) -> None:
        requests, times = self._of(place_of(path), method if method in METHODS else "other", status)
        requests.inc()
        times.observe(seconds)
        self.delivered.inc(sent)

    def _of(self, place: str, method: str, status: int) -> tuple[Counter, Histogram]:
        """Looked up once: finding it takes longer than counting."""
        found = self._found.get((place, method, status))
        if found is None:
            counted = self.requests.labels(place, method, str(status)), self.seconds.labels(place)
            found = self._found[place, method, status] = counted
        return found

    def text(self) -> bytes:
        return generate_latest(self._registry)


def place_of(path: str) -> str:
    first = path.lstrip("/").partition("/")[0]
    return first if first in KNOWN else "other"
