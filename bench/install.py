"""What an installation costs: bytes on disk in an empty environment, and how long `provstore --help` takes.

The package and its dependencies come through pip as for anybody; times are the least of many runs, since whatever else
the machine does only adds to them.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import venv
from collections import Counter
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_RUNS = 40


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        wheel = _wheel(home)
        programs = _installed(home, wheel)
        _print_sizes(wheel, next(home.glob("venv/lib/python*/site-packages")))
        _print_times(programs)


def _wheel(home: Path) -> Path:
    build = (sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", home, _ROOT)
    subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
    return next(home.glob("*.whl"))


def _installed(home: Path, wheel: Path) -> Path:
    venv.create(home / "venv", with_pip=False)
    pip = (sys.executable, "-m", "pip", "--python", home / "venv" / "bin" / "python", "--disable-pip-version-check")
    subprocess.run((*pip, "install", "--quiet", "-c", _ROOT / "constraints.txt", wheel), check=True)
    return home / "venv" / "bin"


def _print_sizes(wheel: Path, site: Path) -> None:
    sizes = Counter[str]()
    for path in site.rglob("*"):
        if path.is_file():
            sizes[path.relative_to(site).parts[0]] += path.stat().st_size
    own = sum(size for name, size in sizes.items() if name.startswith("provstore"))
    most = ", ".join(f"{name} {_mb(size)}" for name, size in sizes.most_common(6) if not name.startswith("provstore"))
    print("| what | size |\n|---|---|")
    print(f"| the wheel | {_mb(wheel.stat().st_size)} |")
    print(f"| installed, provstore itself | {_mb(own)} |")
    print(f"| installed, all it depends on ({most}) | {_mb(sizes.total() - own)} |")


def _print_times(programs: Path) -> None:
    commands = {
        "`python -c pass`": (programs / "python", "-c", "pass"),
        "`provstore --version`": (programs / "provstore", "--version"),
        "`provstore --help`": (programs / "provstore", "--help"),
    }
    least = dict.fromkeys(commands, float("inf"))
    for _ in range(_RUNS):
        for name, command in commands.items():
            least[name] = min(least[name], _seconds(command))
    bare = least["`python -c pass`"]
    print("\n| command | least of 40 | of `python -c pass` |\n|---|---|---|")
    for name, seconds in least.items():
        print(f"| {name} | {seconds * 1000:.0f} ms | {seconds / bare:.1f} |")


def _seconds(command: tuple[Path | str, ...]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def _mb(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB"


if __name__ == "__main__":
    main()
