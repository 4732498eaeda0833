"""The environment: a canonical listing and its digest; machine, image and seeds where they are told."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
from importlib.metadata import version

from provstore.observe import environment


def test_the_listing_names_what_is_installed() -> None:
    found = environment.environment()
    assert f"pyoxigraph=={version('pyoxigraph')}" in found.packages
    assert list(found.packages) == sorted(set(found.packages))
    assert found.listing.startswith(f"cpython=={platform.python_version()}\nplatform==Linux-")
    assert found.sha256 == hashlib.sha256(found.listing.encode()).hexdigest()


def test_two_processes_name_one_environment() -> None:
    code = "from provstore.observe.environment import environment; print(environment().sha256)"
    seen = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        for _ in range(2)
    }
    assert seen == {environment.environment().sha256}


def test_order_does_not_matter() -> None:
    one = environment.listing("3.12.1", "cpython", "Linux-x86_64", ("b==1", "a==2"))
    assert one == environment.listing("3.12.1", "cpython", "Linux-x86_64", ("a==2", "b==1"))


def test_the_machine() -> None:
    found = environment.machine({"CONTAINER_IMAGE": "registry.example/train@sha256:12"})
    assert found.image == "registry.example/train@sha256:12"
    assert found.cores == os.cpu_count()
    assert found.memory > 1 << 20


def test_seeds_that_are_set() -> None:
    assert environment.seeds({"PYTHONHASHSEED": "42"}) == {"PYTHONHASHSEED": "42"}
    assert environment.seeds({"PYTHONHASHSEED": "random"}) == environment.seeds({}) == {}


def test_only_the_standard_library_is_loaded() -> None:
    code = """
import sys
before = set(sys.modules)
import provstore.observe.hashing, provstore.observe.git, provstore.observe.environment
loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
print(sorted(loaded - set(sys.stdlib_module_names) - {"provstore"}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
