"""What recording a step costs: beside writing the same facts as one line of JSON, with fsync, to the same disk."""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from io import FileIO
from pathlib import Path

from provstore.record.recorder import Recorder

_ROUNDS, _INPUTS = 300, 10
#: Seconds, and seconds of CPU.
_Cost = tuple[float, float]


def main() -> None:
    """Print the ratio of the medians of steps and lines that alternate."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        ours, theirs = _measured(Path(folder))
    print("| a step with 10 inputs, hashing apart | median | of which CPU | beside the line |")
    print("|---|---|---|---|")
    for what, (took, cpu) in (("one line of JSON, written and synced", theirs), ("a recorded step", ours)):
        print(f"| {what} | {took * 1e6:,.0f} µs | {cpu * 1e6:,.0f} µs | {took / theirs[0]:.2f} |")


def _measured(folder: Path) -> tuple[_Cost, _Cost]:
    inputs = []
    for number in range(_INPUTS):
        inputs.append(folder / f"part-{number}.csv")
        inputs[-1].write_text(f"row,{number}\n" * 100)
    recorder = Recorder(spool=folder / "spool", namespace="bench", who="bench")
    digests = [recorder.hasher.file(path) for path in inputs]
    recorder.hasher.file = lambda path, most=None: digests[int(str(path)[-5])]  # type: ignore[method-assign]
    _step(recorder, inputs)
    (spooled,) = (folder / "spool").glob("*/*.ndjson")
    ours: list[_Cost] = []
    theirs: list[_Cost] = []
    with (folder / "plain.ndjson").open("ab", buffering=0) as plain:
        for _ in range(_ROUNDS):
            ours.append(_timed(partial(_step, recorder, inputs)))
            facts = json.loads(spooled.read_bytes().splitlines()[-1])
            theirs.append(_timed(partial(_line, plain, facts)))
    recorder.close()
    return _median(ours), _median(theirs)


def _timed(run: Callable[[], object]) -> _Cost:
    cpu, begin = time.thread_time(), time.perf_counter()
    run()
    return time.perf_counter() - begin, time.thread_time() - cpu


def _median(costs: list[_Cost]) -> _Cost:
    return statistics.median(took for took, _ in costs), statistics.median(cpu for _, cpu in costs)


def _line(plain: FileIO, facts: object) -> None:
    plain.write(json.dumps(facts).encode() + b"\n")
    os.fsync(plain.fileno())


def _step(recorder: Recorder, inputs: list[Path]) -> None:
    with recorder.step("score", {"parameters": {"threshold": 0.5}}) as step:
        for path in inputs:
            step.used(path)


if __name__ == "__main__":
    main()
