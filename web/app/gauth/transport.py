import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote_plus

from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2 import ClientAuth
from requests import RequestException, Response
from urllib3.exceptions import HTTPError
from werkzeug.datastructures import Authorization

TIMEOUT = 5  # seconds of an exchange
SIZE_MAXIMUM = 1_000_000  # bytes of an answer

# requests bounds each wait for the network, but not their sum. So these wait; whoever asks goes on in time.
threads = ThreadPoolExecutor(4, "gauth")


class Transport(OAuth2Session):
    """Authlib's OAuth client, bounded: whatever the other side does, it takes TIMEOUT and SIZE_MAXIMUM."""

    def __init__(self, **options: Any) -> None:
        super().__init__(default_timeout=TIMEOUT, **options)
        self.max_redirects = 0  # the secret is not carried elsewhere
        self.hooks["response"].append(read_body)
        self.register_client_auth_method(("client_secret_basic", authenticate))

    def request(self, method: str, url: str, **options: Any) -> Response:
        """Send a request; its answer is a RequestException where it is late, large or elsewhere."""
        exchange = threads.submit(super().request, method, url, **options | {"stream": True})
        try:
            answer: Response = exchange.result(TIMEOUT)
        except TimeoutError:
            exchange.cancel()
            raise RequestException("the answer takes too long") from None
        return answer


def authenticate(
    client: ClientAuth, method: str, url: str, headers: dict[str, str], body: str
) -> tuple[str, dict[str, str], str]:
    """Add the client's id and secret, encoded as by https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1"""
    sent = {"username": quote_plus(client.client_id), "password": quote_plus(client.client_secret)}
    headers["Authorization"] = Authorization("basic", {**sent}).to_header()
    return url, headers, body


def read_body(answer: Response, **_: Any) -> Response:
    """Put the body, as far as it is not too large, in the place of the connection that it comes over."""
    body = b""
    try:
        while part := answer.raw.read1(65536, decode_content=True):
            body += part
            if len(body) > SIZE_MAXIMUM:
                raise RequestException("the answer is too large")
    except HTTPError as error:
        raise RequestException(f"the answer breaks off: {error}") from error
    finally:
        answer.close()
    answer.raw = io.BytesIO(body)
    return answer
