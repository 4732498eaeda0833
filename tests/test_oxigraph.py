"""The embedded triple store: loads, removals, snapshots."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyoxigraph as ox
import pytest

from provstore.errors import DirectoryInUse, InvalidInput, Misconfigured
from provstore.store.oxigraph import TripleStore, normalised

XSD = "http://www.w3.org/2001/XMLSchema#"
IN_ONE = "<http://a/s> <http://a/p> <http://a/o> <http://g/1> .\n"
IN_TWO = "<http://a/s> <http://a/p> <http://a/o> <http://g/2> .\n"
PLAIN = "<http://a/s> <http://a/p> <http://a/o> .\n"


@pytest.fixture
def store() -> Iterator[TripleStore]:
    with closing(TripleStore(None)) as made:
        yield made


def test_a_load_is_there_at_once_and_once(store: TripleStore) -> None:
    store.load((IN_ONE + PLAIN).encode())
    store.load((IN_ONE + PLAIN).encode())
    assert store.dump() == sorted([IN_ONE, PLAIN])
    assert len(store) == 2
    store.load(b"")
    assert len(store) == 2


@pytest.mark.parametrize(
    "bad", [PLAIN + "oops", PLAIN + "<http://a/s> <p> 1 .\n", PLAIN + '<http://a/s> <http://a/p> "']
)
def test_a_load_is_all_or_nothing(store: TripleStore, bad: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        store.load(bad.encode())
    assert caught.value.line == 2
    assert len(store) == 0


def test_a_triple_leaves_the_default_graph_with_its_last_live_graph(store: TripleStore) -> None:
    store.load((IN_ONE + IN_TWO + PLAIN).encode())
    store.remove([IN_ONE], lambda graph: True)
    assert store.dump() == sorted([IN_TWO, PLAIN])
    store.remove([IN_TWO], lambda graph: True)
    assert store.dump() == []
    store.remove([IN_TWO], lambda graph: True)  # redo is harmless


def test_a_graph_that_is_not_live_does_not_hold_a_triple(store: TripleStore) -> None:
    store.load((IN_ONE + IN_TWO + PLAIN).encode())
    store.remove([IN_ONE], lambda graph: graph != "http://g/2")
    assert store.dump() == [IN_TWO]


def test_triples_to_be_checked_leave_only_the_default_graph(store: TripleStore) -> None:
    store.load((IN_ONE + PLAIN).encode())
    store.remove([], lambda graph: True, [PLAIN])
    assert store.dump() == sorted([IN_ONE, PLAIN])
    store.remove([], lambda graph: False, [PLAIN])
    assert store.dump() == [IN_ONE]


@pytest.mark.parametrize(
    ("sent", "held"),
    [
        (f'"01"^^<{XSD}integer>', f'"1"^^<{XSD}integer>'),
        (f'"2025-01-01T00:00:00.000Z"^^<{XSD}dateTime>', f'"2025-01-01T00:00:00Z"^^<{XSD}dateTime>'),
        ('"a\\tb\\u007F\\"\\\\\\n"', '"a\\tb\\u007F\\"\\\\\\n"'),
        ('"é\U0001f600"@en-gb', '"é\U0001f600"@en-gb'),
        (f'"not a number"^^<{XSD}integer>', f'"not a number"^^<{XSD}integer>'),
        (f'"1.50"^^<{XSD}decimal>', f'"1.5"^^<{XSD}decimal>'),
    ],
)
def test_a_literal_can_be_taken_out_as_it_was_put_in(store: TripleStore, sent: str, held: str) -> None:
    """The engine writes some in another way, and `normalised` says in which."""
    line = f"<http://a/s> <http://a/p> {sent} <http://g/1> .\n"
    store.load(line.encode())
    assert set(store.dump()) == normalised(line.encode()) == {f"<http://a/s> <http://a/p> {held} <http://g/1> .\n"}
    store.remove([line], lambda graph: True)
    assert store.dump() == []


def test_objects_are_those_of_one_graph(store: TripleStore) -> None:
    store.load(
        b'<http://a/s> <http://a/p> "1" <http://g/1> .\n<http://a/s> <http://a/p> <http://a/o> <http://g/1> .\n'
        b'<http://a/s> <http://a/p> "2" <http://g/2> .\n<http://a/s> <http://a/p> "3" .\n'
    )
    assert sorted(store.objects("http://a/s", "<http://a/p>", "http://g/1")) == ["1", "http://a/o"]
    assert store.objects("http://a/none", "<http://a/p>", "http://g/1") == []


def test_a_snapshot_stands_still(tmp_path: Path) -> None:
    with closing(TripleStore(tmp_path / "store")) as store:
        store.load(IN_ONE.encode())
        store.snapshot(tmp_path / "snapshot")
        store.load(IN_TWO.encode())
        assert len(ox.Store.read_only(str(tmp_path / "snapshot"))) == 1
        with pytest.raises(Misconfigured, match="snapshot"):
            store.snapshot(tmp_path / "snapshot")


def test_what_was_flushed_is_there_after_a_kill(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path; from provstore.store.oxigraph import TripleStore\n"
        "store = TripleStore(Path(sys.argv[1])); store.load(sys.argv[2].encode()); store.flush()\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}
    subprocess.run([sys.executable, "-c", script, tmp_path / "store", IN_ONE], env=environment, check=False)
    with closing(TripleStore(tmp_path / "store")) as store:
        assert store.dump() == [IN_ONE]


def test_a_directory_has_one_owner(tmp_path: Path) -> None:
    with closing(TripleStore(tmp_path / "store")), pytest.raises(DirectoryInUse):
        TripleStore(tmp_path / "store")
    TripleStore(tmp_path / "store").close()


def test_a_directory_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(Misconfigured, match="cannot be opened"):
        TripleStore(tmp_path / "file")
