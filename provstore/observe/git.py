"""The state of a work tree of git: which commit, and how what lies there differs from it."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from provstore.observe.hashing import Hasher

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_SECTION = re.compile(r'\s*\[\s*remote\s+"(.*)"\s*\]')
#: What a user's settings could change in a diff is said outright.
_DIFF = (
    *("-c", "diff.noprefix=false", "-c", "diff.mnemonicPrefix=false", "-c", "core.quotePath=true"),
    *("-c", "diff.interHunkContext=0", "-c", "diff.suppressBlankEmpty=false"),
    *(
        "diff",
        "HEAD",
        "-O/dev/null",
        "--binary",
        "--full-index",
        "--no-color",
        "--no-ext-diff",
        "--no-textconv",
        "--no-renames",
    ),
    *("--unified=3", "--diff-algorithm=myers", "--submodule=diff", "--ignore-submodules=none"),
)
#: How many seconds git may take over a large tree before the state of it counts as unknown.
_TIMEOUT = 5.0
#: Files that git does not know and that are larger than this, or many, are data, not code: reading them takes long.
_MOST, _MOST_IN_ALL = 8 << 20, 64 << 20


@dataclass(frozen=True, slots=True)
class CodeState:
    """The commit that a work tree is of and whether it differs from it.

    `commit` is "" before the first commit. `branch` is "" where HEAD is detached. `remote` holds no credentials.
    `dirty` is None where git could not be asked. `diff_sha256`, of a dirty tree only, is the SHA-256 of what
    `git diff HEAD` prints, submodules written out, followed by a line `{SHA-256} {path}` for each file that git neither
    tracks nor ignores, in the order of their paths' bytes. A file of over 8 MiB, or that does not fit
    into 64 MiB with those before it, has its size there for its SHA-256.
    """

    root: str
    commit: str
    branch: str = ""
    remote: str = ""
    dirty: bool | None = None
    diff_sha256: str = ""
    shallow: bool = False


def code_state(directory: str | os.PathLike[str], hasher: Hasher | None = None) -> CodeState | None:
    """The state of the work tree that a directory lies in; None outside of any. Never raises."""
    try:
        return _state(Path(directory).absolute(), hasher or Hasher())
    except Exception:
        return None


def without_credentials(url: str) -> str:
    """The address of a remote without user name and password, query and fragment; other forms as they are."""
    try:
        parts = urlsplit(url)
        if not parts.scheme or not parts.netloc:
            return url
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return ""
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def _state(directory: Path, hasher: Hasher) -> CodeState | None:
    root = next((each for each in (directory, *directory.parents) if (each / ".git").exists()), None)
    if root is None:
        return None
    private = _git_directory(root)
    common = _common(private)
    remote, shallow = _remote(common), (common / "shallow").exists()
    said = _git(root, "status", "--porcelain=v2", "--branch", "-z", "--untracked-files=all", "--ignore-submodules=none")
    if said is None:
        branch, commit = _head(private, common)
        return CodeState(str(root), commit, branch, remote, None, "", shallow)
    heads, untracked, changed = _parsed(said)
    commit = heads.get("branch.oid", "")
    commit = commit if _COMMIT.match(commit) else ""
    branch = heads.get("branch.head", "")
    branch = "" if branch == "(detached)" else branch
    dirty = changed or bool(untracked)
    digest = _diff(root, commit, untracked, hasher) if dirty else ""
    return CodeState(str(root), commit, branch, remote, dirty, digest, shallow)


def _git(root: Path, *arguments: str) -> bytes | None:
    """What git prints; None where there is no git or it refuses."""
    command: Sequence[str] = ("git", "--no-optional-locks", "-C", str(root), "-c", "core.fsmonitor=false", *arguments)
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=_TIMEOUT
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None


def _parsed(said: bytes) -> tuple[dict[str, str], list[bytes], bool]:
    """Headers, untracked paths, and whether anything that is tracked differs (git-status(1), porcelain format 2)."""
    heads: dict[str, str] = {}
    untracked: list[bytes] = []
    changed = skip = False
    for entry in said.split(b"\0"):
        if skip:  # the old name of what was renamed
            skip = False
        elif entry.startswith(b"# "):
            name, _, value = entry[2:].decode(errors="replace").partition(" ")
            heads[name] = value
        elif entry.startswith(b"? "):
            untracked.append(entry[2:])
        elif entry:
            changed, skip = True, entry.startswith(b"2 ")
    return heads, sorted(untracked), changed


def _diff(root: Path, commit: str, untracked: list[bytes], hasher: Hasher) -> str:
    said = _git(root, *_DIFF) if commit else b""
    if said is None:
        return ""
    digest = hashlib.sha256(said)
    left = _MOST_IN_ALL
    for path in untracked:
        found = hasher.file(os.path.join(str(root), os.fsdecode(path)), min(_MOST, left))
        left -= found.size if found.sha256 else 0
        digest.update(f"{found.sha256 or found.size} ".encode() + path + b"\n")
    return digest.hexdigest()


def _git_directory(root: Path) -> Path:
    """Where HEAD stands: `.git`, or where a file of that name points to (work trees, submodules)."""
    found = root / ".git"
    if found.is_file():
        found = root / found.read_text().partition("gitdir:")[2].strip()
    return found


def _common(private: Path) -> Path:
    """What the work trees of a repository share: its settings and branches."""
    named = private / "commondir"
    return private / named.read_text().strip() if named.is_file() else private


def _remote(common: Path) -> str:
    """The address of `origin`, or of the first remote."""
    found: dict[str, str] = {}
    section = None
    try:
        lines = (common / "config").read_text(errors="replace").splitlines()
    except OSError:
        return ""
    for line in lines:
        if line.lstrip().startswith("["):
            match = _SECTION.match(line)
            section = match[1] if match else None
        elif section is not None:
            name, _, value = line.partition("=")
            if name.strip().lower() == "url":
                found.setdefault(section, value.strip().strip('"'))
    url = found.get("origin") or next(iter(found.values()), "")
    return without_credentials(url)


def _head(private: Path, common: Path) -> tuple[str, str]:
    """Branch and commit as the files say; the commit is "" where they do not."""
    head = (private / "HEAD").read_text().strip()
    if _COMMIT.match(head):
        return "", head
    name = head.partition("ref:")[2].strip()
    branch = name.removeprefix("refs/heads/")
    loose = common / name
    if name and loose.is_file():
        commit = loose.read_text().strip()
    else:
        packed = common / "packed-refs"
        lines = packed.read_text(errors="replace").splitlines() if packed.is_file() else []
        commit = next((line.split(" ")[0] for line in lines if line.endswith(f" {name}")), "")
    return branch, commit if _COMMIT.match(commit) else ""
