"""Workers that run what nobody trusts: real processes, real attacks."""

from __future__ import annotations

import asyncio
import os
import pickle
import platform
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from provstore.capture.syntax import Document
from provstore.errors import Busy, InvalidInput, Misconfigured, ProvStoreError, QueryRefused, QueryTooExpensive
from provstore.model import Mapped
from provstore.security.pool import JobCrash, JobTimeout, WorkerPool
from provstore.security.process import Worker
from provstore.store.oxigraph import TripleStore
from provstore.store.query import QueryJob, QueryService, Snapshot, explained

from . import suites

GIB = 1 << 30
EVAL = "builtins:eval"
ANSWER = "provstore.store.query:answer"
MAP = "provstore.capture.syntax:map_document"
FOREVER = "[0 for _ in iter(int, 1)]"
PID = "__import__('os').getpid()"
OPEN_FILES = (
    "[str(file.readlink()) for n in range(99)"
    " for file in [__import__('pathlib').Path(f'/proc/self/fd/{n}')] if file.is_symlink()]"
)
SECONDS = 1.0  # that an attack may last

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux can cut a process off")


def until(wanted: Callable[[], bool], seconds: float = 10) -> bool:
    """Whether something came true in time."""
    deadline = time.monotonic() + seconds
    while not wanted():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    with closing(
        WorkerPool(GIB, most=4, keep=2, modules=["provstore.store.query", "provstore.capture.syntax"])
    ) as made:
        yield made


# -- one job ----------------------------------------------------------------------------------------------------------


def test_a_job_gives_its_value(pool: WorkerPool) -> None:
    assert pool.call(EVAL, "{'a': [1, 2.5, None, b'x', {3}]}", 5) == {"a": [1, 2.5, None, b"x", {3}]}


def test_an_error_of_ours_comes_back_as_it_was(pool: WorkerPool) -> None:
    with pytest.raises(InvalidInput) as caught:
        pool.call(MAP, Document(b"\n\n<x> oops .", "text/turtle", "https://example.org"), 5)
    assert caught.value.line == 3


def test_any_other_error_names_itself(pool: WorkerPool) -> None:
    with pytest.raises(ProvStoreError, match="ZeroDivisionError in builtins:eval") as caught:
        pool.call(EVAL, "1 / 0", 5)
    assert type(caught.value) is ProvStoreError
    with pytest.raises(ProvStoreError, match="ModuleNotFoundError"):
        pool.call("no.such:job", None, 5)


@pytest.mark.alone
def test_the_deadline_ends_a_job(pool: WorkerPool) -> None:
    for job in ("__import__('time').sleep(60)", FOREVER):
        begun = time.monotonic()
        with pytest.raises(JobTimeout):
            pool.call(EVAL, job, 0.3)
        assert time.monotonic() - begun < 2
    assert pool.call(EVAL, "1 + 1", 5) == 2


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL])
def test_a_crash_is_an_outcome(pool: WorkerPool, number: int) -> None:
    with pytest.raises(JobCrash) as caught:
        pool.call("signal:raise_signal", number, 5)
    assert caught.value.signal == number
    assert pool.call(EVAL, "1 + 1", 5) == 2


def test_an_exit_is_a_crash(pool: WorkerPool) -> None:
    with pytest.raises(JobCrash) as caught:
        pool.call("os:_exit", 3, 5)
    assert caught.value.signal == 0


def test_memory_is_bounded(pool: WorkerPool) -> None:
    with pytest.raises(JobCrash) as caught:
        pool.call(EVAL, f"bytearray({4 * GIB})", 5)
    assert caught.value.signal == signal.SIGABRT


def test_a_worker_that_used_much_memory_is_replaced(pool: WorkerPool) -> None:
    used, size = pool.call(EVAL, f"(__import__('os').getpid(), len(bytearray(b'x' * {GIB * 6 // 10 // 2})))", 20)
    assert size > 0
    assert until(lambda: gone(used))


@pytest.mark.parametrize(
    "answer",
    [
        "__import__('datetime').datetime.now()",
        "__import__('os').system",
        "type('E', (), {'__reduce__': lambda self: (__import__('os').system, ('touch /tmp/never',))})()",
        "__import__('provstore.security.pool').security.pool.WorkerPool",
    ],
)
def test_a_worker_is_not_believed(pool: WorkerPool, answer: str) -> None:
    """What it sends could run code where it is read, were it not read with care."""
    with pytest.raises(JobCrash):
        pool.call(EVAL, answer, 5)


