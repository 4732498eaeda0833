"""Real events of many emitters through a running server: none lost, none harms it, all can be made again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from provstore.core import ProvStore
from tests import suites
from tests.servers import Server, command, serving
from tests.stores import assert_sound

#: Files of the corpus that the adapter refuses.
REFUSED: set[str] = set()


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of the corpus: the status of each file, the checkpoint half-way, and the directory, nobody on it."""

    statuses: dict[str, int]
    checkpoint: Path
    directory: Path


def _files() -> list[Path]:
    return sorted((suites.path("openlineage") / "events").rglob("*.json"))


def _events(server: Server, file: Path) -> int:
    return server.post(file.read_bytes()).status_code


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    home = tmp_path_factory.mktemp("corpus")
    files, checkpoint = _files(), home / "checkpoint"
    with serving(home / "data") as server:
        statuses = {str(file): _events(server, file) for file in files[: len(files) // 2]}
        checkpoint.write_text(server.http.get("/ledger/checkpoint").text)
        statuses |= {str(file): _events(server, file) for file in files[len(files) // 2 :]}
        health = server.http.get("/health").json()
        assert health["entries"] == 1 + sum(status == 201 for status in statuses.values())
        assert server.rows("SELECT ?r { ?r a <https://w3id.org/provstore/ns#Run> }", min_index=health["head"])
    return Loaded(statuses, checkpoint, home / "data")


def test_every_file_is_taken(loaded: Loaded) -> None:
    assert len(_files()) == 150
    assert {name for name, status in loaded.statuses.items() if status not in (200, 201)} == REFUSED
    assert len(loaded.statuses) == 150


def test_the_ledger_verifies(loaded: Loaded) -> None:
    alone = command("verify", "--data", loaded.directory)
    assert (alone.returncode, alone.stdout.split(b":")[0]) == (0, b"UNWITNESSED")
    kept = command("verify", "--data", loaded.directory, "--checkpoint", loaded.checkpoint)
    assert (kept.returncode, kept.stdout.split(b":")[0]) == (0, b"VERIFIED")


def test_a_rebuild_gives_the_same_quads(loaded: Loaded) -> None:
    before = _dump(loaded.directory)
    assert command("rebuild", "--data", loaded.directory).returncode == 0
    after = _dump(loaded.directory)
    assert sorted(after ^ before)[:10] == []
    assert len(before) > 10_000


def test_every_invariant_holds(loaded: Loaded) -> None:
    store = ProvStore(loaded.directory)
    try:
        assert_sound(store)
    finally:
        store.close()


def test_all_facets_and_every_scenario(tmp_path: Path) -> None:
    home = suites.path("openlineage") / "synthetic"
    files = sorted([*home.glob("*.json"), *home.glob("scenarios/*.jsonl")])
    assert len(files) == 24
    with serving(tmp_path / "data") as server:
        for file in files:
            answer = server.post(file.read_bytes())
            assert answer.status_code in (200, 201), (file.name, answer.text)
            assert not answer.json().get("refused"), file.name
    store = ProvStore(tmp_path / "data")
    try:
        assert_sound(store)
    finally:
        store.close()


def _dump(directory: Path) -> set[str]:
    """All quads but the verdicts: how far these have got is a matter of time."""
    store = ProvStore(directory)
    try:
        return {line for line in store.views.store.dump() if not line.endswith("/graph/verdicts> .\n")}
    finally:
        store.close()
