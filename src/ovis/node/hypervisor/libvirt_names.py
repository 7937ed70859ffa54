"""libvirt's numbers as words, taken from the constants of the binding in use."""

import libvirt

from ovis.node.hypervisor.states import DomainState

STATES = {
    libvirt.VIR_DOMAIN_NOSTATE: DomainState.UNKNOWN,
    libvirt.VIR_DOMAIN_RUNNING: DomainState.RUNNING,
    libvirt.VIR_DOMAIN_BLOCKED: DomainState.BLOCKED,
    libvirt.VIR_DOMAIN_PAUSED: DomainState.PAUSED,
    libvirt.VIR_DOMAIN_SHUTDOWN: DomainState.SHUTTING_DOWN,
    libvirt.VIR_DOMAIN_SHUTOFF: DomainState.SHUT_OFF,
    libvirt.VIR_DOMAIN_CRASHED: DomainState.CRASHED,
    libvirt.VIR_DOMAIN_PMSUSPENDED: DomainState.SUSPENDED,
}


def words(prefix: str, only: tuple[str, ...] = ()) -> dict[int, str]:
    """{number: word} of every constant that begins with `prefix`, or of the words in `only` (upper case)."""
    found = {
        name.removeprefix(prefix): value
        for name, value in vars(libvirt).items()
        if name.startswith(prefix) and isinstance(value, int)
    }
    return {value: word.lower() for word, value in found.items() if not only or word in only}


_REASONS = {
    DomainState.RUNNING: words("VIR_DOMAIN_RUNNING_"),
    DomainState.PAUSED: words("VIR_DOMAIN_PAUSED_"),
    # The same prefix names the flags of the shutdown call.
    DomainState.SHUTTING_DOWN: words("VIR_DOMAIN_SHUTDOWN_", only=("UNKNOWN", "USER")),
    DomainState.SHUT_OFF: words("VIR_DOMAIN_SHUTOFF_"),
    DomainState.CRASHED: words("VIR_DOMAIN_CRASHED_"),
}


def state(number: int) -> DomainState:
    return STATES.get(number, DomainState.UNKNOWN)


def reason(of: DomainState, number: int) -> str:
    return _REASONS.get(of, {}).get(number, "unknown")
