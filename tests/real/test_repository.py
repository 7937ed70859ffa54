"""`ovis node storage` and `ovis node image` as a person uses them: a real agent, a real image transfer daemon."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from deploy.image_daemon.daemon import ImageDaemon, image_daemon
from deploy.image_daemon.install import is_installed
from ovis.wire import certificates
from tests.real.agent_process import AgentProcess

SIZE = 48 << 20
SECONDS = 120


@dataclass
class Repository:
    agent: AgentProcess
    daemon: ImageDaemon
    folder: Path

    def run(self, *words: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        environment = {**os.environ, "OVIS_SOCKET": str(self.agent.socket), "OVIS_PKI": str(self.folder / "pki")}
        return subprocess.run(
            [sys.executable, "-m", "ovis.shell", "node", *words],
            env=environment, input=stdin, capture_output=True, timeout=SECONDS, check=False,
        )  # fmt: skip

    def said(self, *words: str, stdin: bytes | None = None) -> Any:
        done = self.run(*words, stdin=stdin)
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)

    def refused(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode != 0
        return done.stderr.decode()

    @property
    def data(self) -> tuple[str, str]:
        return "--data-socket", str(self.daemon.local)

    @property
    def tls(self) -> tuple[str, str]:
        return "--data-port", str(self.daemon.port)


@pytest.fixture(scope="module")
def repository() -> Iterator[Repository]:
    if not is_installed():
        pytest.skip("ovirt-imageio is not in build/image-daemon: make setup installs it")
    with TemporaryDirectory(prefix="repo-") as name:
        folder = Path(name)
        certificates.ensure(folder / "pki", names=[])
        (folder / "disks").mkdir()
        configuration = folder / "ovisd.toml"
        configuration.write_text(
            f"""
