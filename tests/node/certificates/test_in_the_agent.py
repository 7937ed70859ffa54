import asyncio
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ovis.node.config import Config, Host, Hypervisor, Listen, Tls
from ovis.node.daemon import serve
from ovis.wire import certificates
from ovis.wire.tls import client_context

WITHIN = 90.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


async def is_accepted(port: int, context: ssl.SSLContext) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    except (ssl.SSLCertVerificationError, OSError):
        return False
    writer.close()
    return True


def test_an_agent_that_was_off_for_years_is_reached_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(certificates, "_now", lambda: datetime.now(UTC) - timedelta(days=3 * 365))
        made = certificates.ensure(tmp_path / "pki", host_name="me")
    config = Config(
        run_folder=tmp_path / "run",
        state_folder=tmp_path / "state",
        listen=Listen(address="127.0.0.1", port=free_port()),
        tls=Tls(folder=tmp_path / "pki"),
        host=Host(id="3a2e5c1e-0000-4000-8000-000000000001"),
        hypervisor=Hypervisor(uri="simulated:", acceleration="tcg"),
    )

    async def main() -> None:
        stop = asyncio.Event()
        agent = asyncio.create_task(serve(config, stop))
        async with asyncio.timeout(WITHIN):
            while not await is_accepted(config.listen.port, client_context(made.admin)):
                assert not agent.done()
                await asyncio.sleep(0.05)
            stop.set()
            await agent

    asyncio.run(main())
