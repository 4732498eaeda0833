"""What holds for every test, and what the tests of one process share: a browser, and a server that they only read."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser import launched
from tests.servers import WORKED, Server, serving

# Tests that are started in the background ignore SIGINT, and so would all that they start and mean to interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors, as much of a test is waiting; each has servers and browsers below it."""
    return min(len(os.sched_getaffinity(0)) + 1, 8)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Side by side, files with slow or with many tests begin first, lest one process is left with one at the end.

    Within a file, and among files alike, the order stays that of chance.
    """
    if hasattr(config, "workerinput"):
        slow = {item.path for item in items if item.get_closest_marker("slow")}
        tests = Counter(item.path for item in items)
        items.sort(key=lambda item: (item.path not in slow, -tests[item.path]))


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The worked examples, served for those who only ask; a test that wants to post has a server of its own."""
    with serving(tmp_path_factory.mktemp("demo") / "data", *WORKED, verb="demo") as server:
        head = _head(server)
        yield server
        assert _head(server) == head, "a test has written to the server that all share"


def _head(server: Server) -> int:
    return int(server.http.get("/health").json()["head"])


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for the tests of a module, no longer: beside its event loop there could be no other in the process."""
    with launched() as found:
        yield found
