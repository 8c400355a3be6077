"""A checkout that serves https."""

import socket
import ssl
import subprocess
from collections.abc import Iterator

import httpx
import pytest

from tests.checkouts import Checkout, variables
from tests.copies import free_port
from tests.engines import engine
from tests.support import PATIENCE, get

TLS = {"TLS_CERT": "tls/cert.pem", "TLS_KEY": "tls/key.pem"}


class Secured:
    """A checkout that serves https as well."""

    def __init__(self, checkout: Checkout) -> None:
        self.checkout = checkout
        self.port = free_port()
        self.variables = variables(TLS | {"HTTPS_PORT": str(self.port)})
        self.url = f"https://127.0.0.1:{self.port}"

    def make(self, verb: str) -> str:
        """Type `make`, with https on."""
        return self.checkout.make(verb, *self.variables)

    def handshake(self, context: ssl.SSLContext) -> ssl.SSLSocket:
        """Return a connection made under `context`."""
        return context.wrap_socket(socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE))

    def certificate(self) -> bytes:
        """Return the certificate that is shown, as DER."""
        with self.handshake(trusting()) as connection:
            return connection.getpeercert(binary_form=True) or b""


def trusting() -> ssl.SSLContext:
    """Return a context that takes any certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@pytest.fixture(scope="module")
def secured(checkout: Checkout) -> Iterator[Secured]:
    """A checkout with a certificate of its own; `make up` without one ends https."""
    secured = Secured(checkout)
    assert "make up:\nTLS_CERT=tls/cert.pem\nTLS_KEY=tls/key.pem" in checkout.make("cert")
    assert f"Ready: https://localhost:{secured.port}/" in secured.make("up")
    yield secured
    assert "Ready: http://localhost" in checkout.make("up")
    assert get(checkout.url).status_code == 200
    with pytest.raises(httpx.TransportError):
        get(secured.url, verify=trusting())
    assert not is_key_kept(checkout)


def is_key_kept(checkout: Checkout) -> bool:
    """Tell whether what nginx was handed is still there."""
    if engine() == "native":
        return (checkout.path / ".native" / "tls").exists()
    name = f"name={checkout.setting('COMPOSE_PROJECT_NAME')}_tls"
    return bool(subprocess.check_output(["docker", "volume", "ls", "--quiet", "--filter", name]))


@pytest.fixture
def https(secured: Secured) -> Iterator[httpx.Client]:
    """A client that trusts the certificate alone."""
    certificate = str(secured.checkout.path / "tls" / "cert.pem")
    with httpx.Client(base_url=secured.url, verify=ssl.create_default_context(cafile=certificate)) as client:
        yield client
