"""What is in the images, and what is not."""

import json
import subprocess

import pytest

from tests.engines import DockerStack

MEGABYTE = 1_000_000


def inspect(image: str) -> dict[str, object]:
    """Return what Docker knows of `image`."""
    [found] = json.loads(subprocess.check_output(["docker", "image", "inspect", image]))
    return dict(found)


def in_image(image: str, script: str) -> str:
    """Return what a shell script prints in a container of `image`, as root."""
    command = ["docker", "run", "--rm", "--user", "0", "--entrypoint", "sh", image, "-c", script]
    return subprocess.check_output(command, text=True)


@pytest.fixture
def image(docker_stack: DockerStack, service: str) -> str:
    return docker_stack.inspect(service, "{{.Config.Image}}")


def test_web_adds_less_than_200_megabytes(docker_stack: DockerStack, build_settings: dict[str, str]) -> None:
    web = inspect(docker_stack.inspect("web", "{{.Config.Image}}"))
    base = inspect(build_settings.get("PYTHON_IMAGE", "python:3.13-slim-trixie"))
    assert int(str(web["Size"])) - int(str(base["Size"])) < 200 * MEGABYTE


@pytest.mark.parametrize("service", ["web", "nginx", "db"])
def test_image_does_not_run_as_root(image: str) -> None:
    config = inspect(image)["Config"]
    assert isinstance(config, dict)
    assert config["User"] not in ("", "root", "0", "0:0")


@pytest.mark.parametrize("service", ["web"])
def test_image_holds_no_provider_that_believes_whoever_comes(image: str) -> None:
    assert in_image(image, "grep -rl DemoProvider /srv; true") == ""


@pytest.mark.parametrize("service", ["web", "nginx", "db"])
def test_image_holds_no_compiler_installer_or_cache(image: str) -> None:
    found = in_image(image, "command -v cc gcc g++ make; ls -d /venv/bin/pip* /root/.cache 2>/dev/null; true")
    assert found == ""


@pytest.mark.parametrize("service", ["web", "nginx", "db"])
def test_image_holds_no_secret(docker_stack: DockerStack, image: str) -> None:
    history = subprocess.check_output(["docker", "history", "--no-trunc", image], text=True)
    settings = json.dumps(inspect(image)["Config"])
    running = dict(
        line.split("=", 1) for line in json.loads(docker_stack.inspect("web", "{{json .Config.Env}}"))
    )
    for name in ("SECRET_KEY", "CSRF_SESSION_KEY", "POSTGRES_PASSWORD"):
        assert len(running[name]) > 20
        assert running[name] not in history + settings
    assert in_image(image, "find / -xdev '(' -name '.env*' -o -name ca_bundle.pem ')' -size +0") == ""
