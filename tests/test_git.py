"""The state of a work tree: commit, branch, remote, and a digest of all that differs."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from provstore.observe.git import CodeState, code_state, without_credentials


def git(folder: Path, *arguments: str) -> str:
    settings = ("-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main")
    extra = ("-c", "protocol.file.allow=always", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *settings, *extra, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def seen(folder: Path) -> CodeState:
    found = code_state(folder)
    assert found
    return found


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "train.py").write_text("print(1)\n")
    (folder / ".gitignore").write_text("out/\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    return folder


def test_a_clean_tree(tree: Path) -> None:
    git(tree, "remote", "add", "origin", "https://me:s3cret@git.example/team/credit.git")
    (tree / "out").mkdir()
    (tree / "out" / "ignored").write_text("x")
    (tree / "inner").mkdir()
    assert seen(tree / "inner") == CodeState(
        str(tree), git(tree, "rev-parse", "HEAD"), "main", "https://git.example/team/credit.git", dirty=False
    )


def test_every_difference_is_in_the_digest(tree: Path) -> None:
    digests = set()

    def differs() -> None:
        state = seen(tree)
        assert state.dirty
        assert state.commit == git(tree, "rev-parse", "HEAD")
        assert len(state.diff_sha256) == 64
        assert state.diff_sha256 not in digests
        assert state == seen(tree)
        digests.add(state.diff_sha256)

    (tree / "train.py").write_text("print(2)\n")
    differs()
    (tree / "new file\n.py").write_text("1")
    differs()
    (tree / "new file\n.py").write_text("2")
    differs()
    (tree / "blob").write_bytes(bytes(range(256)))
    git(tree, "add", "blob")
    differs()
    os.chmod(tree / "train.py", 0o755)
    differs()
    git(tree, "mv", "train.py", "moved.py")
    differs()
    git(tree, "add", "--all")
    git(tree, "commit", "-qm", "second")
    assert seen(tree).dirty is False
    assert seen(tree).diff_sha256 == ""


def test_the_digest_is_that_of_the_diff_whatever_the_user_set(tree: Path) -> None:
    (tree / "train.py").write_text("print(2)\n")
    (tree / "x").write_text("new")
    said = subprocess.run(
        ["git", "diff", "HEAD", "--binary", "--full-index"], cwd=tree, check=True, capture_output=True
    ).stdout
    expected = hashlib.sha256(said + f"{hashlib.sha256(b'new').hexdigest()} x\n".encode()).hexdigest()
    assert seen(tree).diff_sha256 == expected
    for name, value in (
        ("diff.noprefix", "true"),
        ("diff.context", "9"),
        ("color.ui", "always"),
        ("diff.external", "no"),
    ):
        git(tree, "config", name, value)
    git(tree, "config", "status.showUntrackedFiles", "no")
    assert seen(tree).diff_sha256 == expected


def test_large_files_that_git_does_not_know_are_not_read(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provstore.observe.git._MOST", 10)
    monkeypatch.setattr("provstore.observe.git._MOST_IN_ALL", 15)
    for name, size in (("a", 8), ("b", 11), ("c", 8), ("d", 6)):
        (tree / name).write_bytes(b"x" * size)
    lines = [f"{hashlib.sha256(b'x' * 8).hexdigest()} a", "11 b", "8 c", f"{hashlib.sha256(b'x' * 6).hexdigest()} d"]
    assert seen(tree).diff_sha256 == hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def test_a_detached_head_a_work_tree_a_shallow_clone(tree: Path, tmp_path: Path) -> None:
    (tree / "train.py").write_text("print(2)\n")
    git(tree, "commit", "-qam", "second")
    head = git(tree, "rev-parse", "HEAD")
    git(tree, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    assert (seen(tmp_path / "side").commit, seen(tmp_path / "side").branch) == (head, "side")
    git(tmp_path, "clone", "-q", "--depth", "1", tree.as_uri(), "shallow")
    assert seen(tmp_path / "shallow") == CodeState(
        str(tmp_path / "shallow"), head, "main", tree.as_uri(), False, shallow=True
    )
    git(tree, "checkout", "-q", "--detach", "HEAD~1")
    assert seen(tree).branch == ""
    assert seen(tree).commit != head


def test_a_submodule_is_a_tree_and_part_of_one(tree: Path, tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "-q")
    git(outer, "submodule", "add", "-q", str(tree), "sub")
    git(outer, "commit", "-qm", "first")
    assert seen(outer).dirty is False
    assert seen(outer / "sub").commit == git(tree, "rev-parse", "HEAD")
    states = []
    for text in ("print(8)\n", "print(9)\n"):
        (outer / "sub" / "train.py").write_text(text)
        states.append(seen(outer))
    assert [state.dirty for state in states] == [True, True]
    assert states[0].diff_sha256 != states[1].diff_sha256


def test_before_the_first_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert seen(tmp_path) == CodeState(str(tmp_path), "", "main", dirty=False)
    (tmp_path / "a").write_text("1")
    assert seen(tmp_path).dirty
    git(tmp_path, "add", "a")
    assert seen(tmp_path).dirty


def test_where_git_is_not_installed_the_commit_is_read(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = git(tree, "rev-parse", "HEAD")
    monkeypatch.setenv("PATH", "/nowhere")
    assert seen(tree) == CodeState(str(tree), head, "main", dirty=None)
    loose = tree / ".git" / "refs" / "heads" / "main"
    (tree / ".git" / "packed-refs").write_text(
        f"# pack-refs with: peeled\n{loose.read_text().strip()} refs/heads/main\n"
    )
    loose.unlink()
    assert seen(tree).commit == head


def test_where_there_is_no_tree_or_a_broken_one(tmp_path: Path) -> None:
    if not any((each / ".git").exists() for each in tmp_path.parents):
        assert code_state(tmp_path) is None
    (tmp_path / ".git").write_text("gitdir: /nowhere")
    assert code_state(tmp_path) is None
    assert code_state("/\0") is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:token@git.example/a/b.git", "https://git.example/a/b.git"),
        ("https://token@git.example:8443/a?private_token=x#y", "https://git.example:8443/a"),
        ("git@git.example:a/b.git", "git@git.example:a/b.git"),
        ("ssh://git:pw@git.example/a", "ssh://git.example/a"),
        ("/srv/git/a", "/srv/git/a"),
        ("https://[bad", ""),
        ("", ""),
    ],
)
def test_a_remote_without_credentials(url: str, shown: str) -> None:
    assert without_credentials(url) == shown
