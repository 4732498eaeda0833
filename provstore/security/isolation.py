"""What a worker does to itself before it touches anything untrusted.

It gives up the network, bounds its memory, and ties its life to its parent's.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_SECCOMP_MODE_FILTER = 2
_SIGKILL, _EACCES = 9, 13
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
# AUDIT_ARCH, and the numbers of the calls that reach a network: socket, connect, io_uring_setup (a ring opens
# sockets unseen by any filter)
_CALLS = {"x86_64": (0xC000003E, (41, 42, 425)), "aarch64": (0xC00000B7, (198, 203, 425))}
_X32_BIT = 0x40000000


class NotIsolated(RuntimeError):
    """The process could not be cut off from the network."""


def isolate(memory_bytes: int) -> None:
    """Bound this process, cut it off from the network and tie it to its parent; call it before any thread is started.

    On Linux an empty network namespace, a seccomp filter or both hold afterwards, else NotIsolated. Other systems
    offer neither, nor a limit of memory that holds: there the deadline, and what is refused before a job is sent, are
    all there is.
    """
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, 1024)
    if not sys.platform.startswith("linux"):
        return
    _limit(resource.RLIMIT_AS, memory_bytes)
    if len(os.listdir("/proc/self/task")) > 1:
        raise NotIsolated("a thread runs already, which a seccomp filter made here would not bind")
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
    cut = _empty_namespace(libc)
    filtered = _deny(libc, _CALLS.get(platform.machine()))
    if not cut and not filtered:
        raise NotIsolated(
            "neither a network namespace nor a seccomp filter is allowed here: allow one of unshare(2), prctl(2)"
        )
    # the kernel forgets this wish when credentials change, so it comes after the namespace
    libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)


def orphaned(parent: int) -> bool:
    """Whether the parent died before the death signal was asked for."""
    return os.getppid() != parent


def _limit(what: int, value: int) -> None:
    _, hard = resource.getrlimit(what)
    ceiling = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(what, (ceiling, ceiling))


def _empty_namespace(libc: ctypes.CDLL) -> bool:
    return bool(libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0 or libc.unshare(_CLONE_NEWNET) == 0)


def _deny(libc: ctypes.CDLL, known: tuple[int, Sequence[int]] | None) -> bool:
    """Whether a filter could be put in place under which these calls fail with EACCES (seccomp(2))."""
    if known is None:
        return False
    program = _program(*known)
    held = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program), ctypes.addressof(held)))
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return bool(libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(header), 0, 0) == 0)


def _program(arch: int, calls: Sequence[int]) -> list[tuple[int, int, int, int]]:
    """The classic BPF program that denies these calls, and kills what makes calls of another architecture."""
    load, jump_equal, jump_ge, ret = 0x20, 0x15, 0x35, 0x06
    allow, deny, kill = 0x7FFF0000, 0x00050000 | _EACCES, 0x80000000
    count = len(calls)
    return [
        (load, 0, 0, 4),  # seccomp_data.arch
        (jump_equal, 1, 0, arch),
        (ret, 0, 0, kill),
        (load, 0, 0, 0),  # seccomp_data.nr
        (jump_ge, count + 1, 0, _X32_BIT),  # the x32 numbering would slip past: denied as a whole
        *((jump_equal, count - i, 0, call) for i, call in enumerate(calls)),
        (ret, 0, 0, allow),
        (ret, 0, 0, deny),
    ]
