"""A git repository as its objects: commits, changes and blobs, through git's plumbing, with nothing checked out.

Nothing of what the repository holds is run: no hooks, no filters, no text conversion. Objects that a partial clone
lacks are not fetched; replacement refs do not count.
"""

from __future__ import annotations

import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Final

from provstore.capture.repositories import address
from provstore.errors import InvalidInput, Misconfigured, TooLarge

#: Bytes of one object that are read at most; a larger one counts as unreadable.
MAX_OBJECT: Final = 64 << 20

#: Files and folders below one folder that are listed at most, and folders within each other: a folder may hold itself
#: ten times over, ten times over.
MAX_FILES: Final = 100_000
MAX_DEPTH: Final = 100

#: Questions that git is asked before its answers are read, and their bytes: few enough that neither waits for the
#: other's pipe, since an answer may repeat the question.
_AT_ONCE: Final = 100
_BYTES_AT_ONCE: Final = 32 << 10
_MAX_PATH: Final = 4096
# no user's or system's configuration, no transport of any kind, no parents but those that a commit names
_ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_GRAFT_FILE": "/dev/null",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
# a line each: git allows no line's end in any of them
_FIELDS = "%P%n%an%n%ae%n%aI%n%s"


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit: its name, its parents' names, and who says to have made it when (ISO 8601, as git has it)."""

    id: str
    parents: tuple[str, ...]
    name: str
    email: str
    authored: str
    subject: str


@dataclass(frozen=True, slots=True)
class Ref:
    """A name in `refs/` and the commit that it leads to, tags of tags included."""

    name: str
    commit: str


@dataclass(frozen=True, slots=True)
class Change:
    """The blob that a commit has at a path, and those that its parents have there; '' where there is none."""

    blob: str
    before: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Object:
    """An object's name, its kind (blob, tree, commit, tag) and its size in bytes."""

    id: str
    kind: str
    size: int


