"""Verification: whatever is touched in a ledger is found, and the finding names the entry that it concerns."""

from __future__ import annotations

import itertools
import json
import os
import random
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provstore import jcs
from provstore.ledger import merkle
from provstore.ledger.examine import ROWS, examine, reader_of_contents
from provstore.ledger.log import Ledger
from provstore.ledger.note import Checkpoint, Signer
from provstore.ledger.tables import commitment, connect, posted_key, seal
from provstore.ledger.verify import Report, verify
from tests.ledgers import TIME, make, submission

COUNT = 20
SIZE = COUNT + 1
CELLS = ("salt", "payload", "quads_salt", "quads", "contents", "media_type", "record", "liberties", "seal")


class Kept:
    """A ledger of 20 records as it was when its checkpoint was taken home; damage is done to copies of it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        with closing(make(home / "sound", COUNT)) as ledger:
            self.checkpoint = ledger.checkpoint()
            self.root = ledger.root()

    def copy(self) -> Path:
        """A directory with the sound ledger in it, in place of the copy before."""
        target = self.home / "copy"
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(self.home / "sound", target)
        return target

    def open(self, directory: Path) -> sqlite3.Connection:
        db = sqlite3.connect(directory / "ledger.db", isolation_level=None)
        db.execute("PRAGMA synchronous=OFF")
        return db

    def after(self, *damage: str, do: Callable[[sqlite3.Connection], None] = lambda db: None) -> Report:
        """What verification says of a copy after these statements and this function."""
        directory = self.copy()
        with closing(self.open(directory)) as db:
            for statement in damage:
                db.execute(statement)
            do(db)
        return verify(directory, checkpoint=self.checkpoint)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    return Kept(tmp_path_factory.mktemp("kept"))


def named(report: Report) -> set[int | None]:
    """The indices that the findings of a damaged ledger name."""
    assert not report.ok
    assert report.status.startswith("DAMAGED")
    assert report.confirmed is None
    return {finding.index for finding in report.findings}


def flipped(raw: bytes) -> Iterator[bytes]:
    for i, bit in itertools.product(range(len(raw)), range(8)):
        yield raw[:i] + bytes([raw[i] ^ 1 << bit]) + raw[i + 1 :]


# -- what holds -------------------------------------------------------------------------------------------------------


def test_a_sound_ledger_is_verified_against_a_kept_checkpoint(kept: Kept) -> None:
    told: list[tuple[int, int]] = []
    report = verify(kept.home / "sound", checkpoint=kept.checkpoint, progress=lambda *seen: told.append(seen))
    assert report == Report(SIZE, kept.root.hex(), (), SIZE)
    assert report.status == f"VERIFIED: 21 entries, root {kept.root.hex()}, extending the kept checkpoint of 21 entries"
    assert told[-1] == (SIZE, SIZE)


def test_a_sound_ledger_alone_is_unwitnessed(kept: Kept) -> None:
    report = verify(kept.home / "sound")
    assert (report.ok, report.confirmed) == (True, None)
    assert report.status.startswith(f"UNWITNESSED: 21 entries, root {kept.root.hex()}")


def test_a_checkpoint_holds_while_the_log_grows(tmp_path: Path) -> None:
    with closing(make(tmp_path)) as ledger:
        notes = [ledger.checkpoint()]
        for n in range(40):
            ledger.append([submission(n)], TIME)
            notes.append(ledger.checkpoint())
        assert [verify(tmp_path, checkpoint=note).confirmed for note in notes] == list(range(1, 42))


def test_verifying_changes_nothing(kept: Kept) -> None:
    directory = kept.copy()
    before = {name: (directory / name).read_bytes() for name in ("ledger.db", "ledger.key")}
    assert verify(directory).ok
    assert {name: (directory / name).read_bytes() for name in before} == before
    assert all(not path.read_bytes() for path in directory.glob("*-wal"))


def test_a_copy_that_cannot_be_written_is_verified(kept: Kept) -> None:
    with tempfile.TemporaryDirectory() as place:  # not below pytest's folder, which is for one user alone
        directory = Path(place)
        shutil.copy(kept.home / "sound" / "ledger.db", directory)
        directory.chmod(0o555)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                if os.geteuid() == 0:  # to whom no directory is read-only
                    os.setgid(65534)
                    os.setuid(65534)
                code = 0 if verify(directory, checkpoint=kept.checkpoint).confirmed == SIZE else 2
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert [path.name for path in directory.iterdir()] == ["ledger.db"]
        directory.chmod(0o755)


def test_a_kept_checkpoint_of_another_log_is_refused(kept: Kept, tmp_path: Path) -> None:
    with closing(make(tmp_path, COUNT)) as other:
        note = other.checkpoint()
    for text in (note, "", "\ud800", kept.checkpoint[:-2], kept.checkpoint.replace("\n21\n", "\n20\n")):
        assert named(verify(kept.home / "sound", checkpoint=text)) == {None}


def test_no_ledger_is_a_finding(tmp_path: Path) -> None:
    assert named(verify(tmp_path)) == {None}
    assert list(tmp_path.iterdir()) == []


# -- every bit --------------------------------------------------------------------------------------------------------


def test_every_bit_of_every_entry_and_of_the_row_beside_it_counts(kept: Kept) -> None:
    """The function that `verify` applies to each row, on that row with one bit flipped: some 90,000 times."""
    tried = 0
    with closing(connect(kept.home / "sound" / "ledger.db", read_only=True)) as db:
        quads = reader_of_contents(db)
        for row in db.execute(ROWS).fetchall():
            assert examine(row, quads)[2] == []
            for cell, held in enumerate(row[1:], 1):
                text = isinstance(held, str)
                for other in flipped(held.encode() if text else held or b""):
                    value = other.decode("utf-8", "surrogateescape") if text else other
                    _, _, messages = examine((*row[:cell], value, *row[cell + 1 :]), quads)
                    assert messages, (row[0], cell)
                    tried += 1
    assert tried > 80_000


@pytest.mark.parametrize("cell", ["entry", *CELLS])
def test_a_flipped_bit_in_the_database_names_its_entry(kept: Kept, cell: str) -> None:
    """The same through the database and the whole of `verify`: of every cell, some bits of every record."""
    table = "entry" if cell == "entry" else "body"
    random.seed(cell)
    directory = kept.copy()
    with closing(kept.open(directory)) as db:
        for index in range(1, SIZE):
            (held,) = db.execute(f"SELECT {cell} FROM {table} WHERE idx = ?", (index,)).fetchone()
            raw = held.encode() if isinstance(held, str) else held
            for other in random.sample(list(flipped(raw)), 3):
                # a text cell stays one whatever its bytes: CAST does not look at them
                value = "CAST(? AS TEXT)" if isinstance(held, str) else "?"
                db.execute(f"UPDATE {table} SET {cell} = {value} WHERE idx = ?", (other, index))
                assert named(verify(directory, checkpoint=kept.checkpoint)) == {index}
            db.execute(f"UPDATE {table} SET {cell} = ? WHERE idx = ?", (held, index))
    assert verify(directory, checkpoint=kept.checkpoint).ok


def test_a_flipped_bit_of_the_genesis_is_found(kept: Kept) -> None:
    directory = kept.copy()
    with closing(kept.open(directory)) as db:
        (held,) = db.execute("SELECT entry FROM entry WHERE idx = 0").fetchone()
        for other in itertools.islice(flipped(held), 0, None, 7):
            db.execute("UPDATE entry SET entry = ? WHERE idx = 0", (other,))
            assert 0 in named(verify(directory, checkpoint=kept.checkpoint))


def test_a_flipped_bit_in_the_tree_names_the_entries_below(kept: Kept) -> None:
    directory = kept.copy()
    with closing(kept.open(directory)) as db:
        for level, n, held in db.execute("SELECT level, n, hash FROM node").fetchall():
            below = set(range(n << level, (n + 1) << level))
            for other in random.sample(list(flipped(held)), 3):
                db.execute("UPDATE node SET hash = ? WHERE level = ? AND n = ?", (other, level, n))
                indices = named(verify(directory, checkpoint=kept.checkpoint))
                assert indices & below, (level, n)
            db.execute("UPDATE node SET hash = ? WHERE level = ? AND n = ?", (held, level, n))


def test_a_flipped_bit_of_a_content_names_a_record_that_cites_it(kept: Kept) -> None:
    directory = kept.copy()
    citing = {f"ni:///sha-256;content-{n}": {i + 1 for i in range(0, COUNT, 3) if i % 4 == n} for n in range(4)}
    with closing(kept.open(directory)) as db:
        for iri, *cells in db.execute("SELECT iri, quads, digest, seal FROM content").fetchall():
            for name, held in zip(("quads", "digest", "seal"), cells, strict=True):
                for other in itertools.islice(flipped(held), 0, None, 11):
                    db.execute(f"UPDATE content SET {name} = ? WHERE iri = ?", (other, iri))
                    assert named(verify(directory, checkpoint=kept.checkpoint)) & citing[iri]
                db.execute(f"UPDATE content SET {name} = ? WHERE iri = ?", (held, iri))
            db.execute("UPDATE content SET iri = 'ni:///other' WHERE iri = ?", (iri,))
            assert named(verify(directory, checkpoint=kept.checkpoint)) >= citing[iri]
            db.execute("UPDATE content SET iri = ? WHERE iri = 'ni:///other'", (iri,))


# -- entries removed, swapped, added, cut off -------------------------------------------------------------------------


def shift(db: sqlite3.Connection, start: int, by: int, tables: Sequence[str] = ("entry", "body")) -> None:
    for table in tables:
        db.execute(f"UPDATE {table} SET idx = -idx - 1000 WHERE idx >= ?", (start,))
        db.execute(f"UPDATE {table} SET idx = -(idx + 1000) + ? WHERE idx < -999", (by,))


@pytest.mark.parametrize("index", range(SIZE))
def test_a_removed_entry_is_named(kept: Kept, index: int) -> None:
    entry, body = f"DELETE FROM entry WHERE idx = {index}", f"DELETE FROM body WHERE idx = {index}"
    node = f"DELETE FROM node WHERE level = 0 AND n = {index}"
    assert index in named(kept.after(entry))
    assert index in named(kept.after(entry, do=lambda db: shift(db, index + 1, -1, ("entry",))))
    for damage in ((entry, body), (entry, body, node)):
        assert index in named(kept.after(*damage))
        assert index in named(kept.after(*damage, do=lambda db: shift(db, index + 1, -1)))
    if index:
        assert named(kept.after(body)) - {None} == {index}


def test_swapped_entries_are_named(kept: Kept) -> None:
    def swap(db: sqlite3.Connection, tables: Sequence[str], i: int, j: int) -> None:
        for table in tables:
            for old, new in ((i, -5), (j, i), (-5, j)):
                db.execute(f"UPDATE {table} SET idx = ? WHERE idx = ?", (new, old))

    for i, j in itertools.combinations(range(1, SIZE), 2):
        tables = (("entry", "body"), ("entry",), ("body",))[(i + j) % 3]
        report = kept.after(do=lambda db, t=tables, i=i, j=j: swap(db, t, i, j))  # type: ignore[misc]
        assert named(report) - {None} == {i, j}
    assert 0 in named(kept.after(do=lambda db: swap(db, ("entry", "body"), 0, 7)))


def added(db: sqlite3.Connection, index: int) -> None:
    """A well-formed record at an index, with its body, that the log never appended."""
    body = db.execute("SELECT * FROM body ORDER BY idx LIMIT 1").fetchone()
    said = json.loads(db.execute("SELECT entry FROM entry WHERE idx = ?", body[:1]).fetchone()[0])
    said["payload"] = commitment(body[1], b"added")
    row = (body[1], b"added", *body[3:-1])
    db.execute("INSERT INTO entry VALUES (?, ?)", (index, jcs.dumps(said).encode()))
    db.execute("INSERT INTO body VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (index, *row, seal(row)))


@pytest.mark.parametrize("index", [*range(1, SIZE + 1), SIZE + 3])
def test_an_added_entry_is_named(kept: Kept, index: int) -> None:
    def insert(db: sqlite3.Connection) -> None:
        shift(db, index, 1)
        added(db, index)

    assert index in named(kept.after(do=insert))


@pytest.mark.parametrize("index", [-1, -(2**63), 2**62, 2**63 - 1])
def test_an_entry_at_an_absurd_index_is_named(kept: Kept, index: int) -> None:
    report = kept.after(do=lambda db: added(db, index))
    assert index in named(report)
    assert report.size == SIZE
    assert named(kept.after(f"INSERT INTO node VALUES (0, {index}, x'00')"))
    assert named(kept.after(f"INSERT INTO node VALUES ({index}, 0, x'00')"))
    assert named(kept.after(f"INSERT INTO body(idx) VALUES ({index})")) >= {index}


@pytest.mark.parametrize("size", range(SIZE))
def test_a_truncated_log_names_the_first_entry_missing(kept: Kept, size: int) -> None:
    entries = (f"DELETE FROM entry WHERE idx >= {size}",)
    bodies = (f"DELETE FROM body WHERE idx >= {size}", f"DELETE FROM posted WHERE idx >= {size}")
    tree = (f"DELETE FROM node WHERE (n + 1) << level > {size}",)
    signed = (f"DELETE FROM checkpoint WHERE size > {size}",)
    assert size in named(kept.after(*entries))
    assert size in named(kept.after(*entries, *bodies))
    assert size in named(kept.after(*entries, *tree))
    report = kept.after(*entries, *bodies, *tree, *signed)
    assert named(report) == {size}
    if size == 0:
        assert "no valid key" in str(report.findings)
    else:
        assert f"entry {size}: entries from here on are missing: the kept checkpoint covers more" in map(
            str, report.findings
        )


# -- rewriting it all: only the checkpoint that somebody kept tells ---------------------------------------------------


def resign(directory: Path, signer: Signer | None = None) -> None:
    """Make tree, re-post index and checkpoint fit the entries as they are: all that one who holds the key can do."""
    with closing(sqlite3.connect(directory / "ledger.db", isolation_level=None)) as db:
        entries = [entry for (entry,) in db.execute("SELECT entry FROM entry ORDER BY idx")]
        nodes: dict[tuple[int, int], bytes] = {}
        for index, entry in enumerate(entries):
            for level, n, held in merkle.new_nodes(index, merkle.leaf_hash(entry), lambda *at: nodes[at]):
                nodes[level, n] = held
        db.execute("DELETE FROM node")
        db.executemany("INSERT INTO node VALUES (?, ?, ?)", [(*at, held) for at, held in nodes.items()])
        origin = json.loads(entries[0])["origin"]
        signer = signer or Signer.load(origin, directory / "ledger.key")
        root = merkle.root(len(entries), lambda *at: nodes[at])
        db.execute("DELETE FROM checkpoint")
        note = signer.sign(Checkpoint(origin, len(entries), root))
        db.execute("INSERT INTO checkpoint VALUES (?, ?)", (len(entries), note))


def rewritten(kept: Kept, index: int, payload: bytes) -> Path:
    """A copy in which one record has another payload, and everything that could tell was made to fit."""
    directory = kept.copy()
    with closing(kept.open(directory)) as db:
        body = db.execute("SELECT * FROM body WHERE idx = ?", (index,)).fetchone()
        said = json.loads(db.execute("SELECT entry FROM entry WHERE idx = ?", (index,)).fetchone()[0])
        said["payload"] = commitment(body[1], payload)
        row = (body[1], payload, *body[3:-1])
        db.execute("UPDATE entry SET entry = ? WHERE idx = ?", (jcs.dumps(said).encode(), index))
        db.execute("UPDATE body SET payload = ?, seal = ? WHERE idx = ?", (payload, seal(row), index))
        db.execute("DELETE FROM posted WHERE idx = ?", (index,))
    resign(directory)
    with closing(Ledger(directory)) as ledger, closing(kept.open(directory)) as db:
        key = posted_key(ledger._index_key, "ann", body[6], payload)
        db.execute("INSERT INTO posted VALUES (?, ?)", (key, index))
    return directory


@pytest.mark.parametrize("index", [1, 7, COUNT])
def test_a_wholesale_rewrite_is_refused_by_the_kept_checkpoint(kept: Kept, index: int) -> None:
    """No index can be named: nothing in the rewritten log is at odds with the rest of it, only with the checkpoint."""
    directory = rewritten(kept, index, b"rewritten")
    assert verify(directory).status.startswith("UNWITNESSED")
    report = verify(directory, checkpoint=kept.checkpoint)
    assert named(report) == {None}
    assert "the first 21 entries are not those of the kept checkpoint" in str(report.findings[0])


def test_a_rewrite_under_another_key_is_refused_by_the_kept_checkpoint(kept: Kept) -> None:
    directory = kept.copy()
    (directory / "ledger.key").unlink()
    with closing(kept.open(directory)) as db:
        said = json.loads(db.execute("SELECT entry FROM entry WHERE idx = 0").fetchone()[0])
        signer = Signer.create(said["origin"], directory / "ledger.key")
        said["key"] = signer.verifier.vkey()
        db.execute("UPDATE entry SET entry = ? WHERE idx = 0", (jcs.dumps(said).encode(),))
    resign(directory)
    assert verify(directory).ok
    assert named(verify(directory, checkpoint=kept.checkpoint)) == {None}


def test_a_tree_that_contradicts_a_checkpoint_the_log_signed_is_found_without_a_kept_one(kept: Kept) -> None:
    directory = kept.copy()
    with closing(kept.open(directory)) as db:
        notes = db.execute("SELECT size, note FROM checkpoint").fetchall()
    directory = rewritten(kept, 3, b"rewritten")
    with closing(kept.open(directory)) as db:
        db.executemany("UPDATE checkpoint SET note = ?2 WHERE size = ?1", notes)
    assert named(verify(directory)) == {None}
    assert named(kept.after("UPDATE checkpoint SET note = 'forged'")) == {None}
    assert named(kept.after("UPDATE checkpoint SET size = 20")) == {None}


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"time": "2026-02-28T12:00:00Z"}, "lies before"),
        ({"time": "yesterday"}, "time cannot be read"),
        ({"v": "provstore.leaf/2"}, "is of version 'provstore.leaf/2'"),
        ({"kind": "genesis"}, "does not have the fields"),
        ({"kind": ["record"]}, "does not have the fields"),
        ({"name": "Ann"}, "does not have the fields"),
        ({"adapter": 1}, "has a field that is no text"),
        ({"actor": "00"}, "no name is held for its actor"),
        ("[]", "is not canonical JSON"),
        ("{}", "is of version None"),
        ("", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("1" * 10_000, "is not JSON"),
        ('{"v": 1}', "is not canonical JSON"),
        ('{"v":NaN}', "is not JSON"),
        ('{"v":"\\ud800"}', "is not JSON"),
    ],
)
def test_an_entry_that_no_log_of_ours_writes_is_named(kept: Kept, change: Any, wanted: str) -> None:
    """Even where the tree was made over it."""
    directory = kept.copy()
    with closing(kept.open(directory)) as db:
        said = json.loads(db.execute("SELECT entry FROM entry WHERE idx = 9").fetchone()[0])
        text = change if isinstance(change, str) else jcs.dumps({**said, **change})
        db.execute("UPDATE entry SET entry = ? WHERE idx = 9", (text.encode(),))
    resign(directory)
    report = verify(directory)
    assert 9 in named(report)
    assert any(finding.index == 9 and wanted in finding.message for finding in report.findings), report.findings


# -- what stands beside -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("damage", "index"),
    [
        ("UPDATE body SET payload = CAST(payload AS TEXT) WHERE idx = 4", 4),
        ("UPDATE entry SET entry = CAST(entry AS TEXT) WHERE idx = 4", 4),
        ("UPDATE body SET quads = 17 WHERE idx = 4", 4),
        ("UPDATE body SET quads = NULL, contents = NULL WHERE idx = 4", 4),
        ("UPDATE body SET contents = '[99999999999999999999]' WHERE idx = 4", 4),
        ("UPDATE body SET contents = '[[]]' WHERE idx = 4", 4),
        ("UPDATE body SET salt = NULL, payload = NULL, quads_salt = NULL, quads = NULL WHERE idx = 4", 4),
        ("DELETE FROM content", 1),
        ("UPDATE actor SET name = 'bob'", 1),
        ("UPDATE actor SET salt = NULL", None),
        ("UPDATE actor SET id = 'x'", 1),
        ("DELETE FROM actor", 1),
        ("DELETE FROM posted WHERE idx = 4", 4),
        ("UPDATE posted SET idx = 5 WHERE idx = 4", 4),
        ("INSERT INTO posted VALUES (x'00', 4)", None),
        ("UPDATE meta SET value = x'00'", 1),
        ("DELETE FROM meta", 1),
        ("INSERT INTO body(idx) VALUES (0)", 0),
        ("INSERT INTO node VALUES ('a', 'b', x'00')", 21),
        ("INSERT INTO node VALUES (0, 1.5, x'00')", 21),
        ("UPDATE node SET hash = 'text' WHERE level = 0 AND n = 4", 4),
        ("UPDATE node SET hash = x'00' WHERE level = 2 AND n = 1", 4),
        ("CREATE TRIGGER t AFTER INSERT ON entry BEGIN DELETE FROM entry; END", None),
        ("CREATE TABLE more(a)", None),
        ("DROP INDEX body_record", None),
        ("DROP TABLE body", None),
        ("DROP TABLE entry", None),
        ("DROP TABLE meta", None),
    ],
)
def test_damage_beside_the_entries_is_found(kept: Kept, damage: str, index: int | None) -> None:
    assert index in named(kept.after(damage))


def test_a_record_filed_under_another_iri_is_named(kept: Kept) -> None:
    def refile(db: sqlite3.Connection) -> None:
        row = list(db.execute("SELECT * FROM body WHERE idx = 4").fetchone())
        for iri in (submission(7).mapped.record, row[7][:-1], "", None):
            row[7] = iri
            row[-1] = seal(row[1:-1])
            db.execute("REPLACE INTO body VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    assert named(kept.after(do=refile)) == {4}


cells = st.one_of(
    st.none(), st.integers(), st.floats(), st.text(), st.binary(), st.sampled_from(['["a"]', "[]", "null"])
)


@given(st.integers(), st.lists(cells, min_size=11, max_size=11))
def test_any_row_is_examined_without_an_error(index: int, row: list[Any]) -> None:
    assert examine((index, *row), lambda iri: None)[2]


def test_any_body_is_examined_without_an_error(kept: Kept) -> None:
    with closing(connect(kept.home / "sound" / "ledger.db", read_only=True)) as db:
        sound = db.execute(ROWS).fetchall()[5]

    @given(st.integers(3, 11), cells)
    def one(cell: int, value: Any) -> None:
        row = (*sound[:cell], value, *sound[cell + 1 :])
        assert examine(row, lambda iri: b"")[2] or value == sound[cell]

    one()


# -- the file itself --------------------------------------------------------------------------------------------------


def logical(directory: Path) -> list[Any]:
    """All that the tables say, or nothing where they cannot be read."""
    with closing(sqlite3.connect(directory / "ledger.db")) as db:
        db.text_factory = bytes
        tables = [name.decode() for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows: list[Any] = [db.execute("SELECT type, name, sql FROM sqlite_master").fetchall()]
        rows += [sorted(map(repr, db.execute(f"SELECT * FROM {name}"))) for name in sorted(tables)]
        rows += db.execute("SELECT idx FROM body INDEXED BY body_record ORDER BY record").fetchall()
        return rows


def test_flipped_bytes_of_the_file_never_pass_for_a_sound_ledger(kept: Kept) -> None:
    directory = kept.copy()
    path = directory / "ledger.db"
    sound, said = path.read_bytes(), logical(directory)
    random.seed(20)
    places = [*range(100), *random.sample(range(len(sound)), 300)]
    damaged = 0
    for place in places:
        for left in directory.glob("ledger.db-*"):
            left.unlink()
        path.write_bytes(sound[:place] + bytes([sound[place] ^ 1 << random.randrange(8)]) + sound[place + 1 :])
        report = verify(directory, checkpoint=kept.checkpoint)
        if report.ok:
            assert report.status.startswith("VERIFIED")
            assert logical(directory) == said, place
        damaged += not report.ok
    assert damaged > 100


def test_a_catalogue_that_is_no_text_is_a_finding(kept: Kept) -> None:
    """SQLite quotes the damaged name in its message, and Python cannot decode it."""
    directory = kept.copy()
    path = directory / "ledger.db"
    sound = path.read_bytes()
    for name in (b"CREATE TABLE body(", b"tablebodybody", b"CREATE INDEX body_record"):
        place = sound.index(name)
        for other in (b"\xce", b"O"):
            path.write_bytes(sound[: place + 2] + other + sound[place + 3 :])
            assert named(verify(directory, checkpoint=kept.checkpoint)) == {None}


def test_a_cut_file_never_passes_for_a_sound_ledger(kept: Kept) -> None:
    directory = kept.copy()
    sound = (directory / "ledger.db").read_bytes()
    last = len(sound.rstrip(b"\0")) - 1  # SQLite reads what is missing at the end as zeros, so a lost zero is no loss
    for length in [*range(0, 2000, 97), *range(2048, len(sound), 2048), last]:
        (directory / "ledger.db").write_bytes(sound[:length])
        named(verify(directory, checkpoint=kept.checkpoint))
