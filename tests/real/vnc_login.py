"""Log in to a VNC server with a password and ask for the screen; exit code 0 when it lets us in.

For the inside of a virtual host: `vnc_login.py PORT PASSWORD`. Source: RFC 6143, sections 7.1 and 7.2.2.
"""

import socket
import subprocess
import sys


def encrypted(challenge: bytes, password: str) -> bytes:
    """DES of the challenge; VNC turns the bits of each byte of the key around."""
    key = bytes(int(f"{byte:08b}"[::-1], 2) for byte in password.encode()[:8].ljust(8, b"\0"))
    # DES-EDE with three equal keys is DES, and openssl still has it without its legacy provider.
    command = ["openssl", "enc", "-des-ede3-ecb", "-nopad", "-nosalt", "-K", (key * 3).hex()]
    return subprocess.run(command, input=challenge, capture_output=True, timeout=10, check=True).stdout


def take(server: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = server.recv(size - len(data))
        if not more:
            sys.exit("the server closed the connection")
        data += more
    return data


def main() -> None:
    with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=10) as server:
        server.sendall(take(server, 12))
        kinds = take(server, take(server, 1)[0])
        if 2 not in kinds:
            sys.exit(f"no VNC authentication among {list(kinds)}")
        server.sendall(b"\x02")
        server.sendall(encrypted(take(server, 16), sys.argv[2]))
        if take(server, 4) != b"\0\0\0\0":
            sys.exit("refused")
        server.sendall(b"\x01")
        take(server, 24)


main()
