"""Environments of their own for emitters: one virtual environment for each list of pins in tests/emitters.

They are made when first wanted, in a folder beside `.venv` that git ignores, and used again by every later or parallel
run: an environment is named by its pins and its Python, so a changed pin makes another.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.suites import ROOT, missing

HOME = ROOT / ".emitters"
PINS = ROOT / "tests" / "emitters"
_SECONDS = 600
#: What pip says, again and again, while it cannot reach an index.
_UNREACHED = "Retrying (Retry("


class Unreachable(Exception):
    """The package index did not answer."""


def programs(name: str) -> Path:
    """The folder of programs (`python` among them) of the environment that `tests/emitters/{name}.txt` pins.

    A skip, or a failure where CI is true, if it is not there and the package index cannot be reached.
    """
    try:
        return make(PINS / f"{name}.txt", HOME)
    except Unreachable as error:
        missing(f"the environment {name!r} of tests/emitters could not be made: {error}")
        raise


def make(pins: Path, home: Path, *options: str) -> Path:
    """Make the environment below `home` unless it stands there; its folder of programs.

    One process makes it while the others wait. What a crash left half made lacks its mark, and is made anew.
    """
    digest = hashlib.sha256(sys.version.encode() + pins.read_bytes()).hexdigest()
    name = f"{pins.stem}-{digest[:12]}"
    target, mark = home / name, home / name / "made"
    home.mkdir(exist_ok=True)
    with (home / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not mark.exists():
            shutil.rmtree(target, ignore_errors=True)
            _install(target, pins, options)
            mark.touch()
    return target / "bin"


def _install(target: Path, pins: Path, options: tuple[str, ...]) -> None:
    """Every pin and nothing else, wheels only: no package's own code runs while it is installed.

    All that they require is there, but for what the list says it is `# without NAME: why`. Modules are compiled when
    first imported: to compile all of them takes longer than all the rest, and most are never imported.
    """
    _ran(sys.executable, "-m", "venv", "--without-pip", target)
    pip = (sys.executable, "-m", "pip", "--python", target / "bin" / "python", "--disable-pip-version-check")
    _ran(*pip, "install", "--quiet", "--no-deps", "--no-compile", "--only-binary=:all:", *options, "-r", pins)
    done = subprocess.run([str(part) for part in (*pip, "check")], capture_output=True, text=True, check=False)
    without = re.findall(r"^# without ([\w-]+):", pins.read_text(), re.MULTILINE)
    said = [line for line in done.stdout.splitlines() if not any(f"requires {name}," in line for name in without)]
    assert done.returncode == 0 or (without and not said), "\n".join(said) + done.stderr


def _ran(*command: str | Path) -> None:
    line = [str(part) for part in command]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(line, capture_output=True, text=True, timeout=_SECONDS, env=kept, check=False)
    if done.returncode and _UNREACHED in done.stderr:
        raise Unreachable(f"no package index answered: {done.stderr.strip().splitlines()[0][:200]}")
    assert done.returncode == 0, f"{' '.join(line)}\n{done.stdout}\n{done.stderr}"
