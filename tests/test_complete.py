"""What would make a record complete: Turtle to append, by the command, and the same call from Python."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyoxigraph as ox
import pytest

import provstore
from provstore.capture.syntax import HERE
from provstore.errors import InvalidInput, NotFound
from provstore.validation import checking
from provstore.validation.profiles import SHIPPED, Version
from provstore.validation.results import Validation
from provstore.validation.snippets import PREFIXES
from tests.servers import command, event

PROV = "http://www.w3.org/ns/prov#"
HEAD = "".join(f"@prefix {name}: <{iri}> .\n" for name, iri in PREFIXES.items())
BAD = f"""@prefix prov: <{PROV}> .
<urn:a> a prov:Activity ; prov:startedAtTime "2026-03-01T03:00:00Z" .
_:u a prov:Usage .
<urn:c> prov:wasDerivedFrom "last year's {{report}} \\u202e" .
"""


def names(said: Validation) -> set[str]:
    return {each.shape.rpartition("#")[2] for each in said.results}


# --- the command -----------------------------------------------------------------------------------------------------


def test_what_it_prints_is_turtle_that_mends_the_document_when_appended(tmp_path: Path) -> None:
    (tmp_path / "bad.ttl").write_text(BAD)
    done = command("complete", "--profile", "prov-core/1", tmp_path / "bad.ttl")
    assert (done.returncode, done.stderr) == (1, b"")
    text = done.stdout.decode()
    list(ox.parse(text.encode(), format=ox.RdfFormat.TURTLE, base_iri="urn:base"))
    assert "# MUST time-is-a-date-time (prov-core/1): A time is not an xsd:dateTime." in text
    assert "_:u prov:entity <https://example.org/replace-me> .  # an example" in text
    assert '<urn:a> prov:startedAtTime "2026-03-01T03:00:00Z"^^xsd:dateTime .\n' in text
    assert "\u202e" not in "".join(line for line in text.splitlines() if line.startswith("#"))
    # do what it says: take away, and append
    taken = [line.partition("take away: ")[2] for line in text.splitlines() if "take away: " in line]
    assert len(taken) == 2
    kept = BAD.replace(' ; prov:startedAtTime "2026-03-01T03:00:00Z"', "").splitlines()[:3]
    left = provstore.validate("\n".join([*kept, text]), "prov-core/1")
    assert names(left) & names(provstore.validate(BAD, "prov-core/1")) == set()


def test_nothing_to_add(tmp_path: Path) -> None:
    (tmp_path / "good.json").write_text(json.dumps(event(1)))
    done = command("complete", "--profile", "prov-core/1", tmp_path / "good.json")
    assert (done.returncode, done.stdout) == (0, b"# Nothing was found by prov-core/1: there is nothing to add.\n")


def test_what_cannot_be_read_is_told_and_the_rest_is_done(tmp_path: Path) -> None:
    (tmp_path / "a.ttl").write_text("broken {")
    (tmp_path / "b.ttl").write_text(BAD)
    done = command("complete", tmp_path, "--output", tmp_path / "more.txt")
    assert (done.returncode, done.stdout) == (2, b"")
    text = (tmp_path / "more.txt").read_text()
    assert "could not be read" in text
    assert f"# === {tmp_path / 'b.ttl'}" in text


def test_a_record_of_the_store_by_its_name_or_digest(tmp_path: Path) -> None:
    (tmp_path / "bad.ttl").write_text(BAD)
    said = command("ingest", "--json", "--data", tmp_path / "data", tmp_path / "bad.ttl")
    record = json.loads(said.stdout)["record"]
    line = ("complete", "--data", tmp_path / "data", "--profile", "prov-core/1")
    by_name = command(*line, record)
    assert by_name.returncode == 1
    assert f"# === {record}".encode() in by_name.stdout
    assert command(*line, record.rpartition("/")[2]).stdout == by_name.stdout
    other = command(*line, record[:-1] + ("0" if record[-1] != "0" else "1"))
    assert (other.returncode, b"holds no record" in other.stderr) == (2, True)
    nowhere = command("complete", "--data", tmp_path / "none", record)
    assert (nowhere.returncode, b"there is no store" in nowhere.stderr) == (2, True)


# --- the call --------------------------------------------------------------------------------------------------------


def test_the_call_says_what_the_command_says(tmp_path: Path) -> None:
    (tmp_path / "bad.ttl").write_text(BAD)
    said = provstore.validate(tmp_path / "bad.ttl", "prov-core/1")
    done = command("validate", "--format", "json", "--profile", "prov-core/1", tmp_path / "bad.ttl")
    assert said.json() == json.loads(done.stdout)
    assert [said.conforms, said.code] == [False, done.returncode]


def test_every_kind_of_data() -> None:
    good = event(1)
    for data in (good, json.dumps(good), json.dumps(good).encode(), [good, good]):
        assert provstore.validate(data, ["prov-core/1"]).conforms is True
    lines = provstore.validate(f'{json.dumps(good)}\n{{"nonsense":\n')
    assert [verdict.error is None for verdict in lines.verdicts] == [True, False]
    assert lines.conforms is None
    nquads = '<urn:a> <urn:p> "[{" .\n'
    assert provstore.validate(nquads, media_type="application/n-quads", profile="prov-core/1").code == 0
    named = provstore.validate(BAD, "prov-core/1", base="https://id.example")
    assert {verdict.record for verdict in named.verdicts} >= {named.verdicts[0].record}
    assert str(named.verdicts[0].record).startswith("https://id.example/record/")


@pytest.mark.parametrize("data", ["", "garbage", b"\xff\xfe", "{", Path("/nowhere/at/all.ttl")])
def test_what_is_not_readable_raises(data: str | bytes | Path) -> None:
    with pytest.raises(InvalidInput):
        provstore.validate(data)
    with pytest.raises(NotFound, match="perhaps prov-core"):
        provstore.validate(BAD, "prov-cor")


def test_the_call_agrees_with_the_engine() -> None:
    (verdict,) = provstore.validate("<urn:a> a <urn:b> .", "prov-core/1").verdicts
    quads = f"<urn:a> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <urn:b> <{verdict.record}> .\n".encode()
    assert checking.validate(quads, "prov-core/1") == []


def test_importing_provstore_loads_no_engine() -> None:
    program = (
        "import sys, provstore; print(provstore.__version__, 'rdflib' in sys.modules, 'pyoxigraph' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [provstore.__version__, "False", "False"]


# --- every example of every profile ----------------------------------------------------------------------------------


def failing(version: Version) -> dict[str, list[ox.Triple]]:
    """The examples of a profile in which one of its rules finds something, by the name of the rule and a number."""
    found: dict[str, list[ox.Triple]] = {}
    for quad in ox.parse(version.examples(), format=ox.RdfFormat.TRIG):
        assert isinstance(quad.graph_name, ox.NamedNode)
        name = quad.graph_name.value.rpartition("#")[2]
        if ".fails" in name:
            found.setdefault(name, []).append(quad.triple)
    return found


def lines(turtle: str) -> list[str]:
    """Turtle as N-Triples, blank nodes with the labels that they have in it."""
    quads = ox.parse(f"{HEAD}{turtle}".encode(), format=ox.RdfFormat.TURTLE, base_iri=HERE)
    text = (ox.serialize(quads, format=ox.RdfFormat.N_TRIPLES) or b"").decode()
    return text.replace(f"<{HERE}", "<").splitlines()


@pytest.mark.parametrize("version", SHIPPED.newest(), ids=lambda version: version.token)
def test_examples_are_mended_by_what_is_told_in_their_own_words(version: Version) -> None:
    mended = 0
    for name, triples in failing(version).items():
        rule = name.partition(".")[0]
        document = (ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES) or b"").decode().splitlines()
        found = [each for each in provstore.validate("\n".join(document), version.token).results if each.fix]
        for _ in range(3):  # a rule may find the next thing only when the first is mended
            here = [each for each in found if each.shape.endswith(f"#{rule}")]
            if not here:
                break
            taken = {line for each in here if each.fix for line in lines(each.fix.remove)}
            added = [line for each in here if each.fix for line in lines(each.fix.add)]
            document = [*(line for line in document if line not in taken), *added]
            left = provstore.validate("\n".join(document), version.token, media_type="text/turtle").results
            found = [each for each in left if each.fix]
            mended += 1
        assert [each.shape for each in found if each.shape.endswith(f"#{rule}")] == [], name
    assert mended >= 5