def test_what_cannot_be_sent_is_an_error(pool: WorkerPool) -> None:
    with pytest.raises(ProvStoreError, match="cannot be sent"):
        pool.call(EVAL, "lambda: 1", 5)


@pytest.mark.parametrize("sent", [b"\xff" * 8, b"\0\0\0\0\0\0\0\3abc", b"\0" * 8])
def test_a_false_frame_is_a_crash(pool: WorkerPool, sent: bytes) -> None:
    with pytest.raises(JobCrash):
        pool.call(EVAL, f"__import__('os').write(int(__import__('sys').argv[1]), {sent!r})", 5)


@pytest.mark.alone
def test_a_slow_trickle_meets_the_deadline(pool: WorkerPool) -> None:
    trickle = (
        "[(__import__('os').write(int(__import__('sys').argv[1]), b), __import__('time').sleep(0.1))"
        " for b in [bytes([0, 0, 0, 0, 0, 0, 9, 9])] + [b'x'] * 99]"
    )
    begun = time.monotonic()
    with pytest.raises(JobTimeout):
        pool.call(EVAL, trickle, 0.5)
    assert time.monotonic() - begun < 2


def test_a_worker_ends_by_itself_where_its_parent_keeps_no_time() -> None:
    worker = Worker(GIB, [])
    try:
        with pytest.raises(JobTimeout):
            worker.run(pickle.dumps((EVAL, FOREVER, 0.05)), 30)
    finally:
        worker.end()


# -- isolation --------------------------------------------------------------------------------------------------------


@linux
@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK"])
def test_a_worker_has_no_sockets(pool: WorkerPool, family: str) -> None:
    with pytest.raises(ProvStoreError, match="PermissionError"):
        pool.call(EVAL, f"__import__('socket').socket(__import__('socket').{family})", 5)


@linux
def test_a_worker_inherits_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PROVSTORE_TOKEN_SECRET", "hunter2")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    with (tmp_path / "key").open("w") as key, closing(WorkerPool(GIB, keep=1)) as pool:
        os.set_inheritable(key.fileno(), True)
        with closing(WorkerPool(GIB, keep=1)) as second:
            for each in (pool, second):
                environment = each.call(EVAL, "dict(__import__('os').environ)", 5)
                assert "hunter2" not in environment.values()
                assert set(environment) <= {
                    "PATH",
                    "LANG",
                    "LC_ALL",
                    "LC_CTYPE",
                    "TMPDIR",
                    "PYTHONPATH",
                    "MALLOC_ARENA_MAX",
                }
            assert {path.partition(":")[0] for path in second.call(EVAL, OPEN_FILES, 5)} == {"/dev/null", "socket"}


def in_child(script: str, *arguments: object) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=30,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))},
        check=False,
    )
    return done.stdout + done.stderr


ONE_HOLDS = """
import ctypes, platform, socket, sys
from provstore.security import isolation
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
if sys.argv[1] == "filter":
    held = isolation._deny(libc, isolation._CALLS.get(platform.machine()))
else:
    held = isolation._empty_namespace(libc)
if not held:
    sys.exit("not to be had")
try:
    socket.create_connection(("127.0.0.1", int(sys.argv[2])), 5)
    print("REACHED")
except OSError as error:
    print("CUT", error.errno)
"""


@linux
@pytest.mark.parametrize("means", ["filter", "namespace"])
def test_each_means_holds_alone(means: str, canary: Canary) -> None:
    said = in_child(ONE_HOLDS, means, canary.port)
    if "not to be had" in said:
        suites.missing(f"this system allows no {means}")
    assert "CUT" in said, said
    assert canary.hits == 0


NOTHING_HOLDS = """
import ctypes, platform
from provstore.security import isolation
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
arch, _ = isolation._CALLS[platform.machine()]
unshare, prctl = {"x86_64": (272, 157), "aarch64": (97, 167)}[platform.machine()]
assert isolation._deny(libc, (arch, (unshare, prctl)))
isolation.isolate(1 << 30)
"""


