"""RFC 6962 Merkle trees: hashes, roots, inclusion and consistency proofs, and their verification.

A tree of `size` leaves is addressed by its perfect subtrees: `(level, n)` covers leaves `n·2^level` to
`(n+1)·2^level - 1`. Every hash is 32 bytes; proofs list the hashes from the leaf upwards.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence

EMPTY_ROOT = hashlib.sha256(b"").digest()  # RFC 6962 §2.1
Getter = Callable[[int, int], bytes]


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()  # RFC 6962 §2.1: 0x00 prefix for leaves


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()  # RFC 6962 §2.1: 0x01 prefix for nodes


def new_nodes(index: int, leaf: bytes, get: Getter) -> Iterator[tuple[int, int, bytes]]:
    """The perfect subtrees that leaf `index` completes, from the leaf itself upwards."""
    level, n, held = 0, index, leaf
    yield level, n, held
    while n & 1:
        held = node_hash(get(level, n - 1), held)
        level, n = level + 1, n >> 1
        yield level, n, held


def _parts(start: int, end: int) -> Iterator[tuple[int, int]]:
    """The perfect subtrees that make up leaves start … end-1, left to right (start aligned as in RFC 6962 splits)."""
    while start < end:
        level = (start & -start).bit_length() - 1 if start else (end - start).bit_length() - 1
        while start + (1 << level) > end:
            level -= 1
        yield level, start >> level
        start += 1 << level


def subtree_root(start: int, end: int, get: Getter) -> bytes:
    """The hash over leaves start … end-1: MTH of RFC 6962 §2.1."""
    hashes = [get(level, n) for level, n in _parts(start, end)]
    if not hashes:
        return EMPTY_ROOT
    held = hashes.pop()
    while hashes:
        held = node_hash(hashes.pop(), held)
    return held


def root(size: int, get: Getter) -> bytes:
    """The tree head of the first `size` leaves."""
    return subtree_root(0, size, get)


def inclusion_proof(index: int, size: int, get: Getter) -> list[bytes]:
    """The audit path of leaf `index` in a tree of `size` leaves (RFC 6962 §2.1.1); ValueError out of range."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(subtree_root(middle, end, get))
            end = middle
        else:
            path.append(subtree_root(start, middle, get))
            start = middle
    return path[::-1]


def consistency_proof(old: int, new: int, get: Getter) -> list[bytes]:
    """The proof that the first `old` of `new` leaves are unchanged (RFC 6962 §2.1.2); ValueError out of range."""
    if not 0 <= old <= new:
        raise ValueError(f"no proof from size {old} to size {new}")
    if old in (0, new):
        return []
    path: list[bytes] = []
    start, end, whole = 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(subtree_root(middle, end, get))
            end = middle
        else:
            path.append(subtree_root(start, middle, get))
            start, whole = middle, False
    if not whole:
        path.append(subtree_root(start, end, get))
    return path[::-1]


def _split(size: int) -> int:
    return 1 << ((size - 1).bit_length() - 1)  # the largest power of two smaller than size


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], expected: bytes) -> bool:
    """Whether `leaf` (a leaf hash) stands at `index` under the root `expected` (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size or not _sound([leaf, expected, *proof]):
        return False
    fn, sn, held = index, size - 1, leaf
    for step in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            held = node_hash(step, held)
            while fn & 1 == 0 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            held = node_hash(held, step)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and held == expected


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the tree of `new` leaves extends that of `old`; both roots are rebuilt (RFC 9162 §2.1.4.2)."""
    if not 0 <= old <= new or not _sound([old_root, new_root, *proof]):
        return False
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == EMPTY_ROOT  # an empty tree is extended by any: the proof proves nothing
    steps = list(proof)
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = steps[0]
    for step in steps[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node_hash(step, fr), node_hash(step, sr)
            while fn & 1 == 0 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, step)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == old_root and sr == new_root


def _sound(hashes: Sequence[bytes]) -> bool:
    return all(len(h) == 32 for h in hashes)
