import io
import time
from typing import Any

from authlib.integrations.requests_client import OAuth2Session
from requests import RequestException, Response
from urllib3.exceptions import HTTPError

TIMEOUT = 4  # seconds: to connect, for the answer to begin, and for its body
SIZE_MAXIMUM = 1_000_000  # bytes


class Transport(OAuth2Session):
    """Authlib's OAuth client, bounded: whatever the other side does, it takes seconds."""

    def __init__(self, **options: Any) -> None:
        super().__init__(default_timeout=TIMEOUT, **options)
        self.max_redirects = 0  # the secret is not carried elsewhere
        self.trust_env = False  # nor exchanged for that of a .netrc
        self.hooks["response"].append(read_body)

    def request(self, method: str, url: str, **options: Any) -> Response:
        """Send a request; its answer is a RequestException where it is late, large or elsewhere."""
        answer: Response = super().request(method, url, **options | {"stream": True})
        return answer


def read_body(answer: Response, **_: Any) -> Response:
    """Put the body in the place of the connection that it comes over; requests bounds each read only."""
    deadline = time.monotonic() + TIMEOUT
    body = b""
    try:
        while part := answer.raw.read1(65536, decode_content=True):
            body += part
            if len(body) > SIZE_MAXIMUM or time.monotonic() > deadline:
                raise RequestException("the answer is too large, or takes too long")
    except HTTPError as error:
        raise RequestException(f"the answer breaks off: {error}") from error
    finally:
        answer.close()
    answer.raw = io.BytesIO(body)
    return answer
