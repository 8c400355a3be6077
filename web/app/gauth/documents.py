"""What the provider publishes, kept for a while."""

import time
from collections.abc import Callable
from threading import Lock
from typing import Any, Generic, TypeVar

from requests import RequestException

from .identity import IdentityError, ProviderError
from .transport import Transport

MAX_AGE = 3600  # seconds until a document is fetched again
RETRY = 10  # seconds until one that could not be had is asked for again
RENEWAL = 30  # seconds from one renewal that is asked for to the next

T = TypeVar("T")


class Document(Generic[T]):
    """A JSON document at the URL that `url` returns, as `read` understands it (else ProviderError).

    It is kept for MAX_AGE, and longer where a newer one cannot be had.
    """

    def __init__(self, url: Callable[[], str], read: Callable[[dict[str, Any]], T]) -> None:
        self.url = url
        self.read = read
        self.lock = Lock()
        self.value: T | None = None
        self.fetched_at = self.tried_at = self.renewed_at = -float("inf")

    def get(self) -> T:
        """Return the document (ProviderError). While one thread fetches it anew, others have the old one."""
        if self.value is not None and time.monotonic() - self.fetched_at < MAX_AGE:
            return self.value
        if self.lock.acquire(blocking=self.value is None):
            try:
                now = time.monotonic()
                if now - self.fetched_at >= MAX_AGE and now - self.tried_at >= RETRY:
                    self.fetch()
            finally:
                self.lock.release()
        if self.value is None:
            raise ProviderError("it did not answer a moment ago")
        return self.value

    def renew(self) -> T:
        """Return the document as it is, or was RENEWAL seconds ago (ProviderError)."""
        with self.lock:
            if time.monotonic() - self.renewed_at >= RENEWAL:
                self.renewed_at = time.monotonic()
                self.fetch()
        return self.get()

    def fetch(self) -> None:
        """Put the document as it is now in the place of the one before, unless it cannot be had."""
        try:
            self.value = self.read(get_json(self.url()))
            self.fetched_at = time.monotonic()
        except ProviderError:
            if self.value is None:
                raise
        finally:
            self.tried_at = time.monotonic()


def get_json(url: str, access_token: str | None = None) -> dict[str, Any]:
    """Return the JSON object at `url` (ProviderError; IdentityError if it refuses `access_token`)."""
    headers = {"Authorization": f"Bearer {access_token}"} if access_token else {}
    try:
        with Transport() as http:
            answer = http.get(url, withhold_token=True, headers=headers)
            if access_token and answer.status_code in (401, 403):
                raise IdentityError("the provider refuses its access token")
            answer.raise_for_status()
            value = answer.json()
    except (RequestException, ValueError, RecursionError) as error:
        raise ProviderError(f"{url}: {error}") from error
    if not isinstance(value, dict):
        raise ProviderError(f"{url} is not a JSON object")
    return value
