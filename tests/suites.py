"""Where the conformance suites and real data are; absent ones skip, or fail where CI is true."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
_HOME = Path(os.environ.get("PROVSTORE_TESTSUITES") or ROOT.parent / "shared" / "corpora")


def path(name: str) -> Path:
    """The folder of a suite, or a skip that says what is missing."""
    found = _HOME / name
    if not found.exists():
        missing(f"test suite {name!r} not found; set PROVSTORE_TESTSUITES to the folder that holds it")
    return found


def missing(reason: str) -> None:
    """Skip for want of something from outside; on CI that is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
