"""Completion in a real bash, line by line, against what the parser itself says; the others at least parse."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from provstore import queries
from provstore.cli import build_parser
from provstore.cli.completion import SHELLS
from provstore.cli.main import ANSWERS
from provstore.cli.parser import options, subcommands
from tests.servers import command, environment
from tests.terminals import chunk_of, terminal

COMMANDS = subcommands(build_parser())
#: What is typed is not run but told, between marks that are not echoed as they are written here.
RC = r"""
source {script}
provstore() {{ printf '<\x3c'; printf '[%s]' "$@"; printf '>\x3e\n'; }}
PS1=''
bind 'set bell-style none'
bind '"\C-x": insert-completions'
bind 'set enable-bracketed-paste off'
printf 'ready\x21\n'
"""


class Bash:
    """An interactive bash with the script loaded."""

    def __init__(self, home: Path) -> None:
        script, rc = home / "script", home / "rc"
        script.write_bytes(command("completion", "bash").stdout)
        rc.write_text(RC.format(script=script))
        (home / "somewhere").mkdir()
        (home / "data.ttl").write_text("")
        self._ours, theirs = terminal(400)
        kept = {**environment(), "TERM": "dumb", "HOME": str(home), "INPUTRC": "/dev/null"}
        line = ["bash", "--noprofile", "--rcfile", str(rc), "-i"]
        self._process = subprocess.Popen(
            line, stdin=theirs, stdout=theirs, stderr=theirs, env=kept, cwd=home, start_new_session=True
        )
        os.close(theirs)
        self._until(b"ready!")

    def completed(self, line: str) -> list[str]:
        """The words of a line once every completion of its last word has been put in."""
        os.write(self._ours, f"{line}\x18\n".encode())
        told = self._until(b">>").rpartition(b"<<")[2].removesuffix(b">>").decode()
        return told[1:-1].split("][")

    def _until(self, mark: bytes) -> bytes:
        told = b""
        while mark not in told:
            chunk = chunk_of(self._ours)
            assert chunk, told
            told += chunk
        return told.partition(mark)[0] + mark

    def close(self) -> None:
        os.close(self._ours)
        self._process.kill()
        self._process.wait()


@pytest.fixture(scope="module")
def bash(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bash]:
    found = Bash(tmp_path_factory.mktemp("bash"))
    yield found
    found.close()


def test_commands(bash: Bash) -> None:
    assert bash.completed("provstore ") == sorted(["--help", "--version", *COMMANDS])
    assert bash.completed("provstore ve") == ["verify"]
    assert bash.completed("provstore re") == ["rebuild", "record", "restore"]
    assert bash.completed("provstore zzz") == ["zzz"]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_every_command(bash: Bash, name: str) -> None:
    known = {option for action in options(COMMANDS[name]) for option in action.option_strings}
    assert bash.completed(f"provstore {name} --") == [name, *sorted({*known, "--help"})]


@pytest.mark.parametrize("name", ["sparql", "query"])
def test_choices(bash: Bash, name: str) -> None:
    assert bash.completed(f"provstore {name} --format ") == [name, "--format", *sorted(ANSWERS)]
    assert bash.completed(f"provstore {name} --format js") == [name, "--format", "json", "jsonld"]
    assert bash.completed(f"provstore {name} --format=nd") == [name, "--format=ndjson"]
    assert bash.completed(f"provstore {name} --format=xm --da") == [name, "--format=xm", "--data"]


def test_more_choices(bash: Bash) -> None:
    assert bash.completed("provstore lineage --direction up") == ["lineage", "--direction", "upstream"]
    assert bash.completed("provstore completion ") == ["completion", "bash", "fish", "zsh"]
    assert bash.completed("provstore validate --profile prov") == ["validate", "--profile", "prov-core"]


def test_queries_and_their_parameters(bash: Bash) -> None:
    assert bash.completed("provstore query ") == ["query", *sorted(queries.catalogue())]
    assert bash.completed("provstore query lineage/upst") == ["query", "lineage/upstream"]
    for name, query in queries.catalogue().items():
        keys = sorted([*(f"{each.name}=" for each in query.parameters), "limit="])
        assert bash.completed(f"provstore query {name} ") == ["query", name, *keys]
    after = "provstore query --data /tmp/x --format csv lineage/upstream entity=urn:a li"
    assert bash.completed(after)[-1] == "limit="
    assert bash.completed("provstore query lineage/upstream entity=li")[-1] == "entity=li"


def test_files_and_directories(bash: Bash) -> None:
    assert bash.completed("provstore ingest da") == ["ingest", "data.ttl"]
    assert bash.completed("provstore verify --data some") == ["verify", "--data", "somewhere"]
    assert bash.completed("provstore backup da") == ["backup", "da"]
    assert bash.completed("provstore validate --format csv so") == ["validate", "--format", "csv", "somewhere"]


@pytest.mark.parametrize("shell", SHELLS)
def test_every_script_names_every_command_option_and_query(shell: str) -> None:
    script = command("completion", shell).stdout.decode()
    names = [*COMMANDS, *queries.catalogue()]
    names += [name for parser in COMMANDS.values() for action in options(parser) for name in action.option_strings]
    assert [name for name in names if name.lstrip("-") not in script] == []
    if shutil.which(shell):
        done = subprocess.run([shell, "-n"], input=script, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_another_shell_is_refused_with_those_there_are() -> None:
    done = command("completion", "powershell")
    assert done.returncode == 2
    assert b"SHELL is one of bash, zsh, fish" in done.stderr
