"""Log in to a SPICE server with a password, as far as the link stage goes; exit code 0 when it lets us in.

For the inside of a virtual host: `spice_login.py PORT PASSWORD [stay]`. With `stay` it says "in" and waits until the
server ends the connection. Source: The SPICE protocol, "Link stage": spice/protocol.h of spice-protocol.
"""

import socket
import struct
import subprocess
import sys
import tempfile

MAGIC, MAJOR, MINOR = b"REDQ", 2, 2
MAIN_CHANNEL = 1
CAN_SELECT, KNOWS_TICKETS, SHORT_HEADERS = 1 << 0, 1 << 1, 1 << 3
TICKET = 1
KEY_BYTES = 162
STAY_SECONDS = 60.0


def take(server: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = server.recv(size - len(data))
        if not more:
            sys.exit("the server closed the connection")
        data += more
    return data


def encrypted(password: str, key: bytes) -> bytes:
    """RSA with OAEP, of the text and a zero byte."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(key)
        file.flush()
        command = ["openssl", "pkeyutl", "-encrypt", "-pubin", "-keyform", "DER", "-inkey", file.name]
        command += ["-pkeyopt", "rsa_padding_mode:oaep"]
        text = password.encode() + b"\0"
        return subprocess.run(command, input=text, capture_output=True, timeout=10, check=True).stdout


def main() -> None:
    with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=10) as server:
        body = struct.pack("<IBBIII", 0, MAIN_CHANNEL, 0, 1, 0, 18)
        body += struct.pack("<I", CAN_SELECT | KNOWS_TICKETS | SHORT_HEADERS)
        server.sendall(MAGIC + struct.pack("<III", MAJOR, MINOR, len(body)) + body)
        magic, _, _, size = struct.unpack("<4sIII", take(server, 16))
        answer = take(server, size)
        (error,) = struct.unpack("<I", answer[:4])
        if magic != MAGIC or error:
            sys.exit(f"no link: {magic!r}, error {error}")
        server.sendall(struct.pack("<I", TICKET) + encrypted(sys.argv[2], answer[4 : 4 + KEY_BYTES]))
        (result,) = struct.unpack("<I", take(server, 4))
        if result:
            sys.exit(f"refused: {result}")
        if sys.argv[3:] == ["stay"]:
            print("in", flush=True)
            server.settimeout(STAY_SECONDS)
            while server.recv(4096):
                pass


main()
