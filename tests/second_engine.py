"""A second Docker engine on this machine, behind ssh, in namespaces of its own: as good as another host.

Its network is joined to this machine's by a pair of virtual interfaces, which nobody else reaches.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tests.support import cannot_run, wait_until

NAME = f"slipway{os.getpid()}"[:13]
NETWORK = f"""
ip netns add {NAME}
ip link add {NAME}a type veth peer name {NAME}b
ip link set {NAME}b netns {NAME}
ip addr add {{network}}.1/24 dev {NAME}a
ip link set {NAME}a up
ip -n {NAME} addr add {{network}}.2/24 dev {NAME}b
ip -n {NAME} link set {NAME}b up
ip -n {NAME} link set lo up
ip -n {NAME} route add default via {{network}}.1
"""
SSHD = """
ListenAddress {there}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/key.pub
StrictModes no
UsePAM no
PidFile {folder}/sshd.pid
"""
# Docker asks by a command each; one connection serves them all.
SSH = """
IdentityFile {folder}/key
UserKnownHostsFile /dev/null
StrictHostKeyChecking no
LogLevel ERROR
ControlMaster auto
ControlPath {folder}/control
ControlPersist 600
"""
# One on each machine, which keep what they have in one folder.
REGISTRY = """
version: 0.1
storage: {{filesystem: {{rootdirectory: {folder}/registry}}}}
http: {{addr: "{address}"}}
"""


class SecondEngine:
    """The engine; `folder` has all that it writes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.network = unused_network()
        self.host = f"{self.network}.2"
        self.url = f"ssh://root@{self.host}"
        self.daemon: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Make the keys and settings of ssh."""
        for name in ("key", "host_key"):
            line = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / name)]
            subprocess.run(line, check=True)
        (self.folder / "sshd_config").write_text(SSHD.format(folder=self.folder, there=self.host))
        (self.folder / "ssh_config").write_text(SSH.format(folder=self.folder))
        (self.folder / "bin").mkdir()
        wrapper = self.folder / "bin/ssh"
        wrapper.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {self.folder}/ssh_config "$@"\n')
        wrapper.chmod(0o755)

    @property
    def path(self) -> str:
        """A PATH by which ssh gets there."""
        return f"{self.folder / 'bin'}:{os.environ['PATH']}"

    def start(self) -> None:
        """Make its network, start sshd and the engine, and wait until it answers."""
        subprocess.run(["sh", "-ec", NETWORK.format(network=self.network)], check=True)
        script = f"""
mount -t tmpfs tmpfs /run
mkdir /run/sshd
# What the shell of this machine's root does when it starts is not to be done there.
mount -t tmpfs tmpfs ~root
/usr/sbin/sshd -f {self.folder}/sshd_config
# No name server is to be reached there, and one that refuses at once does not keep anybody waiting.
options="--data-root {self.folder}/data --exec-root {self.folder}/run --pidfile {self.folder}/pid"
exec dockerd --dns {self.host} $options
"""
        with (self.folder / "log").open("a") as log:
            self.daemon = subprocess.Popen(
                ["nsenter", f"--net=/run/netns/{NAME}", "unshare", "--mount", "sh", "-ec", script],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(self.answers, "the second engine to answer")

    @contextmanager
    def registry(self, address: str) -> Iterator[None]:
        """Serve a registry at `address`, which is on the loopback interface, on both machines."""
        if not shutil.which("docker-registry"):
            cannot_run("there is no docker-registry")
        settings = self.folder / "registry.yml"
        settings.write_text(REGISTRY.format(folder=self.folder, address=address))
        where: tuple[list[str], ...] = ([], ["nsenter", f"--net=/run/netns/{NAME}"])
        command = ["docker-registry", "serve", str(settings)]
        with (self.folder / "log").open("a") as log:
            both = [subprocess.Popen([*prefix, *command], stdout=log, stderr=log) for prefix in where]
        try:
            wait_until(lambda: all(opens(address, prefix) for prefix in where), "the registry to answer")
            yield
        finally:
            for process in both:
                process.terminate()
                process.wait()

    def answers(self) -> bool:
        """Tell whether the engine answers by ssh; one that has ended never will."""
        if self.daemon and self.daemon.poll() is not None:
            pytest.fail(f"the second engine ended: {(self.folder / 'log').read_text()[-2000:]}")
        environment = os.environ | {"PATH": self.path, "DOCKER_HOST": self.url}
        return not subprocess.run(["docker", "info"], env=environment, capture_output=True).returncode

    def processes(self) -> list[psutil.Process]:
        """Return sshd, the engine, and all that it has started, containers included."""
        network = Path(f"/run/netns/{NAME}")
        namespace = network.stat().st_ino if network.exists() else 0
        found = {p.pid: p for p in psutil.process_iter() if is_of(p, namespace, str(self.folder))}
        for process in list(found.values()):
            with suppress(psutil.NoSuchProcess):
                found |= {child.pid: child for child in process.children(recursive=True)}
        return list(found.values())

    def cut_power(self) -> None:
        """End all of it from one moment to the next; what was on its disk stays, and nothing else."""
        for _ in range(2):  # what was started meanwhile included
            for process in self.processes():
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGKILL)
        if self.daemon:
            self.daemon.wait()
        wait_until(lambda: not self.processes(), "the second engine to end")
        for what in (["netns", "delete", NAME], ["link", "delete", f"{NAME}a"]):
            subprocess.run(["ip", *what], capture_output=True)
        for mount in sorted(mounts(self.folder), reverse=True):
            subprocess.run(["umount", "--lazy", mount], capture_output=True)
        shutil.rmtree(self.folder / "run", ignore_errors=True)
        for name in ("pid", "control"):
            (self.folder / name).unlink(missing_ok=True)

    def remove(self) -> None:
        """Leave nothing of it."""
        self.cut_power()
        shutil.rmtree(self.folder, ignore_errors=True)


def unused_network() -> str:
    """Return the first three numbers of a network of which this machine has no address yet.

    A run that was cut off leaves its own, by which no other would be reached.
    """
    taken = subprocess.run(["ip", "-brief", "address"], capture_output=True, text=True, check=True).stdout
    return next(n for n in (f"10.213.{number}" for number in range(256)) if f" {n}." not in taken)


def opens(address: str, prefix: list[str]) -> bool:
    """Tell whether somebody listens at an address, as a command with this prefix finds."""
    command = ["bash", "-c", f": </dev/tcp/{address.replace(':', '/')}"]
    return not subprocess.run([*prefix, *command], stderr=subprocess.DEVNULL).returncode


def is_of(process: psutil.Process, namespace: int, folder: str) -> bool:
    """Tell whether a process is in the network namespace, or works for the engine in `folder`."""
    try:
        inside = Path(f"/proc/{process.pid}/ns/net").stat().st_ino == namespace
        return inside or any(
            folder in word for word in process.cmdline() if "pytest" not in process.cmdline()
        )
    except (OSError, psutil.Error):
        return False


def mounts(folder: Path) -> list[str]:
    """Return what is mounted below a folder."""
    lines = Path("/proc/mounts").read_text().splitlines()
    return [line.split()[1] for line in lines if line.split()[1].startswith(f"{folder}/")]


@contextmanager
def second_engine(folder: Path) -> Iterator[SecondEngine]:
    """Start a second engine, of which nothing stays."""
    for program in ("dockerd", "ip", "nsenter", "ssh", "/usr/sbin/sshd"):
        if not shutil.which(program):
            cannot_run(f"there is no {program}")
    engine = SecondEngine(folder)
    try:
        engine.prepare()
        engine.start()
        yield engine
    finally:
        engine.remove()
