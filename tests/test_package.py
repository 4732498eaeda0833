"""A package proves itself: what it holds, and that nothing in it can be changed unnoticed."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import io
import os
import shutil
import struct
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provstore.export import verify
from provstore.export.archive import Writer
from provstore.export.package import VERIFIER, verifier_digest
from provstore.ledger.log import Ledger
from provstore.ledger.note import Checkpoint
from tests.ledgers import BASE, TIME, content, make, submission
from tests.packages import Files, attested, files, manifest, package, put, signed, zipped

#: What only the one who made the package says; the ledger commits to everything else.
WORD = ("README.txt", "index.html", "verify.py", "derived/graph.nq")


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    made = make(tmp_path_factory.mktemp("ledger") / "data", 9)
    yield made
    made.close()


@pytest.fixture(scope="module")
def data(ledger: Ledger) -> bytes:
    return package(ledger, 1, 3, 4, derived=b"<urn:a> <urn:b> <urn:c> <urn:d> .\n")


@pytest.fixture(scope="module")
def inside(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The verifier as it lies in the package itself, loaded from there."""
    path = tmp_path_factory.mktemp("inside") / "verify.py"
    path.write_bytes(files(data)["verify.py"])
    spec = importlib.util.spec_from_file_location("verifier_inside", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


def judged(tmp_path: Path, data: bytes, **options: Any) -> verify.Report:
    path = tmp_path / "p.zip"
    path.write_bytes(data)
    return verify.check(path, **options)


def said(report: verify.Report) -> str:
    return "\n".join(report.lines())


# --- what is in it ---------------------------------------------------------------------------------------------------


def test_a_package_holds_what_the_ledger_holds(ledger: Ledger, data: bytes) -> None:
    members = files(data)
    assert [each["index"] for each in manifest(members)["records"]] == [1, 3, 4]
    for index in (1, 3, 4):
        body, home = ledger.body(index), f"records/{index}"
        assert members[f"{home}/entry.json"] == ledger.entry(index)
        assert members[f"{home}/payload.json"] == body.payload
        assert members[f"{home}/quads.nq"] == body.quads
    cited = [content(0), content(3)]  # by the first and the fourth submission
    assert {data for name, data in members.items() if name.startswith("contents/")} == {c.quads for c in cited}
    records = b"".join(ledger.body(index).quads for index in (1, 3, 4))
    assert members["graph.nq"] == records + b"".join(c.quads for c in cited)
    assert members["verify.py"] == VERIFIER.read_bytes()
    assert members["checkpoint.txt"].decode() == ledger.checkpoint()


def test_the_same_gives_the_same_bytes(ledger: Ledger, data: bytes) -> None:
    assert package(ledger, 1, 3, 4, derived=b"<urn:a> <urn:b> <urn:c> <urn:d> .\n") == data


def test_a_package_is_readable_as_a_zip_file(data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as held:
        assert held.testzip() is None
        assert all(each.compress_type == zipfile.ZIP_STORED for each in held.infolist())
        assert all(each.external_attr == 0o100644 << 16 for each in held.infolist())


def test_the_verifier_imports_nothing_but_cryptography_and_parses_as_python_3_9() -> None:
    tree = ast.parse(VERIFIER.read_text(), feature_version=(3, 9))
    names = {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names) == {"cryptography"}


def test_two_entries_of_one_record_share_its_graph(tmp_path: Path) -> None:
    made = Ledger.create(tmp_path / "data", base=BASE, received=TIME)
    made.append([submission(1, actor="ann"), submission(1, actor="bob")], TIME)
    data = package(made, 1, 2)
    assert files(data)["graph.nq"] == made.body(1).quads == made.body(2).quads
    assert judged(tmp_path, data).code == 0
    made.close()


def test_an_erased_record_is_told_as_one(tmp_path: Path) -> None:
    made = make(tmp_path / "data", 3)
    made._writer.execute("DELETE FROM body WHERE idx = 2")
    data = package(made, 1, 2)
    report = judged(tmp_path, data)
    assert report.code == 0
    assert "entry 2: the ledger holds its place, but no payload or statements any more" in said(report)
    assert "not held" in files(data)["index.html"].decode()
    made.close()


def test_what_is_shown_to_people_is_escaped(tmp_path: Path) -> None:
    made = Ledger.create(tmp_path / "data", base=BASE, received=TIME)
    made.append([submission(1, actor="<script>alert(1)</script>")], TIME)
    page = files(package(made, 1))["index.html"].decode()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "Content-Security-Policy" in page
    made.close()


# --- every byte ------------------------------------------------------------------------------------------------------


def flipped(path: Path, passes: Callable[[int], bool], positions: Iterable[int], start: int = 0) -> list[int]:
    """Those of the positions of a file at which a changed bit, another one from byte to byte, passes."""
    with path.open("r+b") as file:
        passed, whole = [], path.read_bytes()
        for at in positions:
            os.pwrite(file.fileno(), bytes([whole[at] ^ 1 << (start + at) % 8]), at)
            if passes(at):
                passed.append(at)
            os.pwrite(file.fileno(), whole[at : at + 1], at)
    return passed


def _telling(path: Path) -> Iterator[range]:
    """The bytes of a ZIP file in which bits are changed: all, but of the long texts, hashed like the others, a part."""
    at = 0
    with zipfile.ZipFile(path) as held:
        for each in sorted(held.infolist(), key=lambda each: each.header_offset):
            begin = each.header_offset + 30 + len(each.filename.encode())  # APPNOTE 4.3.7: the local file header
            yield range(at, begin)
            yield range(begin, begin + each.compress_size, 7 if each.filename in WORD else 1)
            at = begin + each.compress_size
    yield range(at, path.stat().st_size)


@pytest.mark.slow
def test_every_changed_byte_of_the_zip_file_is_refused(ledger: Ledger, inside: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "p.zip"
    path.write_bytes(package(ledger, 1))
    assert inside.check(path).code == 0
    positions = [at for part in _telling(path) for at in part]
    assert flipped(path, lambda at: inside.check(path).code != 1, positions, hash(tmp_path) % 8) == []
    assert inside.check(path).code == 0


@pytest.mark.slow
def test_every_changed_byte_of_the_directory_is_refused(ledger: Ledger, inside: ModuleType, tmp_path: Path) -> None:
    members = files(package(ledger, 1))
    home = put(members, tmp_path / "p")
    assert inside.check(home).code == 0
    for name in members:  # of the long texts, which are hashed like the others, a part
        positions = range(0, len(members[name]), 7 if name in WORD else 1)
        assert flipped(home / name, lambda at: inside.check(home).code != 1, positions) == [], name
    assert inside.check(home).code == 0


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(draw=st.data())
def test_any_other_bytes_are_refused(data: bytes, inside: ModuleType, tmp_path: Path, draw: st.DataObject) -> None:
    at = draw.draw(st.integers(0, len(data)))
    to = draw.draw(st.integers(at, len(data)))
    put_in = draw.draw(st.binary(max_size=8))
    kept, cut = data[:at], data[at:to]
    changed = draw.draw(
        st.sampled_from(
            [
                kept + put_in + data[at:],  # inserted
                kept + data[to:],  # deleted
                kept + cut[::-1] + data[to:],  # turned round
                kept,  # cut short
                data + put_in,  # added to
                put_in + data,
                kept + put_in + data[at + len(put_in) :],  # overwritten
                data[to:] + data[:to],  # swapped
                kept + cut + cut + data[to:],  # doubled
            ]
        )
    )
    path = tmp_path / "p.zip"
    path.write_bytes(changed)
    assert inside.check(path).code == (0 if changed == data else 1)


def test_a_finding_says_what_and_where(data: bytes, tmp_path: Path) -> None:
    members = files(data)
    for name in ("records/3/payload.json", "README.txt", "verify.py", "contents/" + min(_digests(members))):
        changed = {**members, name: members[name][:-1] + b"\x00"}
        assert said(judged(tmp_path, zipped(changed))).startswith(f"{name}: was changed")
        assert verify.check(put(changed, tmp_path / name.replace("/", "-"))).code == 1


def _digests(members: Files) -> list[str]:
    return [name.removeprefix("contents/") for name in members if name.startswith("contents/")]


# --- what the owner of the key cannot do -----------------------------------------------------------------------------


def test_signing_anew_what_was_not_changed_passes(ledger: Ledger, data: bytes, tmp_path: Path) -> None:
    assert signed(ledger, files(data)) == data


@pytest.mark.slow
def test_not_even_the_ledgers_key_can_change_what_the_ledger_commits_to(
    ledger: Ledger, data: bytes, tmp_path: Path
) -> None:
    members = files(data)
    passed = []
    for name, held in members.items():
        if name.startswith("manifest."):
            continue
        for at in range(0, len(held), 1 if len(held) < 400 else 7):
            changed = held[:at] + bytes([held[at] ^ 1 << at % 7]) + held[at + 1 :]
            if judged(tmp_path, signed(ledger, {**members, name: changed})).code != 1:
                passed.append(name)
                break
    assert sorted(passed) == sorted(WORD)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("base", lambda m: "https://other.example"),
        ("origin", lambda m: "other.invalid/x"),
        ("format", lambda m: "provstore.package/2"),
        ("checkpoint", lambda m: {**m["checkpoint"], "size": m["checkpoint"]["size"] + 1}),
        ("counts", lambda m: {**m["counts"], "missing": 1}),
        ("counts", lambda m: {}),
        ("derived", lambda m: None),
        ("consistency", lambda m: [2]),
        ("records", lambda m: m["records"][1:]),
        ("records", lambda m: m["records"][::-1]),
        ("records", lambda m: [*m["records"], m["records"][-1]]),
        ("records", lambda m: []),
        ("records", lambda m: 7),
        ("records", lambda m: [[]]),
        ("records", lambda m: [{**m["records"][0], "record": m["records"][1]["record"]}, *m["records"][1:]]),
        ("records", lambda m: [{**m["records"][0], "payload": "entry.json"}, *m["records"][1:]]),
        ("records", lambda m: [{**m["records"][0], "payload": "../../README.txt"}, *m["records"][1:]]),
        ("records", lambda m: [{**m["records"][0], "payload": None}, *m["records"][1:]]),
        ("records", lambda m: [{**m["records"][0], "contents": []}, *m["records"][1:]]),
        ("records", lambda m: [{**m["records"][0], "contents": None}, *m["records"][1:]]),
        ("records", lambda m: [{**m["records"][0], "index": "1"}, *m["records"][1:]]),
        ("records", lambda m: [{**m["records"][0], "index": 0}, *m["records"][1:]]),
        ("records", lambda m: [_renamed(m["records"][0]), *m["records"][1:]]),
    ],
)
def test_a_signed_manifest_that_lies_is_refused(
    ledger: Ledger, data: bytes, tmp_path: Path, name: str, change: Callable[[dict[str, Any]], Any]
) -> None:
    members = files(data)
    report = judged(tmp_path, signed(ledger, members, **{name: change(manifest(members))}))
    assert report.code == 1, said(report)


#: What stands in the manifest alone, and so can be said by the one who made the package.
TOLD = ("derived/index", "liberties", "mediaType", "selection")
NONSENSE: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1,
    10**30,
    0.5,
    "",
    "\x1b[2J",
    "../x",
    "\u202e",
    [],
    [[]],
    {},
    {"": None},
)


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The way to every value inside a value of JSON."""
    yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in inside:
        yield from places(each, (*path, name))


def test_no_nonsense_in_a_signed_manifest_passes_or_breaks_the_verifier(
    ledger: Ledger, data: bytes, tmp_path: Path
) -> None:
    members, passed = files(data), set()
    for path in places(manifest(members)):
        for nonsense in NONSENSE:
            told = manifest(members)
            if not path:
                told = nonsense
            else:
                holder: Any = told
                for step in path[:-1]:
                    holder = holder[step]
                if holder[path[-1]] == nonsense:
                    continue
                holder[path[-1]] = nonsense
            report = judged(tmp_path, attested(ledger, members, told))
            assert said(report).replace("\n", "").isprintable()
            if report.code != 1:
                passed.add("/".join(map(str, path)))
    assert {name for name in passed if not any(each in name for each in TOLD)} == set()
    assert passed  # a record may be said to be of another media type


def _renamed(record: dict[str, Any]) -> dict[str, Any]:
    return {**record, "contents": [{**each, "iri": "ni:///sha-256;other"} for each in record["contents"]]}


def test_a_record_cannot_take_the_place_of_another(ledger: Ledger, data: bytes, tmp_path: Path) -> None:
    members = files(data)
    swapped = {
        name: members[name.replace("records/3/", "records/4/")]
        if name.startswith("records/3/") and name != "records/3/proof.json"
        else held
        for name, held in members.items()
    }
    assert "records/3" in said(judged(tmp_path, signed(ledger, swapped)))


def shifted(members: Files, by: int) -> tuple[Files, list[dict[str, Any]]]:
    """The first record with `by` bytes of its content at the end of its own statements, or the other way round."""
    records = manifest(members)["records"]
    (cited,) = records[0]["contents"]
    own, content = members["records/1/quads.nq"], members[cited["file"]]
    whole = own + content
    cut, name = len(own) + by, "contents/{}.nq"
    name = name.format(hashlib.sha256(whole[cut:]).hexdigest())
    changed = {each: data for each, data in members.items() if each != cited["file"]}
    changed |= {"records/1/quads.nq": whole[:cut], name: whole[cut:]}
    iri = cited["iri"] if by > 0 else records[0]["record"]
    records[0]["contents"] = [{"file": name, "iri": iri}]
    return changed, records


def test_what_is_committed_to_together_cannot_be_parted_elsewhere(ledger: Ledger, tmp_path: Path) -> None:
    members = files(package(ledger, 1))
    own, (cited,) = len(members["records/1/quads.nq"]), manifest(members)["records"][0]["contents"]
    assert shifted(members, 0)[0] == members
    for by in (-own, -own + 1, -1, 1, 20, len(members[cited["file"]]) - 1, len(members[cited["file"]])):
        changed, records = shifted(members, by)
        report = judged(tmp_path, signed(ledger, changed, records=records))
        assert report.code == 1
        assert "commits to" not in said(report)  # the commitment holds: it is over both, one after the other


def test_what_belongs_to_nothing_is_refused_though_signed(ledger: Ledger, data: bytes, tmp_path: Path) -> None:
    report = judged(tmp_path, signed(ledger, {"notes.txt": b"trust me", **files(data)}))
    assert "notes.txt: belongs to nothing in the package" in said(report)


@pytest.mark.parametrize("gone", ["README.txt", "graph.nq", "records/3/proof.json", "records/4/payload.json"])
def test_what_is_missing_is_named_though_signed(ledger: Ledger, data: bytes, tmp_path: Path, gone: str) -> None:
    members = {name: held for name, held in files(data).items() if name != gone}
    report = judged(tmp_path, signed(ledger, members))
    assert report.code == 1
    assert gone in said(report)


def test_a_checkpoint_is_no_manifest_signature_and_the_other_way_round(ledger: Ledger, data: bytes) -> None:
    note = ledger.attest("package", "2", "x")
    assert note.startswith(f"{ledger.origin}/package\n")
    with pytest.raises(ValueError, match="checkpoint"):
        ledger.verifier.open(files(data)["manifest.sig"].decode())


# --- what was kept elsewhere -----------------------------------------------------------------------------------------


def grown(tmp_path: Path) -> tuple[Ledger, list[str]]:
    """A ledger, and the checkpoints it gave at 4, 7 and 9 entries."""
    made, notes = make(tmp_path / "data", 3), []
    for first, last in ((3, 3), (3, 6), (6, 8)):
        made.append([submission(n) for n in range(first, last)], TIME)
        notes.append(made.checkpoint())
    return made, notes


def test_a_kept_checkpoint_of_the_same_size_is_enough(tmp_path: Path) -> None:
    made, notes = grown(tmp_path)
    report = judged(tmp_path, package(made, 1), checkpoint=notes[-1])
    assert report.status.startswith("VERIFIED: 1 record of a ledger of 9 entries")
    made.close()


def test_an_older_one_needs_its_proof(tmp_path: Path) -> None:
    made, notes = grown(tmp_path)
    without = judged(tmp_path, package(made, 1), checkpoint=notes[0])
    assert (without.code, without.ok) == (2, True)
    assert "UNWITNESSED" in without.status
    assert "cannot be connected" in without.status
    with_it = judged(tmp_path, package(made, 1, kept=(4, 7)), checkpoint=notes[0])
    assert with_it.status.endswith("extending the kept checkpoint of 4 entries")
    assert with_it.code == 0
    by_hand = [step.hex() for step in made.consistency(4, 9)]
    proof = f'{{"from":4,"to":9,"proof":{by_hand}}}'.replace("'", '"')
    assert judged(tmp_path, package(made, 1), checkpoint=notes[0], proof=proof).code == 0
    assert judged(tmp_path, package(made, 1), checkpoint=notes[1], proof=proof).code == 1
    made.close()


def test_a_newer_one_needs_a_proof_from_the_log(tmp_path: Path) -> None:
    made, _ = grown(tmp_path)
    data = package(made, 1)
    made.append([submission(50)], TIME)
    newer = made.checkpoint()
    assert judged(tmp_path, data, checkpoint=newer).code == 2
    steps = [step.hex() for step in made.consistency(9, 10)]
    proof = f'{{"from":9,"to":10,"proof":{steps}}}'.replace("'", '"')
    report = judged(tmp_path, data, checkpoint=newer, proof=proof)
    assert report.status.endswith("extended by the kept checkpoint of 10 entries")
    assert judged(tmp_path, data, checkpoint=newer, proof=proof.replace(steps[0][:4], "0000")).code == 1
    made.close()


def test_a_rewritten_ledger_is_found_by_what_was_kept(tmp_path: Path) -> None:
    """Its owner has the key, begins again from the genesis entry, and signs everything anew."""
    made = make(tmp_path / "data", 1)
    made.close()
    shutil.copytree(tmp_path / "data", tmp_path / "rewritten")
    notes = []
    for directory, numbers in ((tmp_path / "data", (1, 2)), (tmp_path / "rewritten", (7, 2))):
        made = Ledger(directory)
        for number in numbers:
            made.append([submission(number)], TIME)
            notes.append(made.checkpoint())
        data = package(made, 1, 2, kept=(3,))
        made.close()
    assert judged(tmp_path, data).code == 0  # it is whole in itself, and that is why it is called unwitnessed
    assert judged(tmp_path, data, checkpoint=notes[3]).code == 0
    assert "is not of the ledger that the package comes from" in said(judged(tmp_path, data, checkpoint=notes[0]))
    assert "two different trees of 4 entries" in said(judged(tmp_path, data, checkpoint=notes[1]))


def test_a_fork_under_the_same_key_is_told_as_one(tmp_path: Path) -> None:
    made, _ = grown(tmp_path)
    forged = made._signer.sign(Checkpoint(made.origin, made.size(), hashlib.sha256(b"x").digest()))
    report = judged(tmp_path, package(made, 1), checkpoint=forged)
    assert "this log signed two different trees of 9 entries" in said(report)
    made.close()


def test_a_kept_checkpoint_of_another_log_is_refused(ledger: Ledger, data: bytes, tmp_path: Path) -> None:
    made, notes = grown(tmp_path)
    made.close()
    assert judged(tmp_path, data, checkpoint=notes[-1]).code == 1
    for junk in ("", "x", "\n\n", "a\n1\nAAAA\n\n— b c\n", "\ud800"):
        assert judged(tmp_path, data, checkpoint=junk).code == 1


def test_the_key_is_compared_with_the_one_you_trust(ledger: Ledger, data: bytes, tmp_path: Path) -> None:
    report = judged(tmp_path, data, key=ledger.verifier.vkey())
    assert report.code == 0
    assert "which you trust" in said(report)
    assert "UNWITNESSED" in report.status  # the key alone does not show that nothing was rewritten
    made = make(tmp_path / "other", 1)
    assert "key.txt: is not the key that you trust" in said(judged(tmp_path, data, key=made.verifier.vkey()))
    assert judged(tmp_path, data, key="nonsense+key").code == 1
    made.close()


# --- hostile archives ------------------------------------------------------------------------------------------------


def loose(write: Callable[[zipfile.ZipFile], None], data: bytes = b"") -> bytes:
    """What another program makes: a ZIP file written by the library that everybody has."""
    out = io.BytesIO(data)
    with zipfile.ZipFile(out, "a" if data else "w") as held:
        write(held)
    return out.getvalue()


@pytest.mark.parametrize(
    "hostile",
    [
        b"",
        b"PK",
        b"PK\x05\x06" + bytes(18),
        b"PK\x05\x06" + b"\xff" * 18,
        bytes(100_000),
        b"PK\x06\x06" + bytes(52) + b"PK\x06\x07" + bytes(16) + b"PK\x05\x06" + b"\xff" * 16 + bytes(2),
        loose(lambda held: held.writestr("../../etc/passwd", "x")),
        loose(lambda held: held.writestr("/etc/passwd", "x")),
        loose(lambda held: held.writestr("a\\b", "x")),
        loose(lambda held: held.writestr("manifest.json", "{}")),
        loose(lambda held: held.writestr("manifest.json", "0" * 100_000_000, zipfile.ZIP_DEFLATED)),
        zipped({"manifest.json": b"{}"}),
        zipped({"manifest.json": b"[" * 100_000}),
        zipped({"manifest.json": b"\xff"}),
        zipped({"manifest.json": b"9" * 10_000}),
        zipped({"manifest.json": b'"\\ud800"'}),
        zipped({"README.txt": b""}),
        zipped({}),
    ],
    ids=range(18),
)
def test_what_is_no_package_is_refused(tmp_path: Path, hostile: bytes) -> None:
    report = judged(tmp_path, hostile)
    assert report.code == 1
    assert report.status.startswith("FAILED")


def test_a_bomb_is_not_opened(tmp_path: Path) -> None:
    """A member that says it is large, and a directory that says it is."""
    for size in (1 << 31, 1 << 40):
        header = verify.member_header("manifest.json", 0, size)
        entry = verify.directory_entry("manifest.json", 0, size, 0)
        end = verify.directory_end(1, len(entry), len(header))
        assert judged(tmp_path, header + entry + end).code == 1
        assert judged(tmp_path, verify.directory_end(1, size, 0)).code == 1


def test_names_that_lead_out_or_hide_are_refused(tmp_path: Path, data: bytes) -> None:
    for name in ("../x", "/x", "a/../x", ".x", "a/.x", "a//x", "x/", "a\\x", "ü", "a b", "", "x" * 101):
        assert judged(tmp_path, zipped({**files(data), name: b""})).code == 1, name


def test_a_name_twice_is_refused(tmp_path: Path, data: bytes) -> None:
    out = io.BytesIO()
    writer = Writer(out)
    for name, held in [("README.txt", b"another"), *files(data).items()]:
        writer.add(name, held)
    writer.finish()
    assert judged(tmp_path, out.getvalue()).code == 1


def test_another_layout_of_the_same_files_is_refused(tmp_path: Path, data: bytes) -> None:
    members = files(data)
    turned = dict(reversed(members.items()))
    assert "order" in said(judged(tmp_path, zipped(turned)))
    for packed in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        assert judged(tmp_path, loose(lambda held, k=packed: _all(held, members, k))).code == 1  # type: ignore[misc]
    assert judged(tmp_path, loose(lambda held: setattr(held, "comment", b"x"), data)).code == 1


def _all(held: zipfile.ZipFile, members: Files, packed: int) -> None:
    for name, data in members.items():
        held.writestr(zipfile.ZipInfo(name), data, packed)


@pytest.mark.parametrize("link", ["file", "directory", "pipe", "hidden", "empty", "more", "package"])
def test_what_does_not_belong_in_a_directory_is_refused(tmp_path: Path, data: bytes, link: str) -> None:
    home = put(files(data), tmp_path / "p")
    readme = home / "README.txt"
    if link == "file":
        (tmp_path / "elsewhere").write_bytes(readme.read_bytes())
        readme.unlink()
        readme.symlink_to(tmp_path / "elsewhere")
    elif link == "directory":
        (home / "records").rename(tmp_path / "records")
        (home / "records").symlink_to(tmp_path / "records")
    elif link == "pipe":
        readme.unlink()
        os.mkfifo(readme)
    elif link == "empty":
        (home / "more").mkdir()
    elif link == "package":
        (home / "p.zip").write_bytes(data)
    else:
        (home / {"hidden": ".x", "more": "x"}[link]).write_text("")
    assert verify.check(home).code == 1


def test_where_nothing_can_be_read_is_no_verdict(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "none.zip", tmp_path / "pipe"):
        with pytest.raises(verify.Impossible):
            verify.check(path)


def test_an_archive_of_very_many_members_is_one_that_others_read() -> None:
    out = io.BytesIO()
    writer = Writer(out)
    for n in range(65_536):
        writer.add(f"f{n}", b"")
    writer.finish()
    with zipfile.ZipFile(out) as held:
        assert len(held.namelist()) == 65_536
    assert len(verify.Archive(out).sizes) == 65_536


def test_what_does_not_fit_32_bits_is_written_as_the_format_wants() -> None:
    size, offset = 1 << 33, 1 << 34
    name = "x"
    header, entry = verify.member_header(name, 7, size), verify.directory_entry(name, 7, size, offset)
    assert struct.unpack_from("<HHQQ", header, 30 + 1) == (1, 16, size, size)
    assert struct.unpack_from("<HHQQQ", entry, 46 + 1) == (1, 24, size, size, offset)
    end = verify.directory_end(1, len(entry), offset)
    assert len(end) == 56 + 20 + 22
    # the library reads the directory, not what is not there
    with zipfile.ZipFile(_Sparse(offset, entry + end)) as held:
        (found,) = held.infolist()
    assert (found.file_size, found.header_offset) == (size, offset)


class _Sparse(io.RawIOBase):
    """A file of zeros up to an offset, then some bytes."""

    def __init__(self, offset: int, tail: bytes) -> None:
        self._offset, self._tail, self._at = offset, tail, 0

    def seekable(self) -> bool:
        return True

    def seek(self, to: int, whence: int = 0) -> int:
        self._at = to + (0, self._at, self._offset + len(self._tail))[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        start = self._at - self._offset
        assert start >= 0
        found = self._tail[start:] if size < 0 else self._tail[start : start + size]
        self._at += len(found)
        return found


# --- elsewhere -------------------------------------------------------------------------------------------------------


def python_with(home: Path, *modules: str) -> Path:
    """The Python of a new environment that holds these modules of ours and nothing else."""
    venv.create(home, with_pip=False)
    (site,) = home.glob("lib/python*/site-packages")
    for name in modules:
        for found in Path(sysconfig.get_path("purelib")).glob(name):
            (site / found.name).symlink_to(found)
    return home / "bin" / "python"


def ran(python: Path, *arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    line = [str(python), *map(str, arguments)]
    return subprocess.run(line, cwd=cwd, env=clean, capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with cryptography, and without provstore."""
    python = python_with(tmp_path_factory.mktemp("elsewhere") / "env", "cryptography", "_cffi_backend*")
    assert "No module named 'provstore'" in ran(python, "-c", "import provstore", cwd=Path("/")).stderr
    return python


