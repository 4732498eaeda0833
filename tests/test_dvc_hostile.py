"""What a broken or a hostile repository does to who reads it: nothing, but that something is told as unreadable."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provstore.capture import formats
from provstore.errors import InvalidInput
from provstore.pull.dvc import Walk
from provstore.pull.repository import Repository
from tests.histories_of_dvc import walked
from tests.repositories import Git
from tests.stores import BASE

_MD5 = "0" * 32
_ITEM = {
    **{"path": "m.json", "md5": _MD5, "hash": "md5", "size": 1, "cloud": {"r": {"version_id": "v"}}},
    "files": [{"relpath": "x", "md5": _MD5}],
    "dataset": {"type": "url", "url": "u", "meta": {"etag": "e"}, "files": [{"relpath": "a"}]},
}
_FILES: dict[str, Any] = {
    "dvc.lock": {
        "schema": "2.0",
        "stages": {"s": {"cmd": "c", "deps": [_ITEM], "params": {"params.yaml": {"a": 1}}, "outs": [_ITEM]}},
    },
    "dvc.yaml": {
        "vars": ["v.yaml", {"a": 1}],
        "stages": {
            "s": {
                **{"cmd": "c", "wdir": "w", "vars": [{"b": 1}], "outs": [{"m.json": {"persist": True}}]},
                **{"metrics": ["m.json"], "foreach": [1], "matrix": {"a": [1]}, "do": {"wdir": "x"}},
            }
        },
        "artifacts": {"m": {"path": "m.json", "type": "model", "labels": ["l"]}},
        "metrics": ["m.json"],
        "params": ["params.yaml"],
    },
    "x.dvc": {
        "outs": [{"path": "d", "md5": _MD5, "hash": "md5"}],
        "deps": [{"path": "p", "repo": {"url": "u", "rev_lock": "r"}}, {"db": {"connection": "c", "table": "t"}}],
        "wdir": "w",
    },
}
_RUBBISH: list[Any] = [
    *(1, None, True, [[]], {"x": 1}, [{"path": "/p", "hash": "md5", "md5": 5}]),
    *("\0", "/", "../../..", "${a}", "remote://a/b", "a" * 5000),
]


def _places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield place
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _places(inner, (*place, key))


def _replaced(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    if not place:
        return new
    copy = json.loads(json.dumps(value))
    holder = copy
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = new
    return copy


def _history(name: str) -> Iterator[str]:
    """A commit for each place in a file and each rubbish there, each with a new entry in the lock."""
    beside = {**_FILES, "v.yaml": {"c": 1}, "m.json": {"a": 1}}
    number = 0
    for place in _places(_FILES[name]):
        for rubbish in _RUBBISH:
            number += 1
            held = {**beside, name: _replaced(_FILES[name], place, rubbish)}
            if name != "dvc.lock":
                held["dvc.lock"] = _replaced(_FILES["dvc.lock"], ("stages", "s", "cmd"), f"c {number}")
            yield f"commit refs/heads/main\ncommitter A <a@example.org> {1_700_000_000 + number} +0000\ndata 1\nx\n"
            for path, value in held.items():
                text = json.dumps(value)
                yield f"M 644 inline {path}\ndata {len(text)}\n{text}\n"


@pytest.mark.slow
@pytest.mark.parametrize("name", list(_FILES))
def test_rubbish_anywhere_in_a_file_of_dvc_is_read_or_told(tmp_path: Path, name: str) -> None:
    git = Git(tmp_path / "repo")
    git("fast-import", "--quiet", given="".join(_history(name)))
    tip = git("rev-parse", "main")
    git("update-ref", f"refs/exps/{tip[:2]}/{tip[2:]}/odd", tip)
    found = walked(git.directory)
    assert found.payloads
    for payload in found.payloads:
        formats.of_payload(payload).map(payload, base=BASE)


def test_what_a_merge_left_half_done_is_told_once(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    text = json.dumps(_FILES["dvc.lock"], indent=1)
    git.commit("good", {"dvc.lock": text})
    broken = git.commit("conflict", {"dvc.lock": f"<<<<<<< HEAD\n{text}\n=======\n{text}\n>>>>>>> other\n"})
    git.commit("still", {"README": "x"})
    git.commit("good again", {"dvc.lock": text.replace('"c"', '"d"')})
    found = walked(git.directory)
    assert [(told.commit, told.path, "conflict" in told.message) for told in found.told] == [(broken, "dvc.lock", True)]
    assert [stage["cmd"] for payload in found.payloads for stage in payload["stages"]] == ["c", "d"]


def test_a_name_that_is_no_text_is_told(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    commit = git.commit("one", {"dvc.lock": json.dumps(_FILES["dvc.lock"])})
    packed = git.directory / ".git" / "packed-refs"
    packed.write_bytes(b"# pack-refs with: peeled fully-peeled sorted \n%s refs/tags/v\xff\n" % commit.encode())
    found = walked(git.directory)
    assert [told.commit for told in found.told] == [commit]
    assert [sorted(payload)[0] for payload in found.payloads] == ["commit"]


def test_a_folder_that_git_itself_would_unfold_without_end_is_given_up(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    git.commit("one", {"a.txt": "1"})
    name, kind, mode = git("rev-parse", "HEAD:a.txt"), "blob", "100644"
    for _ in range(12):
        listed = "".join(f"{mode} {kind} {name}\t{number}\n" for number in range(10))
        name, kind, mode = git("mktree", given=listed), "tree", "040000"
    git("update-ref", "refs/heads/main", git("commit-tree", "-m", "bomb", name))
    with Repository(git.directory, seconds=2) as repository, pytest.raises(InvalidInput, match="within 2 seconds"):
        list(Walk(repository).payloads())


# --- where a repository may stand -----------------------------------------------------------------------------------


def test_linked_work_trees_submodules_and_bare_clones_tell_the_same(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    git("remote", "add", "origin", "https://git.example/models")
    git.commit("one", {"dvc.lock": json.dumps(_FILES["dvc.lock"])})
    git("worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    outer = Git(tmp_path / "outer")
    outer("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(git.directory), "inner")
    git("clone", "-q", "--bare", ".", str(tmp_path / "bare"))
    places = [git.directory, tmp_path / "linked", outer.directory / "inner", tmp_path / "bare"]
    told = [walked(place, namespace="https://git.example/models").payloads for place in places]
    assert told[0]
    assert all(each == told[0] for each in told[1:])
    outer.commit("submodule alone")
    assert walked(outer.directory).payloads == []
