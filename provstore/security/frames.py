"""Length-prefixed frames over a stream socket between processes of this program."""

from __future__ import annotations

import errno
import socket
import struct
import time


def send(channel: socket.socket, frame: bytes) -> None:
    """Send a frame; the channel's timeout, where it has one, bounds the whole of it."""
    channel.sendall(struct.pack("!Q", len(frame)) + frame)


def receive(channel: socket.socket, *, deadline: float | None = None, limit: int | None = None) -> bytes | None:
    """The next frame; None where the other end closed.

    `deadline` (of `time.monotonic`) bounds the whole frame, not each piece of it: TimeoutError. `limit` bounds what
    is held in memory for it: OSError (EMSGSIZE).
    """
    head = _exactly(channel, 8, deadline)
    if head is None:
        return None
    (length,) = struct.unpack("!Q", head)
    if limit is not None and length > limit:
        raise OSError(errno.EMSGSIZE, f"a frame of {length} bytes; {limit} are allowed")
    return _exactly(channel, length, deadline)


def _exactly(channel: socket.socket, length: int, deadline: float | None) -> bytes | None:
    parts: list[bytes] = []
    while length:
        if deadline is not None:
            channel.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            part = channel.recv(min(length, 1 << 20))
        except ConnectionResetError:  # closed with something of ours unread, as by a kill: closed all the same
            return None
        if not part:
            return None
        parts.append(part)
        length -= len(part)
        if deadline is not None and length and time.monotonic() > deadline:
            raise TimeoutError("the frame did not end in time")
    return b"".join(parts)
