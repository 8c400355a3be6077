"""`make doctor`: each fault is planted, and found; and it is quiet where all is well."""

import http.server
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.checkouts import OWNER, Checkout
from tests.doctor import doctor, plant, stand_in

Edit = Callable[[str, str, str], None]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("POSTGRES_USER=app", 'POSTGRES_USER="app"', r"\.env line \d+ is malformed: write NAME=value"),
        (
            "POSTGRES_USER=app\n",
            "POSTGRES_USER=app\r\n",
            r"\.env line \d+ ends as on Windows \(CRLF\); type tr",
        ),
        ("#RATE_LIMIT=50", "RATE_LIMIT=lots", r"RATE_LIMIT=lots is not a number from 1 to"),
        ("#CORS_ORIGINS=https://", "CORS_ORIGINS=", r"CORS_ORIGINS has .*, which is no origin"),
        ("#TRUSTED_HOSTS=", "TRUSTED_HOSTS=*.", r"TRUSTED_HOSTS has .*, which is no name of a host"),
    ],
)
def test_wrong_line_of_env_is_found(resting: Checkout, old: str, new: str, line: str) -> None:
    plant(resting, (old, new))
    assert re.search(line, "\n".join(doctor(resting)))


@pytest.fixture(scope="module")
def found(settled: tuple[Checkout, str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """What is found of many faults at once, each of which does not hide the others."""
    checkout, settings = settled
    folder = tmp_path_factory.mktemp("faults")
    env = checkout.path / ".env"
    env.write_text(settings)
    plant(
        checkout,
        ("#LOG_LEVEL=INFO", "LOG_LEVLE=DEBUG"),
        ("POSTGRES_DB=app", "#"),
        ("#WEB_WORKERS=2", "WEB_WORKERS=2\nWEB_WORKERS=3"),
    )
    env.chmod(0o644)
    # A stand-in, as no test may fill the disk.
    path = stand_in(folder, "df", 'echo header; echo "/dev/x 1000000 990000 10240 99% /"')
    return "\n".join(doctor(checkout, *certificate(folder, 5.5), PATH=path))


@pytest.mark.parametrize(
    "line",
    [
        ".env: there is no setting LOG_LEVLE; .env.example lists them",
        ".env lacks POSTGRES_DB; add the line POSTGRES_DB=app",
        ".env has WEB_WORKERS more than once, of which the last holds; delete the others",
        "everybody on this machine can read the secrets in .env; type chmod 600 .env",
        "is good for 5 more days; renew it, then type make reload",
        "only 10 MB are free where",
    ],
)
def test_fault_among_others_is_found(found: str, line: str) -> None:
    assert line in found


@pytest.mark.parametrize("name", ["SECRET_KEY", "CSRF_SESSION_KEY", "POSTGRES_PASSWORD"])
def test_weak_secret_of_production_is_found(resting: Checkout, name: str) -> None:
    settings = [
        "APP_SETTINGS=config.ProductionConfig",
        "COMPOSE_FILE=docker-compose.yml",
        f"{name}=change-me",
    ]
    assert any(f"{name} is an example or under 32 characters" in line for line in doctor(resting, *settings))


def test_setting_that_the_app_refuses_is_found(checkout: Checkout) -> None:
    found = doctor(checkout, "LOG_LEVEL=loud")
    assert any("LOG_LEVEL is LOUD; it must be one of" in line for line in found)


def test_models_that_the_database_does_not_have_are_found(checkout: Checkout, edit: Edit) -> None:
    edit("web/app/notes/models.py", "    body:", "    subtitle: Mapped[str | None]\n    body:")
    assert doctor(checkout) == ["the models differ from the database; type make migrate in development"]


REVISION = '''"""nothing"""
revision = "ffffffffffff"
down_revision = {0!r}


def upgrade():
    pass
'''


def test_migration_that_the_database_has_not_had_is_found(checkout: Checkout) -> None:
    heads = checkout.make("flask", "A=db heads")
    [head] = re.findall(r"^(\w+) \(head\)", heads, re.MULTILINE)
    path = checkout.path / "web" / "migrations" / "versions" / "next.py"
    path.write_text(REVISION.format(head))
    try:
        assert doctor(checkout) == ["the database has yet to be migrated; type make up"]
    finally:
        path.unlink()


def test_database_that_is_newer_than_the_code_is_found(checkout: Checkout) -> None:
    update = "UPDATE alembic_version SET version_num = '{}'"
    [stored] = re.findall(r"^ (\w{12})$", checkout.make("psql", stdin="TABLE alembic_version"), re.MULTILINE)
    checkout.make("psql", stdin=update.format("ffffffffffff"))
    try:
        assert doctor(checkout) == [
            "the database is newer than this code; go back to the code that has its migrations"
        ]
    finally:
        checkout.make("psql", stdin=update.format(stored))


def certificate(folder: Path, days: float) -> list[str]:
    """Make a certificate that is good for `days`, and return the settings that name it."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=90))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "cert.pem").write_bytes(made.public_bytes(pem))
    (folder / "key.pem").write_bytes(private)
    return [f"TLS_CERT={folder}/cert.pem", f"TLS_KEY={folder}/key.pem", "HTTPS_PORT=65000"]


def test_certificate_that_has_expired_is_found(resting: Checkout, tmp_path: Path) -> None:
    line = "has expired; renew it, then type make reload"
    assert any(line in found for found in doctor(resting, *certificate(tmp_path, -1)))


def test_certificate_that_is_good_for_long_is_not_a_fault(resting: Checkout, tmp_path: Path) -> None:
    assert not any("certificate" in found for found in doctor(resting, *certificate(tmp_path, 30)))


def test_docker_that_does_not_run_is_found(resting: Checkout) -> None:
    found = doctor(resting, "ENGINE=docker", DOCKER_HOST="unix:///nowhere.sock")
    assert any("no Docker engine answers here; start Docker" in line for line in found)


@pytest.mark.root
def test_file_of_another_user_is_found(clone: Callable[[str], Checkout]) -> None:
    other = clone("of a user")
    shutil.copy2(other.path / ".env.example", other.path / ".env")
    os.chown(other.path / ".env", OWNER, OWNER)
    os.chown(other.path / "Makefile", 0, 0)
    found = doctor(other, user=OWNER)
    assert any(re.search(r"^\./Makefile belongs to root; type sudo chown -R \S+ \.$", line) for line in found)


def test_app_that_cannot_be_loaded_is_found(checkout: Checkout, edit: Edit) -> None:
    edit("web/app/notes/models.py", "class Note", "syntax(\n\n\nclass Note")
    [line] = doctor(checkout)
    assert re.search(
        r"^the app cannot be loaded: SyntaxError: .*web/app/notes/models\.py line \d+; mend", line
    )


def test_up_shows_what_does_not_stop_it(checkout: Checkout, edit: Edit) -> None:
    edit(".env", "#LOG_LEVEL=INFO", "LOG_LEVLE=DEBUG")
    screen = checkout.make("up")
    assert "==> Note: .env: there is no setting LOG_LEVLE; .env.example lists them" in screen
    assert "==> Ready: " in screen


def test_doctor_before_the_first_up_is_told(clone: Callable[[str], Checkout], answering_engine: str) -> None:
    run = clone("new").try_make("doctor")
    assert (run.returncode != 0, "there is no .env yet; type make up" in run.stdout) == (True, True)


# --- make audit ---


class Vulnerabilities(http.server.BaseHTTPRequestHandler):
    """Stands in for https://osv.dev, which cannot be reached from everywhere: knows of one, in flask."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        known = {"id": "TEST-1", "affected": [{"package": {"name": "flask", "ecosystem": "PyPI"}}]}
        answer = {"vulns": [known]} if b'"flask"' in body and self.path == "/vulnerable" else {}
        text = str(answer).replace("'", '"').encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def osv() -> Iterator[http.server.ThreadingHTTPServer]:
    """A service that knows of vulnerabilities under /vulnerable."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Vulnerabilities) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("sound", "==> No package of web/requirements*.txt is known to be vulnerable"),
        ("vulnerable", "make audit: packages are vulnerable: where a newer one is good, type make lock"),
    ],
)
def test_locked_packages_are_looked_up(
    clone: Callable[[str], Checkout], osv: http.server.ThreadingHTTPServer, name: str, line: str
) -> None:
    service: dict[str, Any] = {
        "PIP_AUDIT_VULNERABILITY_SERVICE": "osv",
        "PIP_AUDIT_OSV_URL": f"http://127.0.0.1:{osv.server_port}/{name}",
    }
    screen = clone("audited").try_make("audit", **service).stdout
    assert line in screen
    assert ("TEST-1" in screen) == (name == "vulnerable")