class Repository:
    """One repository, bare or with a work tree, open while the `with` block runs; for one thread.

    InvalidInput where the directory is no repository, or where its history is cut (a shallow clone), since what its
    oldest commits changed cannot be told. Misconfigured where git is not installed.
    """

    def __init__(self, directory: Path) -> None:
        self._git = shutil.which("git") or ""
        if not self._git:
            raise Misconfigured("git is not installed, or not on PATH")
        self.directory = directory
        if not directory.is_dir():
            raise InvalidInput(f"{directory} is no directory")
        if self._said("rev-parse", "--show-object-format").strip() != "sha1":
            raise InvalidInput(f"{directory} names its objects by SHA-256; only repositories of SHA-1 names are read")
        if self._said("rev-parse", "--is-shallow-repository").strip() == "true":
            raise InvalidInput(
                f"{directory} is a shallow clone, so its history is cut; `git fetch --unshallow` brings the rest"
            )
        top = self._said("rev-parse", "--show-prefix", "--is-inside-work-tree").split("\n")
        if top[0]:
            raise InvalidInput(f"{directory} is a folder inside a repository; wanted the repository's own")
        self.work_tree = directory if top[1] == "true" else None
        self._found: dict[tuple[str, str], Object | None] = {}
        self._names = self._batch("--batch-check")
        self._contents = self._batch("--batch")

    def __enter__(self) -> Repository:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for process in (self._names, self._contents):
            process.communicate()  # closes its input, at which it ends

    # --- refs and commits ----------------------------------------------------------------------------------------

    def refs(self) -> list[Ref]:
        """Every ref that leads to a commit, by name."""
        out = self._said(
            "for-each-ref", "--format=%(objecttype) %(objectname) %(*objecttype) %(*objectname) %(refname)"
        )
        found = []
        for line in out.splitlines():
            kind, name, peeled_kind, peeled, ref = line.split(" ", 4)
            if "commit" in (kind, peeled_kind):
                found.append(Ref(ref, name if kind == "commit" else peeled))
        return sorted(found, key=lambda ref: ref.name)

    def head(self) -> str:
        """The commit that is checked out, '' before the first."""
        return self._run("rev-parse", "--verify", "--quiet", "HEAD^{commit}", check=False).decode().strip()

    def commits(self, tips: Iterable[str]) -> list[Commit]:
        """The tips and all that they descend from, parents before children."""
        asked = "".join(f"{tip}\n" for tip in sorted(set(tips)))
        if not asked:
            return []
        # plumbing, which heeds no `log.…`: `log.showSignature` would start the program that `gpg.program` names
        out = self._run("rev-list", "--topo-order", "--reverse", f"--format={_FIELDS}", "--stdin", given=asked)
        lines = iter(out.decode(errors="replace").split("\n"))
        found = []
        for heading in lines:
            if heading:
                parents, name, email, authored, subject = (next(lines) for _ in range(5))
                identifier = heading.removeprefix("commit ")
                found.append(Commit(identifier, tuple(parents.split()), name, email, authored, subject))
        return found

    def changes(self, commits: Iterable[Commit], *patterns: str) -> dict[str, dict[str, Change]]:
        """Commit → path → what stands there that differs from what stands there in every parent.

        A path that a merge took over from a parent is not told. `patterns` are pathspecs of git.
        """
        wanted = {commit.id: max(1, len(commit.parents)) for commit in commits}
        pairs = [f"{c.id} {parent}".rstrip() for c in commits for parent in c.parents or ("",)]
        out = self._run(
            *("diff-tree", "--stdin", "--root", "-r", "--raw", "-z", "--no-renames", "--no-abbrev", "--"),
            *patterns,
            given="".join(f"{pair}\n" for pair in pairs),
        )
        found: dict[str, dict[str, Change]] = defaultdict(dict)
        commit, fields = "", iter(out.split(b"\0"))
        for each in fields:
            if not each.startswith(b":"):
                commit = each.decode().strip()
                continue
            _, new_mode, old, new, _ = each[1:].decode().split(" ")
            path = next(fields).decode(errors="surrogateescape")
            new, old = new.strip("0") and new, old.strip("0") and old
            if not new or new_mode.startswith("100"):  # links and submodules hold nothing of ours
                before = found[commit][path].before if path in found[commit] else ()
                found[commit][path] = Change(new, (*before, old))
        return {
            commit: held
            for commit, paths in found.items()
            if (held := {path: each for path, each in paths.items() if len(each.before) == wanted[commit]})
        }

    # --- objects -------------------------------------------------------------------------------------------------

    def find(self, commit: str, path: str) -> Object | None:
        """What stands at a path in a commit; None where nothing does, or where the path is none of git's."""
        if (commit, path) not in self._found:
            self.seek(commit, [path])
        return self._found[commit, path]

    def seek(self, commit: str, paths: Iterable[str]) -> None:
        """Look up many paths of a commit at once, for `find` to tell; those of another commit are forgotten."""
        wanted = list(dict.fromkeys(path for path in paths if (commit, path) not in self._found))
        if not all(known == commit for known, _ in self._found):
            self._found.clear()
        self._found |= {(commit, path): None for path in wanted}
        stream, answers = _pipes(self._names)
        for part in _parts(commit, [path for path in wanted if _is_path(path)]):
            stream.write(b"".join(question for _, question in part))
            stream.flush()
            for path, _ in part:
                fields = answers.readline().decode(errors="replace").rstrip("\n").rsplit(" ", 2)
                if len(fields) == 3 and fields[-1].isdigit():
                    self._found[commit, path] = Object(fields[0], fields[1], int(fields[2]))

    def read(self, name: str) -> bytes:
        """The content of an object; InvalidInput where it is not there, TooLarge beyond MAX_OBJECT."""
        stream, answers = _pipes(self._contents)
        stream.write(f"{name}\n".encode())
        stream.flush()
        fields = answers.readline().decode().split()
        if len(fields) != 3:
            raise InvalidInput(f"object {name} is not in {self.directory}: a partial clone, or a damaged one")
        size = int(fields[2])
        if size > MAX_OBJECT:
            while size > 0:
                size -= len(answers.read(min(size, 1 << 20)))
            answers.read(1)
            raise TooLarge(f"object {name} has {fields[2]} bytes; at most {MAX_OBJECT} are read")
        content = answers.read(size)
        answers.read(1)
        return content

    def files(self, tree: str) -> Iterator[tuple[str, str]]:
        """(path, blob) of every file below a tree object, in git's order, links and submodules left out.

        TooLarge beyond MAX_FILES or MAX_DEPTH.
        """
        listed, levels = 0, [self._entries(tree, "")]
        while levels:
            entry = next(levels[-1], None)
            if entry is None:
                levels.pop()
                continue
            mode, path, name = entry
            listed += 1
            if listed > MAX_FILES:
                raise TooLarge(f"tree {tree} has more than {MAX_FILES} files below it")
            if mode == b"40000":
                if len(levels) == MAX_DEPTH:
                    raise TooLarge(f"tree {tree} is more than {MAX_DEPTH} folders deep")
                levels.append(self._entries(name, f"{path}/"))
            elif mode.startswith(b"100"):
                yield path, name

    def _entries(self, tree: str, prefix: str) -> Iterator[tuple[bytes, str, str]]:
        """(mode, path, object) of what stands in one folder."""
        data, at = self.read(tree), 0
        while at < len(data):
            end = data.find(b"\0", at)
            if end < 0 or end + 21 > len(data):
                raise InvalidInput(f"tree {tree} is damaged")
            mode, _, name = data[at:end].partition(b" ")
            child, at = data[end + 1 : end + 21].hex(), end + 21
            yield mode, prefix + name.decode(errors="surrogateescape"), child

    def paths(self, commit: str, name: str) -> list[str]:
        """The files of a commit that are called `name`, wherever they lie, sorted; links and submodules left out."""
        found = []
        for entry in self._run("ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0"):
            head, _, path = entry.partition(b"\t")
            if head.startswith(b"100") and f"/{name}".encode() in b"/" + path:
                found.append(path.decode(errors="surrogateescape"))
        return sorted(path for path in found if f"/{path}".endswith(f"/{name}"))

    def differing(self, before: str, after: str) -> set[str]:
        """The paths of files that one commit has, and another has not, or not so; none where one is not there."""
        out = self._run(
            "diff-tree", "-r", "-z", "--name-only", "--no-renames", "--diff-filter=d", before, after, check=False
        )
        return {path.decode(errors="surrogateescape") for path in out.split(b"\0") if path}

    # --- what it is called ---------------------------------------------------------------------------------------

    def remote(self) -> str:
        """The address of `origin`, or of the only remote, as `address` writes it; '' where there is none."""
        out = self._run("config", "-z", "--get-regexp", r"^remote\..*\.url$", check=False)
        found: dict[str, str] = {}
        for each in out.decode(errors="replace").split("\0"):
            key, _, url = each.partition("\n")
            if url:
                found.setdefault(key[len("remote.") : -len(".url")], url)
        url = found.get("origin") or (next(iter(found.values())) if len(found) == 1 else "")
        return address(url)

    # --- git -----------------------------------------------------------------------------------------------------

    def _command(self, *arguments: str) -> list[str]:
        # the caller named the directory: who owns it is no matter, since nothing in it is run; `diff-tree` looks at the
        # index, and would start what `core.fsmonitor` names; text is UTF-8, and a commit is read from its object alone
        settings = (
            *("safe.directory=*", "core.fsmonitor=false", "core.hooksPath=/dev/null"),
            *("core.commitGraph=false", "i18n.logOutputEncoding=UTF-8"),
        )
        return [self._git, *(part for each in settings for part in ("-c", each)), "--no-pager", *arguments]

    def _run(self, *arguments: str, given: str = "", check: bool = True) -> bytes:
        done = subprocess.run(
            self._command(*arguments),
            input=given.encode(),
            cwd=self.directory,
            env=_ENVIRONMENT,
            capture_output=True,
            check=False,
        )
        if check and done.returncode:
            said = done.stderr.decode(errors="replace").strip().removeprefix("fatal: ")
            raise InvalidInput(f"git cannot read {self.directory}: {said[:300]}")
        return done.stdout

    def _said(self, *arguments: str) -> str:
        return self._run(*arguments).decode(errors="surrogateescape")

    def _batch(self, form: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command("cat-file", form),
            cwd=self.directory,
            env=_ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )


def _is_path(path: str) -> bool:
    """Whether git can have something at a path, and be asked for it."""
    try:
        size = len(path.encode(errors="surrogateescape"))
    except UnicodeEncodeError:
        return False
    return 0 < size < _MAX_PATH and not set("\0\n") & set(path) and not path.startswith(("/", "./", "../"))


def _parts(commit: str, paths: list[str]) -> Iterator[list[tuple[str, bytes]]]:
    """Paths with the questions for them, as many at once as may be asked."""
    part: list[tuple[str, bytes]] = []
    size = 0
    for path in paths:
        question = f"{commit}:{path}\n".encode(errors="surrogateescape")
        if part and (len(part) == _AT_ONCE or size + len(question) > _BYTES_AT_ONCE):
            yield part
            part, size = [], 0
        part.append((path, question))
        size += len(question)
    if part:
        yield part


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    if process.stdin is None or process.stdout is None:
        raise InvalidInput("git does not answer")
    return process.stdin, process.stdout
