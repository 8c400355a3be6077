"""What came of the requests."""

import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil

SHOWN = 50  # failures


@dataclass
class Tally:
    """The counts of a load."""

    began: float = field(default_factory=time.monotonic)
    seconds: float = 0
    processor: float = 0
    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    failures: list[dict[str, str]] = field(default_factory=list)
    failed: int = 0
    retried: int = 0
    refused_streams: int = 0
    acknowledged: int = 0
    late: float = 0

    def succeed(self, kind: str, seconds: float) -> None:
        """Count a request that was answered as it should be."""
        self.times[kind].append(seconds)

    def fail(self, kind: str, error: Exception) -> None:
        """Count a request that was not."""
        self.failed += 1
        if len(self.failures) < SHOWN:
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            what = f"{type(error).__name__}: {error}".removesuffix(": ")
            self.failures.append({"time": now, "kind": kind, "what": what})

    def end(self) -> None:
        """Note when the last request was sent, and the processor's time until then."""
        self.seconds, self.processor = time.monotonic() - self.began, time.process_time()

    def document(self) -> dict[str, object]:
        """Return all of it; times are in milliseconds from when a request was due, of what succeeded."""
        requests = sum(map(len, self.times.values())) + self.failed
        return {
            "seconds": round(self.seconds, 1),
            "requests": requests,
            "rate": round(requests / self.seconds, 1),
            "processor": round(self.processor / self.seconds, 2),
            "acknowledged": self.acknowledged,
            "failed": self.failed,
            "retried": self.retried,
            "refused_streams": self.refused_streams,
            "late_ms": milliseconds(self.late),
            "kinds": {kind: summary(times) for kind, times in sorted(self.times.items())},
            "failures": self.failures,
        }


def summary(times: list[float]) -> dict[str, float]:
    """Return how many there are, and how long they took, in milliseconds."""
    ordered = sorted(times)
    p50, p99 = (milliseconds(ordered[ceil(len(ordered) * share) - 1]) for share in (0.5, 0.99))
    return {"count": len(ordered), "p50": p50, "p99": p99, "max": milliseconds(ordered[-1])}


def milliseconds(seconds: float) -> float:
    """Return seconds as milliseconds with one place."""
    return round(seconds * 1000, 1)
