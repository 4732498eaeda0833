"""What a program runs in: interpreter, platform, installed distributions; machine, container image, seeds."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

#: Where people say which container image a program runs in, the first that is set.
IMAGE_VARIABLES = ("CONTAINER_IMAGE", "DOCKER_IMAGE")
_SEPARATORS = re.compile(r"[-_.]+")


@dataclass(frozen=True, slots=True)
class Environment:
    """The software that a program runs in; `listing` has a line `name==version` each, sorted, `sha256` is of its UTF-8.

    The first lines are the interpreter and the platform; then come the installed distributions under their normalised
    names (PEP 503), of several with one name the one that is imported.
    """

    python: str
    implementation: str
    platform: str
    packages: tuple[str, ...]
    sha256: str

    @property
    def listing(self) -> str:
        """The text that `sha256` is of."""
        return listing(self.python, self.implementation, self.platform, self.packages)


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine as far as it tells cheaply: CPU, its logical cores, memory in bytes, GPUs, container image."""

    cpu: str = ""
    cores: int = 0
    memory: int = 0
    gpus: tuple[str, ...] = field(default=())
    image: str = ""


def listing(python: str, implementation: str, system: str, packages: tuple[str, ...]) -> str:
    """The canonical listing of an environment: one line each, a line feed after every one."""
    return "".join(f"{line}\n" for line in (f"{implementation}=={python}", f"platform=={system}", *sorted(packages)))


def environment() -> Environment:
    """The environment of this process (some 50 ms for a few hundred distributions). Never raises."""
    python, implementation = platform.python_version(), sys.implementation.name
    system = ""
    with suppress(Exception):
        system = f"{platform.system()}-{platform.machine()}"
    packages = _packages()
    text = listing(python, implementation, system, packages)
    return Environment(python, implementation, system, packages, hashlib.sha256(text.encode()).hexdigest())


def _packages() -> tuple[str, ...]:
    # costs a third of a second of imports on a slow disk, and is wanted once a process at most
    from importlib.metadata import distributions

    found: dict[str, str] = {}
    with suppress(Exception):
        for each in distributions():
            with suppress(Exception):  # a broken installation of one says nothing of the others
                name = _SEPARATORS.sub("-", each.metadata["Name"]).lower()
                found.setdefault(name, each.version)
    return tuple(sorted(f"{name}=={version}" for name, version in found.items()))


def machine(variables: Mapping[str, str]) -> Machine:
    """The machine of this process; `variables` are those of its environment. Never raises."""
    memory = 0
    with suppress(Exception):
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Machine(_cpu(), os.cpu_count() or 0, memory, _gpus(), _image(variables))


def seeds(variables: Mapping[str, str]) -> dict[str, str]:
    """The seeds that are known without asking a library: that of hashes, where one was set."""
    seed = variables.get("PYTHONHASHSEED", "")
    return {"PYTHONHASHSEED": seed} if seed.isdigit() else {}


def _cpu() -> str:
    with suppress(Exception), open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith(("model name", "Model")):
                return line.partition(":")[2].strip()
    return ""


def _gpus() -> tuple[str, ...]:
    found = []
    with suppress(Exception):
        for each in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")):
            for line in each.read_text(errors="replace").splitlines():
                if line.startswith("Model:"):
                    found.append(line.partition(":")[2].strip())
    return tuple(found)


def _image(variables: Mapping[str, str]) -> str:
    named = next((variables[name] for name in IMAGE_VARIABLES if variables.get(name)), "")
    if named:
        return named
    with suppress(Exception):  # Podman tells it in a file
        for line in Path("/run/.containerenv").read_text().splitlines():
            name, _, value = line.partition("=")
            if name == "image":
                return value.strip('"')
    return ""
