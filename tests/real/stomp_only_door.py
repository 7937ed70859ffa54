"""A door to an agent that opens for STOMP only, as existing agents have it: TLS outside, the agent's socket inside.

stomp_only_door.py ADDRESS PORT SOCKET CERTIFICATE KEY CA
"""

import asyncio
import ssl
import sys

FIRST = (b"CONNECT\n", b"STOMP\n", b"SEND\n", b"SUBSCRIBE\n")
LOOKED_AT = 11


async def main(address: str, port: str, path: str, certificate: str, key: str, authority: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(authority)
    context.verify_mode = ssl.CERT_REQUIRED

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            first = await reader.readexactly(LOOKED_AT)
            if not any(first.startswith(word[:LOOKED_AT]) for word in FIRST):
                return
            agent_reader, agent_writer = await asyncio.open_unix_connection(path)
            agent_writer.write(first)
            await asyncio.gather(copy(reader, agent_writer), copy(agent_reader, writer))
        except (OSError, EOFError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, address, int(port), ssl=context)
    print("ready", flush=True)
    async with server:
        await server.serve_forever()


async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(1 << 16):
        sink.write(data)
        await sink.drain()
    sink.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
