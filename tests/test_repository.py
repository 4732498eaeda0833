"""A git repository as its objects, and what an untrusted one may not do to its reader."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from provstore.capture.repositories import address
from provstore.errors import InvalidInput
from provstore.pull.repository import Commit, Repository
from tests.repositories import AUTHOR, Git


def _all(repository: Repository) -> list[Commit]:
    return repository.commits(ref.commit for ref in repository.refs())


def test_commits_come_with_parents_before_children_and_say_who_and_when(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    first, second = git.commit("one"), git.commit("two: \xe4")
    with Repository(git.directory) as repository:
        found = _all(repository)
    assert [(c.id, c.parents, c.subject) for c in found] == [(first, (), "one"), (second, (first,), "two: \xe4")]
    assert (found[0].name, found[0].email, found[0].authored) == AUTHOR_SAID


AUTHOR_SAID = ("Ana Author", "ana@example.org", "2026-03-01T00:01:00+01:00")


def test_a_change_is_what_no_parent_has(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    first = git.commit("first", {"a.txt": "1", "b.txt": "1", "c.md": "1"})
    git("checkout", "-q", "-b", "side")
    side = git.commit("side", {"a.txt": "2"})
    git("checkout", "-q", "main")
    main = git.commit("main", {"b.txt": "2", "c.md": None})
    git("merge", "-q", "--no-commit", "--no-ff", "side")
    merge = git.commit("merge", {"new.txt": "3"})
    with Repository(git.directory) as repository:
        commits = _all(repository)
        found = repository.changes(commits, ":(glob)**/*.txt")
        old = repository.read(found[side]["a.txt"].before[0])
    assert {commit: sorted(held) for commit, held in found.items()} == {
        first: ["a.txt", "b.txt"],
        side: ["a.txt"],
        main: ["b.txt"],
        merge: ["new.txt"],  # what it took over from one parent is no news
    }
    assert old == b"1"
    assert found[merge]["new.txt"].before == ("", "")


def test_objects_are_found_by_path_and_read(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    names = ["plain.txt", "with space/ünïcode\t'.txt", "dir/deep/er.txt"]
    commit = git.commit("files", {name: name for name in names})
    with Repository(git.directory) as repository:
        for name in names:
            found = repository.find(commit, name)
            assert found is not None
            assert (found.kind, repository.read(found.id)) == ("blob", name.encode())
        folder = repository.find(commit, "dir")
        assert folder is not None
        assert [path for path, _ in repository.files(folder.id)] == ["deep/er.txt"]
        for odd in ("", "absent", "a\nb", "../up", "/abs", "./plain.txt", "plain.txt/x", f"{commit}:plain.txt"):
            assert repository.find(commit, odd) is None
        with pytest.raises(InvalidInput, match="is not in"):
            repository.read("0" * 40)


def test_nothing_that_a_repository_configures_is_run(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    commit = git.commit("one", {"a.txt": "1", ".gitattributes": "*.txt diff=evil filter=evil\n"})
    mark = tmp_path / "ran"
    for key in ("core.fsmonitor", "core.pager", "diff.evil.textconv", "filter.evil.smudge", "core.sshCommand"):
        git("config", key, f"touch {mark}; cat")
    git("config", "remote.origin.url", f"ext::sh -c 'touch {mark}'")
    git("config", "remote.origin.promisor", "true")
    git("config", "protocol.ext.allow", "always")
    with Repository(git.directory) as repository:
        assert repository.changes(_all(repository), "*.txt")
        assert repository.find(commit, "a.txt")
        with pytest.raises(InvalidInput):  # a promisor would be asked for it
            repository.read("1" * 40)
        repository.remote()
    assert not mark.exists()


def test_replaced_objects_are_read_as_they_were(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    commit = git.commit("one", {"a.txt": "true"})
    blob = git("rev-parse", "HEAD:a.txt")
    git("replace", blob, git("hash-object", "-w", "--stdin", given="false"))
    with Repository(git.directory) as repository:
        found = repository.find(commit, "a.txt")
        assert found is not None
        assert repository.read(found.id) == b"true"


def test_what_cannot_be_read_whole_is_refused(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    git.commit("one", {"sub/a.txt": "1"})
    git.commit("two")
    subprocess.run(
        ["git", "clone", "-q", "--depth", "1", f"file://{git.directory}", "shallow"],
        cwd=tmp_path,
        env=AUTHOR,
        check=True,
    )
    (tmp_path / "empty").mkdir()
    for name, wanted in (
        ("shallow", "git fetch --unshallow"),
        ("empty", "git cannot read"),
        ("absent", "is no directory"),
        ("repo/sub", "a folder inside a repository"),
    ):
        with pytest.raises(InvalidInput, match=wanted):
            Repository(tmp_path / name)


def test_a_repository_may_be_bare_or_without_a_commit(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    with Repository(git.directory) as repository:
        assert (repository.refs(), repository.head(), repository.commits([])) == ([], "", [])
    git.commit("one")
    git("clone", "-q", "--bare", ".", str(tmp_path / "bare"))
    with Repository(tmp_path / "bare") as repository:
        assert repository.work_tree is None
        assert len(_all(repository)) == 1


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("git@github.com:org/repo.git", "https://github.com/org/repo"),
        ("https://user:secret@GitHub.com/org/repo.git/", "https://github.com/org/repo"),
        ("ssh://git@host.example:22/org/repo", "https://host.example/org/repo"),
        ("ssh://git@host.example:2222/org/repo", "https://host.example:2222/org/repo"),
        ("/srv/git/repo.git", "file:///srv/git/repo"),
        ("file:///srv/git/repo", "file:///srv/git/repo"),
        ("", ""),
        ("https://[bad", ""),
    ],
)
def test_a_repository_has_one_name_however_it_is_reached(url: str, name: str) -> None:
    assert address(url) == name


def test_the_name_comes_from_origin_or_from_the_only_remote(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    said = []
    with Repository(git.directory) as repository:
        said.append(repository.remote())
        for name in ("fork", "other", "origin"):
            git("remote", "add", name, f"https://git.example/{name}.git")
            said.append(repository.remote())
    assert said == ["", "https://git.example/fork", "", "https://git.example/origin"]