@linux
@pytest.mark.skipif(platform.machine() not in ("x86_64", "aarch64"), reason="call numbers are known for two")
def test_a_worker_that_cannot_be_isolated_refuses_to_start() -> None:
    assert "NotIsolated: neither a network namespace nor a seccomp filter" in in_child(NOTHING_HOLDS)


def test_a_worker_that_cannot_start_says_why() -> None:
    with (
        closing(WorkerPool(GIB, keep=1, modules=["no.such.module"])) as pool,
        pytest.raises(Misconfigured, match=r"No module named 'no'"),
    ):
        pool.call(EVAL, "1", 5)


# -- the pool ---------------------------------------------------------------------------------------------------------


PARENT = """
import os, sys, threading, time
from provstore.security.pool import WorkerPool
pool = WorkerPool(1 << 30, most=3, keep=2)
pids = []
def busy():
    pids.append(pool.call("builtins:eval", "__import__('os').getpid()", 5))
    pool.call("builtins:eval", "[0 for _ in iter(int, 1)]", 120)
threading.Thread(target=busy, daemon=True).start()
while not pids or len(pool._idle) < 1:
    time.sleep(0.01)
pids += [w.process.pid for w in (*pool._idle, *pool._busy)]
print(*pids, flush=True)
time.sleep(120)
"""


@linux
def test_workers_die_with_their_parent() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        parent.kill()
    assert len(pids) >= 3
    assert until(lambda: all(gone(pid) for pid in pids))


def test_a_worker_outlives_the_thread_that_asked_for_it() -> None:
    with closing(WorkerPool(GIB, most=1, keep=1)) as pool:  # one: no spare that could take the second job
        seen: list[int] = []
        for _ in range(2):
            thread = threading.Thread(target=lambda: seen.append(pool.call(EVAL, PID, 5)))
            thread.start()
            thread.join()
        assert seen[0] == seen[1] == pool.call(EVAL, PID, 5)


LARGE_PARENT = """
from provstore.security.pool import WorkerPool
held = b"x" * (600 << 20)
pool = WorkerPool(1 << 30, most=1, keep=1)
print(len({pool.call("builtins:eval", "__import__('os').getpid()", 5) for _ in range(3)}))
pool.close()
"""


@linux
def test_a_worker_is_kept_however_large_its_parent_is() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}
    told = subprocess.run([sys.executable, "-c", LARGE_PARENT], capture_output=True, text=True, env=environment)
    assert told.stdout == "1\n"


@linux
def test_a_worker_that_held_much_memory_is_replaced() -> None:
    with closing(WorkerPool(GIB, most=1, keep=1)) as pool:
        first = pool.call(EVAL, PID, 5)
        assert pool.call(EVAL, "len(b'x' * (600 << 20))", 5) == 600 << 20
        assert pool.call(EVAL, PID, 5) != first


def test_cancelling_kills_the_job(pool: WorkerPool, tmp_path: Path) -> None:
    sign = tmp_path / "pid"

    async def scene() -> int:
        job = f"(open({str(sign)!r}, 'w').write(str(__import__('os').getpid())), {FOREVER})"
        task = asyncio.create_task(pool.run(EVAL, job, 60))
        while not sign.exists() or not sign.read_text():
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return int(sign.read_text())

    assert gone(asyncio.run(scene()))
    assert pool.call(EVAL, "1 + 1", 5) == 2


