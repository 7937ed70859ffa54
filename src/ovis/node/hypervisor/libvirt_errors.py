"""From libvirt's error numbers to the errors of `errors`. Numbers only: its texts follow the daemon's language."""

import libvirt

from ovis.node.hypervisor.domain_xml import identity
from ovis.node.hypervisor.errors import (
    AgentError,
    AgentUnavailable,
    BadDomainXml,
    DomainBusy,
    DomainExists,
    DomainNotFound,
    HypervisorError,
    HypervisorLost,
    OperationFailed,
    OperationRefused,
    StartFailed,
)

BAD_XML = {
    libvirt.VIR_ERR_XML_ERROR,
    libvirt.VIR_ERR_XML_DETAIL,
    libvirt.VIR_ERR_XML_INVALID_SCHEMA,
    libvirt.VIR_ERR_CONFIG_UNSUPPORTED,
    libvirt.VIR_ERR_INVALID_ARG,
    libvirt.VIR_ERR_OS_TYPE,
    libvirt.VIR_ERR_NO_NAME,
    libvirt.VIR_ERR_NO_OS,
    libvirt.VIR_ERR_NO_KERNEL,
    libvirt.VIR_ERR_NO_ROOT,
    libvirt.VIR_ERR_NO_SOURCE,
    libvirt.VIR_ERR_NO_TARGET,
}
MAY_EXIST = {libvirt.VIR_ERR_OPERATION_INVALID, libvirt.VIR_ERR_OPERATION_FAILED, libvirt.VIR_ERR_DOM_EXIST}
REFUSED = {
    libvirt.VIR_ERR_OPERATION_INVALID,
    libvirt.VIR_ERR_OPERATION_UNSUPPORTED,
    libvirt.VIR_ERR_OPERATION_DENIED,
    libvirt.VIR_ERR_ACCESS_DENIED,
    libvirt.VIR_ERR_NO_SUPPORT,
    libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED,
    libvirt.VIR_ERR_CONFIG_UNSUPPORTED,
    libvirt.VIR_ERR_INVALID_ARG,
    libvirt.VIR_ERR_XML_ERROR,
    libvirt.VIR_ERR_XML_DETAIL,
}
BUSY = {libvirt.VIR_ERR_OPERATION_TIMEOUT, libvirt.VIR_ERR_RESOURCE_BUSY}


def is_lost(connection: libvirt.virConnect) -> bool:
    """Asks the client's side of the socket: no call is made."""
    try:
        return not connection.isAlive()
    except libvirt.libvirtError:
        return True


def translate(error: libvirt.libvirtError, domain_id: str | None) -> HypervisorError:
    code = error.get_error_code()
    message = error.get_error_message() or str(error)
    if code == libvirt.VIR_ERR_NO_DOMAIN:
        return DomainNotFound(domain_id or message)
    if code == libvirt.VIR_ERR_AGENT_UNRESPONSIVE:
        return AgentUnavailable(domain_id or "", message)
    if code in BUSY:
        return DomainBusy(domain_id or "", message)
    if code in REFUSED:
        return OperationRefused(message)
    if code == libvirt.VIR_ERR_INVALID_CONN:
        return HypervisorLost(message)
    return OperationFailed(message, code)


def translate_agent(error: libvirt.libvirtError, domain_id: str) -> HypervisorError:
    """An error of the agent itself arrives under a general number, so the rest of the numbers is ruled out first."""
    plain = translate(error, domain_id)
    match plain:
        case OperationRefused(message=message):  # no channel in the domain XML, or the domain does not run
            return AgentUnavailable(domain_id, message)
        case OperationFailed(message=message):
            return AgentError(domain_id, message)
        case _:
            return plain


def translate_create(error: libvirt.libvirtError, connection: libvirt.virConnect, xml: str) -> HypervisorError:
    """Blocks: looks whether the id or the name is taken, because libvirt has no number of its own for that."""
    code = error.get_error_code()
    message = error.get_error_message() or str(error)
    if code in MAY_EXIST and (taken := _taken(connection, xml)):
        return DomainExists(taken)
    # The parser calls a malformed uuid an internal error, as QEMU's driver does a failed start.
    in_parser = code == libvirt.VIR_ERR_INTERNAL_ERROR and error.get_error_domain() == libvirt.VIR_FROM_DOMAIN
    if code in BAD_XML or in_parser:
        return BadDomainXml(message)
    return StartFailed(message)


def _taken(connection: libvirt.virConnect, xml: str) -> str | None:
    who = identity(xml)
    for name, lookup in ((who.id, connection.lookupByUUIDString), (who.name, connection.lookupByName)):
        try:
            if name and lookup(name):
                return name
        except libvirt.libvirtError:
            continue
    return None
