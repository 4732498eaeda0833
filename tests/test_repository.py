"""A git repository as its objects, and what an untrusted one may not do to its reader."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from provstore.capture.repositories import address
from provstore.errors import InvalidInput, TooLarge
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


def test_many_long_paths_are_looked_up_without_waiting_for_each_other(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    commit = git.commit("one", {"a.txt": "1"})
    odd = [f"{number}/{'x' * 4000}" for number in range(200)] + ["y" * (1 << 20), "\udcff", "\ud800", "\0", "a.txt\0"]
    with Repository(git.directory) as repository:
        repository.seek(commit, [*odd, "a.txt"])
        assert [path for path in [*odd, "a.txt"] if repository.find(commit, path)] == ["a.txt"]


def test_no_signature_is_looked_at_by_the_program_that_a_repository_names(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    plain = git("cat-file", "commit", git.commit("one", {"a.txt": "1"}))
    head, _, message = plain.partition("\n\n")
    block = "-----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----"
    signed = git("hash-object", "-t", "commit", "-w", "--stdin", given=f"{head}\ngpgsig {block}\n\n{message}\n")
    git("update-ref", "refs/heads/main", signed)
    program = tmp_path / "evil"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    program.chmod(0o755)
    git("config", "log.showSignature", "true")
    git("config", "gpg.program", str(program))
    with Repository(git.directory) as repository:
        assert [commit.id for commit in _all(repository)] == [signed]
    assert not (tmp_path / "ran").exists()


def test_what_a_clone_configures_changes_nothing_that_is_read(tmp_path: Path) -> None:
    """Two clones of one history tell the same, so that what one captured is known from the other."""
    git = Git(tmp_path / "repo")
    git.commit("one: \xe4", {"a.txt": "1", "b.txt": "1"})
    git.commit("two", {"a.txt": "2", "b.txt": "2"})

    def told() -> object:
        with Repository(git.directory) as repository:
            commits = _all(repository)
            return commits, repository.changes(commits, "*.txt")

    before = told()
    git("config", "i18n.logOutputEncoding", "latin1")
    for key, value in (("log.follow", "true"), ("log.date", "raw"), ("log.mailmap", "true"), ("diff.relative", "true")):
        git("config", key, value)
    for key, value in (("core.abbrev", "4"), ("diff.renames", "copies"), ("diff.ignoreSubmodules", "all")):
        git("config", key, value)
    git("config", "diff.orderFile", str(tmp_path / "absent"))
    (git.directory / ".mailmap").write_text("Other <other@example.org> <ana@example.org>\n")
    (git.directory / ".git" / "info").mkdir(exist_ok=True)
    (git.directory / ".git" / "info" / "grafts").write_text(f"{git('rev-parse', 'HEAD')}\n")
    assert told() == before


def test_a_folder_that_holds_itself_many_times_is_not_unfolded(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    commit = git.commit("one", {"a.txt": "1"})
    name, kind, mode = git("rev-parse", f"{commit}:a.txt"), "blob", "100644"
    for _ in range(12):
        listed = "".join(f"{mode} {kind} {name}\t{number}\n" for number in range(10))
        name, kind, mode = git("mktree", given=listed), "tree", "040000"
    with Repository(git.directory) as repository, pytest.raises(TooLarge, match="files"):
        for _ in repository.files(name):
            pass
    deep = git("rev-parse", f"{commit}:a.txt")
    listed = f"100644 blob {deep}\tx\n"
    for _ in range(200):
        deep = git("mktree", given=listed)
        listed = f"040000 tree {deep}\tx\n"
    with Repository(git.directory) as repository, pytest.raises(TooLarge, match="deep"):
        list(repository.files(deep))


@pytest.mark.parametrize("content", ["rubbish", "100644 a\0short"])
def test_a_damaged_folder_is_told(tmp_path: Path, content: str) -> None:
    git = Git(tmp_path / "repo")
    name = git("hash-object", "-t", "tree", "--literally", "-w", "--stdin", given=content)
    with Repository(git.directory) as repository, pytest.raises(InvalidInput, match="damaged"):
        list(repository.files(name))


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