def test_a_job_cancelled_while_it_waits_never_starts(tmp_path: Path) -> None:
    async def scene(pool: WorkerPool) -> None:
        slow = asyncio.create_task(pool.run("time:sleep", 0.5, 5))
        await asyncio.sleep(0.1)
        waiting = asyncio.create_task(pool.run("os:mkdir", str(tmp_path / "begun"), 5))
        await asyncio.sleep(0.1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await slow
        assert await pool.run(EVAL, "1 + 1", 5) == 2

    with closing(WorkerPool(GIB, most=1)) as pool:
        asyncio.run(scene(pool))
    assert not (tmp_path / "begun").exists()


def test_jobs_run_side_by_side() -> None:
    async def scene(pool: WorkerPool) -> list[int]:
        job = "(__import__('time').sleep(0.3), __import__('os').getpid())[1]"
        return list(await asyncio.gather(*(pool.run(EVAL, job, 10) for _ in range(3))))

    with closing(WorkerPool(GIB, most=3, keep=1)) as pool:
        assert len(set(asyncio.run(scene(pool)))) == 3


def test_beyond_most_is_busy_after_a_while() -> None:
    async def scene(pool: WorkerPool) -> None:
        slow = asyncio.create_task(pool.run("time:sleep", 1, 5))
        await asyncio.sleep(0.1)
        with pytest.raises(Busy) as caught:
            await pool.run(EVAL, "1", 5)
        assert caught.value.retry_after
        await slow

    with closing(WorkerPool(GIB, most=1, patience=0.2)) as pool:
        asyncio.run(scene(pool))


def test_the_queue_is_bounded() -> None:
    async def scene(pool: WorkerPool) -> list[object]:
        jobs = [pool.run("time:sleep", 0.05, 5) for _ in range(12)]
        return list(await asyncio.gather(*jobs, return_exceptions=True))

    with closing(WorkerPool(GIB, most=1)) as pool:
        results = asyncio.run(scene(pool))
    assert results.count(None) == 5
    assert all(isinstance(result, Busy) for result in results if result is not None)


def test_closing_ends_everything() -> None:
    pool = WorkerPool(GIB, most=2, keep=2)
    outcomes: list[BaseException] = []

    def slow() -> None:
        try:
            pool.call("time:sleep", 60, 60)
        except ProvStoreError as error:
            outcomes.append(error)

    pid = pool.call(EVAL, PID, 5)
    thread = threading.Thread(target=slow)
    thread.start()
    assert until(lambda: len(pool._busy) == 1)
    pool.close()
    thread.join(5)
    assert not thread.is_alive()
    assert [type(error) for error in outcomes] == [Busy]
    assert gone(pid)
    with pytest.raises(Busy):
        pool.call(EVAL, "1", 5)


# -- hostile queries --------------------------------------------------------------------------------------------------


class Canary:
    """A listener on loopback that counts who comes."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.hits = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            self.hits += 1
            caller.close()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def canary() -> Iterator[Canary]:
    with closing(Canary()) as made:
        yield made


def disguises(url: str) -> dict[str, str]:
    """SERVICE in clothes; each reaches the network where nothing stops it."""
    return {
        "service": f"SELECT * {{ SERVICE <{url}> {{ ?s ?p ?o }} }}",
        "service in odd case": f"SELECT * {{ sErViCe\n<{url}> {{ ?s ?p ?o }} }}",
        "service through a prefix": f"PREFIX s: <{url}> SELECT * {{ SERVICE s: {{ ?s ?p ?o }} }}",
        "service silent": f"SELECT * {{ SERVICE SILENT <{url}> {{ ?s ?p ?o }} }}",
        "service in exists": f"SELECT * {{ ?a ?b ?c FILTER EXISTS {{ SERVICE <{url}> {{ ?s ?p ?o }} }} }}",
        "service in a sub-select": f"SELECT * {{ {{ SELECT * {{ SERVICE <{url}> {{ ?s ?p ?o }} }} }} }}",
        "service in what looks like an IRI": f"SELECT * {{ ?s ?p ?a FILTER(?a<1)SERVICE#>\n<{url}>{{?x ?y ?z}} }}",
        "service in a construct": f"CONSTRUCT {{ ?s ?p ?o }} {{ SERVICE <{url}> {{ ?s ?p ?o }} }}",
    }


@dataclass(frozen=True)
class Attack:
    query: str
    guarded: type[ProvStoreError]
    unguarded: type[ProvStoreError]


#: SILENT asks for an answer without the service; and in EXISTS this engine takes an error for a yes.
ANSWERED_WITHOUT = {"service silent", "service in exists"}


def attacks() -> dict[str, Attack]:
    refused, expensive = QueryRefused, QueryTooExpensive
    crossed = "{ ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
    doubled = "".join(f" BIND(CONCAT(?x{i}, ?x{i}) AS ?x{i + 1})" for i in range(40))
    patterns = " . ".join(f"?v{i} <http://a/p> ?v{i + 1}" for i in range(800))
    optionals = " ".join(f"OPTIONAL {{ ?s <http://a/p{i}> ?o{i} }}" for i in range(200))
    return {
        "nested groups": Attack(f"SELECT * {'{' * 3200}{'}' * 3200}", refused, refused),
        "nested optionals": Attack(f"SELECT * {{ {'OPTIONAL {' * 3200}{'}' * 3200} }}", refused, refused),
        "nested parentheses": Attack(f"SELECT * {{ FILTER({'(' * 9000}1{')' * 9000}) }}", refused, refused),
        "a chain of or": Attack(f"SELECT * {{ FILTER({'||'.join(['?a'] * 20000)}) }}", refused, refused),
        "optionals": Attack(f"SELECT * {{ ?s ?p ?o {optionals} }}", refused, expensive),
        "patterns": Attack(f"SELECT * {{ {patterns} }}", refused, expensive),
        "a long path": Attack(f"SELECT * {{ ?a {'/'.join(['<http://a/p>'] * 5000)} ?b }}", refused, expensive),
        "a sorted cross product": Attack(f"SELECT * {crossed} ORDER BY ?c ?f ?i ?l", expensive, expensive),
        "a doubled string": Attack(f'SELECT * {{ BIND("xxxxxxxx" AS ?x0){doubled} }}', expensive, expensive),
        "an endless count": Attack(f"SELECT (COUNT(*) AS ?n) {crossed}", expensive, expensive),
        "a huge result": Attack(f"SELECT * {crossed}", expensive, expensive),
        "not SPARQL": Attack("SELECT", refused, refused),
        "an update": Attack("INSERT DATA { <http://a/a> <http://a/b> <http://a/c> }", refused, refused),
        "a load": Attack("LOAD <http://127.0.0.1:1/>", refused, refused),
        "nothing": Attack("", refused, refused),
        "noise": Attack("\x00\ud800\uffff"[::2] * 1000, refused, refused),
    }


@dataclass
class Siege:
    guarded: dict[str, object]
    unguarded: dict[str, object]
    times: list[float]
    hits: int
    left: list[Path]


@pytest.fixture(scope="module")
def siege(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Siege]:
    """Every attack, with the guard and straight to a worker, while another client asks plain questions."""
    home = tmp_path_factory.mktemp("siege")
    store = TripleStore(home / "store")
    number = b"<http://www.w3.org/2001/XMLSchema#integer>"
    store.load(b"".join(b'<http://a/%d> <http://a/p> "%d"^^%s .\n' % (i, i, number) for i in range(2000)))
    store.flush()
    store.snapshot(home / "snapshot")
    snapshot = Snapshot(str(home / "snapshot"), 0)
    pools = WorkerPool(GIB, most=4, keep=2, modules=["provstore.store.query"])
    with closing(pools) as pool, closing(Canary()) as canary:
        service = QueryService(pool, home / "spool", timeout=SECONDS, max_bytes=64 << 20)
        found = Siege({}, {}, [], 0, [])
        over = threading.Event()
        other = threading.Thread(target=ask_plainly, args=(service, snapshot, found.times, over))
        other.start()
        url = f"http://127.0.0.1:{canary.port}/"
        queries = {name: attack.query for name, attack in attacks().items()} | disguises(url)
        queries["from the network"] = f"SELECT * FROM <{url}> {{ ?s ?p ?o }}"
        for name, query in queries.items():
            found.guarded[name] = outcome(partial(service.ask_now, query, None, snapshot))
            found.unguarded[name] = outcome(partial(unguarded, pool, home / "spool", query, snapshot))
        over.set()
        other.join()
        found.hits = canary.hits
        found.left = list((home / "spool").iterdir())
        yield found
    store.close()


def ask_plainly(service: QueryService, snapshot: Snapshot, times: list[float], over: threading.Event) -> None:
    while not over.is_set():
        begun = time.perf_counter()
        answer = service.ask_now("SELECT ?o { <http://a/7> <http://a/p> ?o }", "text/csv", snapshot)
        times.append(time.perf_counter() - begun)
        assert answer.body == b"o\r\n7\r\n"
        over.wait(0.005)


def outcome(act: Callable[[], object]) -> object:
    begun = time.monotonic()
    try:
        result = act()
    except ProvStoreError as error:
        result = error
    assert time.monotonic() - begun < SECONDS + 2
    return result


def unguarded(pool: WorkerPool, spool: Path, query: str, snapshot: Snapshot) -> object:
    construct = query.startswith("CONSTRUCT")
    file = spool / "unguarded"
    job = QueryJob(snapshot.path, query, "text/turtle" if construct else "text/csv", str(file), 64 << 20)
    try:
        return pool.call(ANSWER, job, SECONDS)
    except (JobTimeout, JobCrash) as error:
        raise explained(error, SECONDS) from error
    finally:
        file.unlink(missing_ok=True)


@pytest.mark.alone
@linux
@pytest.mark.parametrize("name", attacks())
def test_an_attack_ends_in_its_error(siege: Siege, name: str) -> None:
    attack = attacks()[name]
    assert type(siege.guarded[name]) is attack.guarded, siege.guarded[name]
    assert type(siege.unguarded[name]) is attack.unguarded, siege.unguarded[name]


@pytest.mark.alone
@linux
@pytest.mark.parametrize("name", disguises(""))
def test_a_disguised_service_gets_nothing(siege: Siege, name: str) -> None:
    hidden = name == "service in what looks like an IRI"
    assert type(siege.guarded[name]) is QueryRefused, siege.guarded[name]
    assert ("SERVICE is not allowed" in str(siege.guarded[name])) is not hidden
    if name not in ANSWERED_WITHOUT:
        assert type(siege.unguarded[name]) is QueryRefused, siege.unguarded[name]


@pytest.mark.alone
@linux
def test_the_network_hears_nothing(siege: Siege) -> None:
    assert siege.hits == 0


@pytest.mark.alone
@linux
def test_no_answer_is_left_in_the_spool(siege: Siege) -> None:
    assert siege.left == []


@pytest.mark.alone
@linux
def test_another_client_hardly_notices(siege: Siege) -> None:
    times = sorted(siege.times)
    assert len(times) > 100
    percentile = times[int(len(times) * 0.99)]
    print(f"\n{len(times)} plain queries: median {times[len(times) // 2] * 1e3:.1f} ms, p99 {percentile * 1e3:.1f} ms")
    assert percentile < 0.25


UNISOLATED = """
import sys, pyoxigraph
store = pyoxigraph.Store()
store.add(pyoxigraph.Quad(*[pyoxigraph.NamedNode("http://a/a")] * 2, pyoxigraph.Literal(0)))
try:
    for found in store.query(sys.argv[1]):
        pass
except (OSError, RuntimeError, ValueError) as error:
    print(error)
"""


@pytest.mark.parametrize("name", disguises(""))
def test_without_isolation_the_network_would_hear(canary: Canary, name: str) -> None:
    """The counter-proof: else silence would prove nothing."""
    said = in_child(UNISOLATED, disguises(f"http://127.0.0.1:{canary.port}/")[name])
    assert until(lambda: canary.hits > 0, 2), said


# -- hostile documents ------------------------------------------------------------------------------------------------


def test_a_poison_graph_is_stopped_while_another_document_passes(pool: WorkerPool) -> None:
    """Nine blank nodes, each linked to all others, keep RDFC-1.0 busy for ever."""
    nodes = [f"_:n{i}" for i in range(9)]
    clique = "".join(f"{a} <http://a/p> {b} .\n" for a in nodes for b in nodes if a != b)

    async def scene() -> tuple[object, Mapped]:
        poison = Document(clique.encode(), "text/turtle", "https://example.org")
        plain = Document(b"<http://a/a> <http://a/b> _:c .", "text/turtle", "https://example.org")
        stopped = asyncio.create_task(pool.run(MAP, poison, 2))
        mapped: Mapped = await pool.run(MAP, plain, 5)
        assert not stopped.done()
        return (await asyncio.gather(stopped, return_exceptions=True))[0], mapped

    stopped, mapped = asyncio.run(scene())
    assert isinstance(stopped, JobTimeout)
    assert b"#c14n0>" in mapped.quads


@pytest.mark.parametrize("word", [b"DOCTYPE", b"doctype", b"DocType"])
def test_an_entity_bomb_is_refused(pool: WorkerPool, word: bytes) -> None:
    levels = b"".join(b'<!ENTITY e%d "%s">' % (i + 1, b"&e%d;" % i * 20) for i in range(20))
    bomb = (
        b'<!%s x [<!ENTITY e0 "bombbomb">%s]><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description rdf:about="http://a/a"><b xmlns="http://a/">&e20;</b></rdf:Description></rdf:RDF>'
    ) % (word, levels)
    with pytest.raises(InvalidInput, match="DOCTYPE"):
        pool.call(MAP, Document(bomb, "application/rdf+xml", "https://example.org"), 5)
