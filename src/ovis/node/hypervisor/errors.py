"""What can go wrong below the agent's VM code.

    HypervisorError
    ├── HypervisorLost        libvirt is away: the call did not end, or was not tried
    ├── DeadlineExceeded      the answer did not come in time
    ├── ThreadsExhausted      every thread that could do it is stuck or taken; not tried
    ├── NotResponding         an earlier call to this VM is still stuck; not tried
    ├── DomainNotFound
    ├── DomainExists
    ├── BadDomainXml          libvirt or QEMU does not accept the description; nothing was started
    ├── StartFailed           the description was accepted, the start failed; nothing is left running
    ├── DomainBusy            another operation holds the VM; nothing was changed
    ├── OperationRefused      not in this state, or not supported; nothing was changed
    ├── OperationFailed       tried and failed; read the state again
    ├── CheckpointBroken      a bitmap of the checkpoint is missing in a disk, or cannot be used; nothing was changed
    ├── AgentUnavailable      no guest agent channel, or nobody answers on it
    └── AgentError            the guest agent answered with an error

After `DeadlineExceeded` with `started=True`, and after a `HypervisorLost` that ended a running call, the state is
unknown: read it again. A thread inside libvirt cannot be cancelled, so the operation may still happen later.
"""


class HypervisorError(Exception):
    """Root of the tree. Each class makes its text in one place: its constructor."""


class HypervisorLost(HypervisorError):
    def __init__(self, reason: str) -> None:
        super().__init__(f"no connection to libvirt: {reason}")
        self.reason = reason


class DeadlineExceeded(HypervisorError):
    """`started` is False when the call was still waiting for a thread: then nothing was done."""

    def __init__(self, call: str, seconds: float, *, started: bool, domain_id: str | None = None) -> None:
        what = f"{call} of {domain_id}" if domain_id else call
        end = "its outcome is unknown" if started else "it was never started"
        super().__init__(f"{what} did not end within {seconds:g} s; {end}")
        self.call = call
        self.seconds = seconds
        self.started = started
        self.domain_id = domain_id


class ThreadsExhausted(HypervisorError):
    def __init__(self, pool: str, *, threads: int, lost: int, waiting: int) -> None:
        super().__init__(f"no thread left for {pool} calls: {lost} of {threads} are stuck, {waiting} calls wait")
        self.pool = pool
        self.threads = threads
        self.lost = lost
        self.waiting = waiting


class NotResponding(HypervisorError):
    def __init__(self, domain_id: str, stuck: int) -> None:
        super().__init__(f"{domain_id} does not respond: {stuck} earlier calls to it are still stuck")
        self.domain_id = domain_id
        self.stuck = stuck


class DomainNotFound(HypervisorError):
    def __init__(self, domain_id: str) -> None:
        super().__init__(f"no running domain {domain_id}")
        self.domain_id = domain_id


class DomainExists(HypervisorError):
    """`domain` is the id or the name that is taken."""

    def __init__(self, domain: str) -> None:
        super().__init__(f"a domain {domain} exists already")
        self.domain = domain


class BadDomainXml(HypervisorError):
    def __init__(self, message: str) -> None:
        super().__init__(f"domain XML refused: {message}")
        self.message = message


class StartFailed(HypervisorError):
    def __init__(self, message: str) -> None:
        super().__init__(f"start failed: {message}")
        self.message = message


class DomainBusy(HypervisorError):
    def __init__(self, domain_id: str, message: str) -> None:
        super().__init__(f"{domain_id} is held by another operation: {message}")
        self.domain_id = domain_id
        self.message = message


class OperationRefused(HypervisorError):
    def __init__(self, message: str) -> None:
        super().__init__(f"refused: {message}")
        self.message = message


class OperationFailed(HypervisorError):
    """`code` is libvirt's error number, 0 when it did not come from libvirt."""

    def __init__(self, message: str, code: int = 0) -> None:
        super().__init__(f"failed: {message}")
        self.message = message
        self.code = code


class CheckpointBroken(HypervisorError):
    def __init__(self, message: str) -> None:
        super().__init__(f"the checkpoint cannot be used: {message}")
        self.message = message


class AgentUnavailable(HypervisorError):
    def __init__(self, domain_id: str, message: str) -> None:
        super().__init__(f"guest agent of {domain_id} is not available: {message}")
        self.domain_id = domain_id
        self.message = message


class AgentError(HypervisorError):
    def __init__(self, domain_id: str, message: str) -> None:
        super().__init__(f"guest agent of {domain_id}: {message}")
        self.domain_id = domain_id
        self.message = message