def test_a_package_verifies_where_provstore_is_not(
    ledger: Ledger, data: bytes, elsewhere: Path, tmp_path: Path
) -> None:
    home = put(files(data), tmp_path / "p")
    (tmp_path / "p.zip").write_bytes(data)
    (tmp_path / "kept.txt").write_text(ledger.checkpoint())
    (tmp_path / "key.txt").write_text(ledger.verifier.vkey())
    done = ran(elsewhere, "-I", "verify.py", cwd=home)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].startswith("UNWITNESSED: 3 records of a ledger of 10 entries")
    given = ("--checkpoint", tmp_path / "kept.txt", "--key", tmp_path / "key.txt")
    for target in (tmp_path / "p.zip", home):
        done = ran(elsewhere, "-I", home / "verify.py", target, *given, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.splitlines()[-1].startswith("VERIFIED: 3 records")
    assert sorted(path.name for path in home.iterdir()) == sorted({name.partition("/")[0] for name in files(data)})


@pytest.mark.parametrize("name", ["records/3/quads.nq", "records/0/entry.json", "index.html", "verify.py", "key.txt"])
def test_a_changed_package_is_refused_where_provstore_is_not(
    data: bytes, elsewhere: Path, tmp_path: Path, name: str
) -> None:
    members = files(data)
    changed = {**members, name: members[name] + b"\n"}
    home = put(changed, tmp_path / "p")
    done = ran(elsewhere, "-I", "verify.py", cwd=home)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].startswith("FAILED")


def test_what_is_lacking_is_said(data: bytes, elsewhere: Path, tmp_path: Path) -> None:
    home = put(files(data), tmp_path / "p")
    done = ran(python_with(tmp_path / "env"), "-I", "verify.py", cwd=home)
    assert done.returncode == 2
    assert "pip install cryptography" in done.stderr
    for lacking in (("none.zip",), (home, "--checkpoint", "none.txt"), (home, "--key", "none.txt")):
        done = ran(elsewhere, "-I", home / "verify.py", *lacking, cwd=tmp_path)
        assert done.returncode == 2
        assert "cannot be read" in done.stderr
        assert "Traceback" not in done.stderr


def test_the_digest_of_the_verifier_is_told() -> None:
    assert verifier_digest() == hashlib.sha256(VERIFIER.read_bytes()).hexdigest()
