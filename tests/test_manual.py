"""The help of each command: exit codes and examples, each of which is run as it is written."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from provstore import resources
from provstore.cli import build_parser
from provstore.cli.manual import CODES, MANUAL
from provstore.cli.parser import subcommands
from tests.goldens import FIXTURES
from tests.servers import command, environment, serving
from tests.suites import ROOT

pytestmark = pytest.mark.slow

COMMANDS = subcommands(build_parser())
_SERVED = re.compile(rb"provstore serves (http://127\.0\.0\.1:\d+)\n")


def test_every_command_is_in_the_manual_and_has_an_example() -> None:
    assert set(MANUAL) == set(COMMANDS)
    for name, entry in MANUAL.items():
        assert entry.examples, name
        for line, says in entry.examples:
            assert re.match(rf"provstore {name}\b", line), line
            assert says
        assert set(entry.codes()) <= set(CODES)


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_says_what_it_takes_what_codes_mean_and_examples(name: str) -> None:
    done = command(*filter(None, [name]), "--help")
    assert (done.returncode, done.stderr) == (0, b"")
    said = done.stdout.decode()
    assert said.startswith(f"usage: provstore {name}".strip())
    codes = MANUAL[name].codes() if name else CODES
    assert all(f"\n  {code:<3} {says}\n" in said for code, says in codes.items())
    if name:
        assert all(f"\n  {line}\n      {says}" in said for line, says in MANUAL[name].examples)


@dataclass(frozen=True, slots=True)
class Place:
    """A folder with the files that the examples name, and what they are run in."""

    home: Path
    variables: dict[str, str]

    def shell(self, line: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            ["sh", "-c", line], cwd=self.home, env=self.variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    home = tmp_path_factory.mktemp("examples")
    with serving(home / "store", verb="demo"):
        pass
    events = sorted(resources.files("examples", "*.jsonl"))[0]
    shutil.copyfile(events, home / "events.jsonl")
    (home / "report.ttl").write_text(
        "@prefix prov: <http://www.w3.org/ns/prov#> . <> prov:generatedAtTime"
        ' "2026-03-01T03:00:00Z"^^<http://www.w3.org/2001/XMLSchema#dateTime> .'
        " <urn:example:report> a prov:Entity ; prov:wasDerivedFrom <https://prov.example/prediction/1> ."
    )
    (home / "shapes.ttl").write_text(
        "@prefix sh: <http://www.w3.org/ns/shacl#> . <urn:example:rule> a sh:NodeShape ; sh:nodeKind sh:IRI ;"
        ' sh:targetClass <http://www.w3.org/ns/prov#Entity> ; sh:message "Name each entity to cite it."@en .'
    )
    (home / "count.rq").write_text("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }")
    shutil.copyfile(FIXTURES / "bom" / "envelope.json", home / "envelope.json")
    key = Ed25519PrivateKey.from_private_bytes(b"a key for tests, told everybody.").public_key()  # emitters/bom.py
    pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (home / "builder.pem").write_bytes(pem)
    assert command("export", home / "package.zip", "--all", "--data", home / "store").returncode == 0
    program = home / "provstore"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m provstore "$@"\n')
    program.chmod(0o755)
    path = f"{home}:{os.environ['PATH']}"
    return Place(home, {**environment(data=home / "store"), "PATH": path, "PYTHONPATH": str(ROOT)})


# what captures wants the tools that it captures from: tests/test_mlflow_capture.py
@pytest.mark.parametrize("name", [name for name in MANUAL if name not in ("serve", "demo", "restore", "capture")])
def test_the_examples_do_what_they_say(place: Place, name: str) -> None:
    shutil.rmtree(place.home / "copy", ignore_errors=True)
    for line, _ in MANUAL[name].examples:
        with place.shell(line) as process:
            out, errors = process.communicate(timeout=120)
        assert (process.returncode, errors) == (0, b""), (line, out)
        assert out or re.search(r">|--output|--quiet", line), line


def test_the_example_of_restoring(place: Place) -> None:
    shutil.rmtree(place.home / "copy", ignore_errors=True)
    assert command("backup", "--data", place.home / "store", place.home / "copy").returncode == 0
    ((line, _),) = MANUAL["restore"].examples
    with place.shell(line) as process:
        assert process.wait(120) == 0


@pytest.mark.parametrize("name", ["serve", "demo"])
def test_the_examples_that_serve(tmp_path: Path, place: Place, name: str) -> None:
    ((line, _),) = MANUAL[name].examples
    alone = Place(tmp_path, {**place.variables, "PROVSTORE_DATA": str(tmp_path / name)})
    with alone.shell(f"exec {line}") as process:
        assert process.stdout
        assert _SERVED.match(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        assert process.wait(60) in (0, 130)