run_folder = "{folder}/run"
state_folder = "{folder}/state"
[listen]
address = ""
[hypervisor]
uri = "simulated:"
[vms]
allowed_paths = ["{folder}"]
[storage]
root = "{folder}/dc"
run_folder = "{folder}/run/use"
user = {os.geteuid()}
group = {os.getegid()}
image_daemon_socket = "{folder}/daemon/control"
"""
        )
        agent = AgentProcess(folder, configuration)
        with image_daemon(folder / "daemon", folder / "pki") as daemon:
            agent.start()
            try:
                found = Repository(agent, daemon, folder)
                found.said("storage", "create", "local", str(folder / "disks"), "--name", "store")
                yield found
            finally:
                agent.stop()


@pytest.fixture(scope="module")
def disk(repository: Repository) -> Path:
    path = repository.folder / "disk.raw"
    with path.open("wb") as file:
        file.truncate(SIZE)
        for start in range(0, SIZE, 16 << 20):
            file.seek(start)
            file.write(os.urandom(3 << 20))
    return path


def same(one: Path, other: Path) -> bool:
    return subprocess.run(["qemu-img", "compare", "-q", one, other], check=False).returncode == 0


def test_disk_goes_in_and_comes_out_bit_by_bit(repository: Repository, disk: Path) -> None:
    made = repository.said("image", "upload", str(disk), *repository.data, "--verify")
    (known,) = [found for found in repository.said("image", "list") if found["image"] == made["image"]]
    assert (known["capacity"], known["format"], known["description"]) == (SIZE, "RAW", "disk.raw")
    for form in ("raw", "qcow2"):
        back = repository.folder / f"back.{form}"
        repository.said(
            "image", "download", made["image"][:8], str(back), "--format", form, *repository.tls, "--verify"
        )
        assert same(disk, back)
    assert "exists already" in repository.refused("image", "download", made["image"], str(back), *repository.data)
    repository.said("image", "remove", made["image"])
    assert made["image"] not in str(repository.said("image", "list"))
    assert "0 images" in repository.refused("image", "remove", made["image"])


def test_qcow2_volume_holds_the_disk_of_any_format(repository: Repository, disk: Path) -> None:
    foreign = repository.folder / "disk.vmdk"
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "vmdk", disk, foreign], check=True)
    made = repository.said("image", "upload", str(foreign), *repository.data, "--verify")
    (known,) = [found for found in repository.said("image", "list") if found["image"] == made["image"]]
    assert (known["capacity"], known["format"]) == (SIZE, "COW")
    back = repository.folder / "from-vmdk.raw"
    repository.said("image", "download", made["image"], str(back), "--format", "raw", *repository.data)
    assert same(disk, back)
    repository.said("image", "remove", made["image"])


def test_disk_comes_through_a_pipe(repository: Repository, disk: Path) -> None:
    data = disk.read_bytes()
    made = repository.said("image", "upload", "-", "--size", str(SIZE), *repository.data, stdin=data)
    (path,) = (repository.folder / "disks").glob(f"*/images/{made['image']}/{made['volume']}")
    assert path.read_bytes() == data
    repository.said("image", "remove", made["image"])
    before = repository.said("image", "list")
    short = repository.run("image", "upload", "-", "--size", str(SIZE), *repository.data, stdin=data[:-1])
    assert short.returncode != 0
    assert b"were announced" in short.stderr
    assert repository.said("image", "list") == before


def test_killed_upload_goes_on(repository: Repository, disk: Path) -> None:
    journal = repository.folder / "journal"
    environment = {**os.environ, "OVIS_SOCKET": str(repository.agent.socket)}
    words = ["image", "upload", str(disk), "--resume", str(journal), *repository.data]
    process = subprocess.Popen(
        [sys.executable, "-m", "ovis.shell", "node", *words], env=environment, stderr=subprocess.DEVNULL
    )
    until = time.monotonic() + SECONDS
    while not journal.exists() and time.monotonic() < until:
        time.sleep(0.005)
    process.kill()
    process.wait()
    made = repository.said(*words)
    assert not journal.exists()
    (path,) = (repository.folder / "disks").glob(f"*/images/{made['image']}/{made['volume']}")
    assert same(disk, path)
    assert len([known for known in repository.said("image", "list") if known["description"] == "disk.raw"]) == 1
    repository.said("image", "remove", made["image"])


def test_an_upload_whose_agent_is_killed_goes_on(repository: Repository, disk: Path) -> None:
    journal = repository.folder / "journal"
    environment = {**os.environ, "OVIS_SOCKET": str(repository.agent.socket)}
    words = ["image", "upload", str(disk), "--resume", str(journal), *repository.data]
    process = subprocess.Popen(
        [sys.executable, "-m", "ovis.shell", "node", *words], env=environment, stderr=subprocess.DEVNULL
    )
    until = time.monotonic() + SECONDS
    while not journal.exists() and time.monotonic() < until:
        time.sleep(0.005)
    repository.agent.kill()
    assert process.wait(SECONDS) != 0
    repository.agent.start()
    repository.said("storage", "open", "local", str(repository.folder / "disks"))
    made = repository.said(*words)
    assert not journal.exists()
    (path,) = (repository.folder / "disks").glob(f"*/images/{made['image']}/{made['volume']}")
    assert same(disk, path)
    assert len([known for known in repository.said("image", "list") if known["description"] == "disk.raw"]) == 1
    repository.said("image", "remove", made["image"])


class UnixHttp(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


def test_archive_of_descriptions_goes_up_and_down_over_http(repository: Repository, disk: Path) -> None:
    made = repository.said("image", "upload", str(disk), *repository.data)
    (row,) = repository.said("storage", "list")
    ids = {"Storage-Pool-Id": row["pool"], "Storage-Domain-Id": row["domain"], "Image-Id": made["image"]}

    def ask(method: str, body: bytes | None = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        connection = UnixHttp(repository.agent.socket)
        connection.request(method, "/any", body=body, headers={**ids, **headers})
        response = connection.getresponse()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()

    data = os.urandom(20480)
    status, headers, _ = ask("PUT", data)
    assert status == 200
    assert len(headers["task-id"]) == 36
    status, headers, got = ask("GET", Range="bytes=0-20479")
    assert (status, got, headers["content-range"]) == (206, data, "bytes 0-20479")
    assert ask("GET")[0] == 400
    assert ask("GET", Range="bytes=5-10")[0] == 400
    assert ask("PUT", data, **{"Image-Id": "nonsense"})[0] == 400
    status, _, answer = ask("PUT", data, **{"Image-Id": row["pool"]})
    assert (status, json.loads(answer)["status"]["code"]) == (500, 268)
    assert ask("PUT", bytes(SIZE + 1))[0] == 500
    repository.said("image", "remove", made["image"])


def test_repository_is_closed_and_opened_and_survives_the_agent(repository: Repository, disk: Path) -> None:
    made = repository.said("image", "upload", str(disk), *repository.data)
    repository.said("storage", "close")
    assert repository.said("storage", "list") == []
    assert "No storage is open" in repository.refused("image", "list")
    repository.said("storage", "open", "local", str(repository.folder / "disks"))
    (row,) = repository.said("storage", "list")
    assert (row["name"], row["status"], row["manager"]) == ("store", "Active", True)
    repository.agent.kill()
    repository.agent.start()
    repository.said("storage", "open", "local", str(repository.folder / "disks"))
    assert made["image"] in str(repository.said("image", "list"))
    repository.said("image", "remove", made["image"])


def test_what_is_no_repository_is_said(repository: Repository, tmp_path: Path) -> None:
    assert "no repository" in repository.refused("storage", "open", "local", str(tmp_path))
    assert "cannot be connected" in repository.refused("storage", "open", "local", str(tmp_path / "missing"))
    (tmp_path / "layer").touch()
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", tmp_path / "base", "1M"], check=True)
    backing = ["-b", str(tmp_path / "base"), "-F", "qcow2"]
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *backing, tmp_path / "layer"], check=True)
    assert "builds on" in repository.refused("image", "upload", str(tmp_path / "layer"), *repository.data)
