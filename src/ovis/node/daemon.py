"""The running agent: everything that lives while it serves, in the order in which it starts; it ends in the reverse.

lock of the run folder → hypervisor → node → bridge → listener (from here on calls are answered, those that need the
VMs with 99) → the node's own tasks, recovery first
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from ovis.client import node_schema
from ovis.node import storage_doors, systemd
from ovis.node.authorization import Authorization
from ovis.node.bridge import Bridge, CallLimits, Span, no_span
from ovis.node.certificates.keeper import keeper
from ovis.node.config import Config, ConfigError
from ovis.node.hypervisor.interface import Hypervisor
from ovis.node.instance import make_folder, only_instance
from ovis.node.node import Node
from ovis.node.observing import doors as observing
from ovis.node.registry import HANDLERS
from ovis.wire.endpoints import Endpoint, PlainEndpoint, TlsEndpoint, UnixEndpoint
from ovis.wire.limits import Limits
from ovis.wire.listener import Server

log = logging.getLogger(__name__)

STOP_GRACE_SECONDS = 1.0
"""For calls in flight when the agent is told to stop; with what follows it is gone in under 2 s."""


async def serve(config: Config, stop: asyncio.Event) -> None:
    """Serve until `stop` is set. On return no task, socket or libvirt callback is left behind; VMs run on."""
    make_folder(config.run_folder, "run_folder", mode=0o755)
    make_folder(config.state_folder, "state_folder", mode=0o700)
    with only_instance(config.run_folder, config.state_folder), _spans(config) as span:
        async with open_hypervisor(config) as hypervisor:
            node = Node(config, hypervisor)
            await node.establish_identity()  # cannot go on without one
            await node.hooks.run("before_vdsm_start")
            limits = CallLimits(in_all=config.limits.calls, per_connection=config.limits.calls_per_connection)
            bridge = Bridge(node, node_schema.load_calls(), HANDLERS, limits, span=span)
            async with Server(
                bridge,
                endpoints(config),
                Limits(message_bytes=config.limits.message_bytes, connections=config.limits.connections),
                authorize=Authorization(config.listen.socket_access),
                routes={**node.consoles.routes, **observing.routes(node), **storage_doors.routes(node)},
                tunnels=node.consoles.tunnels,
            ) as server:
                systemd.notify("READY=1")
                await _run_node(config, node, stop)
                systemd.notify("STOPPING=1")
                await server.stop(grace=STOP_GRACE_SECONDS)
            await node.hooks.run("after_vdsm_stop")
    log.info("stopped; VMs run on")


async def _run_node(config: Config, node: Node, stop: asyncio.Event) -> None:
    """Run the node's tasks until `stop`; a task that fails in an unforeseen way ends the agent, and systemd starts it
    again: VMs do not notice either."""
    async with asyncio.TaskGroup() as tasks:
        own = tasks.create_task(node.run(), name="node")
        period = systemd.watchdog_period()
        feeding = tasks.create_task(systemd.feed_watchdog(period), name="watchdog") if period else None
        keeping = None
        if config.listen.address:
            keeping = tasks.create_task(keeper(config.tls).run(), name="certificates")
        await stop.wait()
        own.cancel()
        if keeping:
            keeping.cancel()
        if feeding:
            feeding.cancel()


@contextmanager
def _spans(config: Config) -> Iterator[Span]:
    """What calls are traced with. Raises ConfigError."""
    endpoint = config.tracing.endpoint
    if not endpoint:
        yield no_span
        return
    try:
        from ovis.node.observing.tracing import Tracing
    except ImportError as error:
        raise ConfigError(f"tracing.endpoint: the extra `tracing` of Ovis is not installed: {error}") from error
    tracing = Tracing(endpoint, config.host.name or socket.gethostname())
    try:
        yield tracing.span
    finally:
        tracing.close()


@asynccontextmanager
async def open_hypervisor(config: Config) -> AsyncIterator[Hypervisor]:
    """libvirt at the configured URI, connected or still trying; or the simulated one for `simulated:`."""
    if config.hypervisor.uri.startswith("simulated:"):
        from ovis.node.hypervisor.simulated import SimulatedHypervisor

        simulated = SimulatedHypervisor()
        try:
            yield simulated
        finally:
            await simulated.close()
        return
    from ovis.node.hypervisor import libvirt_driver

    # Not waiting for libvirt: the agent answers at once, and tells that it is recovering.
    async with libvirt_driver.connect(config.hypervisor.uri, wait=0) as hypervisor:
        yield hypervisor


def endpoints(config: Config) -> list[Endpoint]:
    """Where to listen."""
    listen = config.listen
    found: list[Endpoint] = [UnixEndpoint(str(config.socket), mode=0o666 if listen.socket_access else 0o660)]
    if listen.address:
        found.append(TlsEndpoint(config.tls.files, listen.address, listen.port))
    if listen.plain_address:
        log.warning("plain TCP at %s: whoever reaches it may do everything", listen.plain_address)
        found.append(PlainEndpoint(listen.plain_address, listen.plain_port))
    return found
