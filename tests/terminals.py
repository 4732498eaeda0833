"""Commands on a real terminal: pseudo-terminals of a given width, standard output and standard error each its own."""

from __future__ import annotations

import fcntl
import os
import pty
import selectors
import struct
import subprocess
import sys
import termios
import time
from dataclasses import dataclass

from tests.servers import environment

_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Shown:
    """What a terminal was sent, with line feeds as they were written."""

    code: int
    out: str
    err: str


def on_terminal(*arguments: object, columns: int = 80, **settings: object) -> Shown:
    """`provstore …` where standard output and standard error are terminals of so many columns."""
    out, err = terminal(columns), terminal(columns)
    line = [sys.executable, "-m", "provstore", *map(str, arguments)]
    kept = {name: value for name, value in environment(**settings).items() if name not in ("COLUMNS", "LINES")}
    with subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=out[1], stderr=err[1], env=kept) as process:
        for _, theirs in (out, err):
            os.close(theirs)
        told = _read([out[0], err[0]])
        return Shown(process.wait(_SECONDS), *(text.decode().replace("\r\n", "\n") for text in told))


def terminal(columns: int) -> tuple[int, int]:
    """Both ends of a pseudo-terminal: ours, and the one that a program is given."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    return ours, theirs


def _read(descriptors: list[int]) -> list[bytes]:
    """All that is written to each until nobody has its other end open."""
    told = dict.fromkeys(descriptors, b"")
    until = time.monotonic() + _SECONDS
    with selectors.DefaultSelector() as ready:
        for descriptor in descriptors:
            ready.register(descriptor, selectors.EVENT_READ)
        while ready.get_map():
            assert time.monotonic() < until, told
            for key, _ in ready.select(1):
                chunk = chunk_of(key.fd)
                told[key.fd] += chunk
                if not chunk:
                    ready.unregister(key.fd)
                    os.close(key.fd)
    return list(told.values())


def chunk_of(descriptor: int) -> bytes:
    """What is there to be read; nothing once the other end is closed, which Linux tells as an error."""
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""
