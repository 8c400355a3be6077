"""The certificate that make cert makes."""

import ssl
import subprocess
from pathlib import Path

import pytest
from cryptography import x509

from tests.copies import ROOT


def self_signed(folder: Path, name: str) -> None:
    """Make a certificate for `name` in a folder, `cert`, and its key, `key`."""
    script = f". {ROOT}/engines/tls.sh; self_signed {name} cert key"
    subprocess.run(["bash", "-euc", script], cwd=folder, check=True)


@pytest.mark.parametrize(
    ("name", "names"), [("localhost", ["localhost"]), ("www.example.com", ["www.example.com", "localhost"])]
)
def test_certificate_is_of_a_server_and_of_no_authority(tmp_path: Path, name: str, names: list[str]) -> None:
    self_signed(tmp_path, name)
    extensions = x509.load_pem_x509_certificate((tmp_path / "cert").read_bytes()).extensions
    assert extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    alternatives = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert alternatives.get_values_for_type(x509.DNSName) == names


def test_certificate_is_good_to_who_is_strict(tmp_path: Path) -> None:
    self_signed(tmp_path, "localhost")
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    ours = ssl.create_default_context(cafile=str(tmp_path / "cert"))
    ours.verify_flags |= ssl.VERIFY_X509_STRICT
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = theirs.wrap_bio(to_server, to_client, server_side=True)
    client = ours.wrap_bio(to_client, to_server, server_hostname="localhost")
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    assert client.version() == server.version() == "TLSv1.3"
