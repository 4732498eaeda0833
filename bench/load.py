"""A lean HTTP client: many keep-alive connections in one thread, requests prepared beforehand.

python -m bench.load HOST PORT CONNECTIONS < requests   (length-prefixed; prints seconds and failures)
"""

from __future__ import annotations

import selectors
import socket
import struct
import sys
import time


def main() -> None:
    host, port, connections = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    raw = sys.stdin.buffer.read()
    bodies, at = [], 0
    while at < len(raw):
        (length,) = struct.unpack_from("!I", raw, at)
        bodies.append(raw[at + 4 : at + 4 + length])
        at += 4 + length
    head = f"POST /api/v1/lineage HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\nContent-Length: "
    requests = [f"{head}{len(body)}\r\n\r\n".encode() + body for body in bodies]
    print(*_drive(host, port, connections, requests))


def _drive(host: str, port: int, connections: int, requests: list[bytes]) -> tuple[float, int]:
    selector = selectors.DefaultSelector()
    waiting = iter(requests)
    held: dict[socket.socket, bytes] = {}
    failed = done = 0
    started = time.perf_counter()
    for _ in range(connections):
        sock = socket.create_connection((host, port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(sock, selectors.EVENT_READ)
        first = next(waiting, None)
        if first is not None:
            sock.sendall(first)
    while done < len(requests):
        for key, _ in selector.select():
            assert isinstance(key.fileobj, socket.socket)
            sock = key.fileobj
            part = sock.recv(65536)
            if not part:
                raise SystemExit("the server closed a connection")
            answer = held.pop(sock, b"") + part
            if not _is_whole(answer):
                held[sock] = answer
                continue
            failed += not answer.startswith((b"HTTP/1.1 201", b"HTTP/1.1 200"))
            done += 1
            following = next(waiting, None)
            if following is not None:
                sock.sendall(following)
    return time.perf_counter() - started, failed


def _is_whole(answer: bytes) -> bool:
    head, gap, body = answer.partition(b"\r\n\r\n")
    if not gap:
        return False
    (length,) = (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return len(body) >= length


if __name__ == "__main__":
    main()
