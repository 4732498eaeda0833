"""Length-prefixed frames over a stream socket between processes of this program."""

from __future__ import annotations

import socket
import struct


def send(channel: socket.socket, frame: bytes) -> None:
    channel.sendall(struct.pack("!Q", len(frame)))
    channel.sendall(frame)


def receive(channel: socket.socket) -> bytes | None:
    """The next frame; None where the other end closed."""
    head = _exactly(channel, 8)
    return None if head is None else _exactly(channel, struct.unpack("!Q", head)[0])


def _exactly(channel: socket.socket, length: int) -> bytes | None:
    parts: list[bytes] = []
    while length:
        part = channel.recv(min(length, 1 << 20))
        if not part:
            return None
        parts.append(part)
        length -= len(part)
    return b"".join(parts)
