"""What Docker has been told of the containers, and what holds in them."""

import json
import os
import subprocess
from typing import Any

import pytest

from tests.engines import DockerStack
from tests.support import ROOT

SERVICES = ("db", "web", "nginx")
SECRETS = ("SECRET_KEY", "CSRF_SESSION_KEY", "POSTGRES_PASSWORD")


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def told(docker_stack: DockerStack, service: str) -> dict[str, Any]:
    """What `docker inspect` shows of a container."""
    return dict(json.loads(docker_stack.inspect(service, "{{json .}}")))


def environment(told: dict[str, Any]) -> dict[str, str]:
    """Return the variables of a container."""
    return dict(line.split("=", 1) for line in told["Config"]["Env"])


def test_container_is_given_no_rights(told: dict[str, Any]) -> None:
    host = told["HostConfig"]
    assert told["Config"]["User"] in ("999:999", "10001:10001", "101:101")
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert not host["Privileged"]
    assert not host["Devices"]


def test_container_shares_nothing_of_its_host(told: dict[str, Any]) -> None:
    host = told["HostConfig"]
    assert not {host["NetworkMode"], host["PidMode"], host["IpcMode"], host["UTSMode"]} & {"host"}
    assert [mount["Type"] for mount in told["Mounts"] if mount["Type"] != "volume"] == []


def test_container_cannot_write_to_its_image(told: dict[str, Any]) -> None:
    assert told["HostConfig"]["ReadonlyRootfs"]
    assert all("size=" in options for options in told["HostConfig"]["Tmpfs"].values())


def test_container_has_limits(told: dict[str, Any]) -> None:
    assert 0 < told["HostConfig"]["Memory"] <= 2**30
    assert 0 < told["HostConfig"]["PidsLimit"] <= 256
    assert told["HostConfig"]["LogConfig"]["Type"] == "local"


def test_container_comes_back_and_is_watched(told: dict[str, Any]) -> None:
    assert told["HostConfig"]["Init"]
    assert told["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
    assert told["State"]["Health"]["Status"] == "healthy"


def test_nginx_alone_is_published(told: dict[str, Any], service: str) -> None:
    ports = [port for port, bound in told["NetworkSettings"]["Ports"].items() if bound]
    assert ports == (["8080/tcp"] if service == "nginx" else [])


def test_database_and_nginx_do_not_see_each_other(docker_stack: DockerStack) -> None:
    networks = {
        service: set(json.loads(docker_stack.inspect(service, "{{json .NetworkSettings.Networks}}")))
        for service in SERVICES
    }
    assert not networks["db"] & networks["nginx"]


@pytest.mark.parametrize(
    ("service", "secrets"), [("db", {"POSTGRES_PASSWORD"}), ("web", set(SECRETS)), ("nginx", set())]
)
def test_container_has_its_own_secrets_only(
    docker_stack: DockerStack, told: dict[str, Any], service: str, secrets: set[str]
) -> None:
    of_web = environment(json.loads(docker_stack.inspect("web", "{{json .}}")))
    values = {of_web[name]: name for name in SECRETS}
    assert {values[value] for value in environment(told).values() if value in values} == secrets


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("grep CapEff /proc/1/status", "CapEff:\t0000000000000000"),
        ("grep NoNewPrivs /proc/1/status", "NoNewPrivs:\t1"),
        ("touch /usr/x 2>&1 || true", "Read-only file system"),
        ("[ $(id -u) != 0 ] && echo no root", "no root"),
    ],
)
def test_container_is_as_it_was_told(docker_stack: DockerStack, service: str, script: str, said: str) -> None:
    assert said in docker_stack.compose("exec", "--no-TTY", service, "sh", "-c", script)


@pytest.mark.parametrize(
    "more", sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("docker-compose.*.yml"))
)
def test_service_that_is_added_is_as_hardened(more: str) -> None:
    files = ["-f", "docker-compose.yml", "-f", "docker-compose.dev.yml", "-f", more]
    environment = os.environ | {"APP_SETTINGS": "x", "POSTGRES_PASSWORD": "x", "DEMO_LOGIN_PORT": "9400"}
    command = [
        "docker",
        "compose",
        "--env-file",
        "/dev/null",
        *files,
        "--profile",
        "db",
        "config",
        "--format",
        "json",
    ]
    for service in json.loads(subprocess.check_output(command, cwd=ROOT, env=environment))[
        "services"
    ].values():
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["deploy"]["resources"]["limits"].keys() == {"memory", "pids"}
        assert all(
            port["host_ip"] == "127.0.0.1" for port in service.get("ports", []) if port["target"] != 8443
        )


def test_health_of_nginx_is_told_to_its_container_alone(docker_stack: DockerStack) -> None:
    assert docker_stack.http.get("/nginx-alive").status_code == 404


def test_flask_commands_are_there(docker_stack: DockerStack) -> None:
    assert "(head)" in docker_stack.compose("exec", "--no-TTY", "web", "flask", "db", "heads")
