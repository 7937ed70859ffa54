"""Hosts with the real agent and sanlock, their storage on the NFS server of a third bed.

network "main":   the test ── agents          always there
network "data":   NFS                         the one that tests cut
"""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from deploy.bed import project
from deploy.bed.hosts import Hosts
from deploy.bed.line import Job
from deploy.bed.machine import Bed
from ovis.wire.blocking import BlockingConnection
from ovis.wire.errors import RpcError, WireError
from ovis.wire.target import TcpTarget

MAIN, DATA = "main", "data"
CUT = 1
PORT = 54322
EXPORT = "/srv/pool"
POOL = "5849b030-626e-47cb-ad90-3ce782d831b3"
START_SECONDS = 120.0
PATIENCE = 180.0
CONFIG = """
[listen]
address = ""
plain_address = "0.0.0.0"
plain_port = {port}
[hypervisor]
uri = "simulated:"
[storage]
group = {group}
sanlock_io_seconds = 2
retry_seconds = 1
io_seconds = 10
nfs_options = ["soft", "timeo=10", "retrans=1"]
"""


class StorageHost:
    def __init__(self, beds: Hosts, bed: Bed, number: int) -> None:
        self.beds, self.bed, self.number = beds, bed, number
        self._agent: Job | None = None
        group = bed.shell("getent group sanlock").split(":")[2]
        bed.shell("cat > /etc/ovisd.toml << 'END'\n" + CONFIG.format(port=PORT, group=group) + "END")

    def start(self) -> None:
        """Returns when the agent answers."""
        program = project.PYTHON.with_name("ovisd")
        script = f"exec {program} --config /etc/ovisd.toml >> /var/log/ovisd.log 2>&1"
        self._agent = self.bed.begin(["sh", "-c", script])
        self.until("its agent answers", lambda: self.call("Host.ping"))

    def kill(self) -> None:
        """kill -9 of the agent."""
        self.bed.shell("pkill -KILL -x ovisd || kill -KILL $(pgrep -f bin/ovisd)", check=False)

    def call(self, method: str, *, seconds: float = 120, **params: Any) -> Any:
        address = str(self.beds.address(self.bed.name))
        with self.beds.switch.entered():
            connection = BlockingConnection.open(TcpTarget(address, PORT))
        try:
            return msgspec.json.decode(bytes(connection.call(method, msgspec.json.encode(params), timeout=seconds)))
        finally:
            connection.close()

    def until(self, what: str, condition: Any, *, patience: float = PATIENCE) -> Any:
        end = time.monotonic() + patience
        trouble: object = None
        while time.monotonic() < end:
            try:
                if found := condition():
                    return found
            except (RpcError, WireError) as error:
                trouble = error
            time.sleep(0.2)
        raise AssertionError(f"{self.bed.name}: not in time: {what}; last: {trouble}\n{self.log()}")

    def log(self) -> str:
        if not self.bed.is_up:
            return self.bed.console(40)
        return self.bed.run(["tail", "-n", "60", "/var/log/ovisd.log"], check=False).out

    # A pool

    def connect_server(self) -> None:
        source = f"{self.beds.address('server', DATA)}:{EXPORT}"
        server = {"connection": source, "id": str(uuid.uuid4()), "protocol_version": "4.2"}

        def connected() -> bool:
            [status] = self.call(
                "StoragePool.connectStorageServer", domainType=1, connectionParams=[server], seconds=30
            )
            return bool(status["status"] == 0)

        self.until("the server is connected", connected)

    def make_domain(self) -> str:
        domain, source = str(uuid.uuid4()), f"{self.beds.address('server', DATA)}:{EXPORT}"
        new = {"name": "shared", "domainClass": 1, "version": "5"}
        self.call("StorageDomain.create", storagedomainID=domain, domainType=1, typeArgs=source, **new)
        return domain

    def join(self, master: str) -> None:
        where = {"storagepoolID": POOL, "hostID": self.number, "masterSdUUID": master, "masterVersion": 1}
        self.call("StoragePool.connect", **where)

    def start_spm(self) -> str:
        return str(self.call("StoragePool.spmStart", storagepoolID=POOL, prevID=-1, prevLver="-1"))

    def make_pool(self, master: str) -> None:
        where = {"masterSdUUID": master, "masterVersion": 1, "domainList": [master]}
        self.call("StoragePool.create", storagepoolID=POOL, name="shared", **where)

    def lead(self) -> None:
        """Become SPM, as soon as that is possible."""
        self.until("it is SPM", lambda: self.ended(self.start_spm())[0] == "success")

    def done(self, method: str, **params: Any) -> None:
        """A verb of the SPM that starts a task, to its good end."""
        result = self.ended(self.call(method, storagepoolID=POOL, **params))
        assert result[:2] == ("success", 0), (method, params, result, self.log())

    def job_ended(self, method: str, **params: Any) -> tuple[str, Any]:
        """A job of this host: its end, and its error."""
        job_id = str(uuid.uuid4())
        self.call(method, job_id=job_id, **params)

        def over() -> Any:
            job = self.call("Host.getJobs", job_ids=[job_id]).get(job_id)
            return job if job is not None and job["status"] in ("done", "failed", "aborted") else None

        job = self.until("the job ends", over)
        return job["status"], job.get("error")

    def ended(self, task: str) -> tuple[str, int, str]:
        def status() -> Any:
            found = self.call("Task.getStatus", taskID=task)
            return found if found["taskState"] == "finished" else None

        found = self.until("the task ends", status)
        self.call("Task.clear", taskID=task)
        return found["taskResult"], found["code"], found["message"]

    def role(self) -> str:
        return str(self.spm()["spmStatus"])

    def spm(self) -> dict[str, Any]:
        status: dict[str, Any] = self.call("StoragePool.getSpmStatus", storagepoolID=POOL)
        return status


@contextmanager
def storage_hosts(beds: Hosts) -> Iterator[list[StorageHost]]:
    for name in ("server", "one", "two"):
        beds.address(name)
        beds.address(name, DATA)
    server = beds.start("server", networks=(MAIN, DATA), services=("udev", "nfs"), memory_mib=512)
    server.shell(f"mkdir -p {EXPORT}; chown 36:36 {EXPORT}")
    server.shell(f"exportfs -i -o rw,sync,no_subtree_check,no_root_squash '*:{EXPORT}'")

    hosts = []
    for number, name in ((1, "one"), (2, "two")):
        bed = beds.start(name, networks=(MAIN, DATA), services=("udev", "sanlock"), memory_mib=1024)
        hosts.append(StorageHost(beds, bed, number))
    for host in hosts:
        host.start()
    yield hosts
