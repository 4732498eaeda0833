"""What recording a step costs: beside writing the same facts as one line of JSON, with fsync, to the same disk."""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from pathlib import Path

from provstore.record.recorder import Recorder

_ROUNDS, _INPUTS = 300, 10


def main() -> None:
    """Print the ratio of the medians of steps and lines that alternate."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        ours, theirs = _measured(Path(folder))
    print("| a step with 10 inputs, hashing apart | median | beside the line |")
    print("| --- | --- | --- |")
    print(f"| one line of JSON, written and synced | {theirs * 1e6:,.0f} µs | 1 |")
    print(f"| a recorded step | {ours * 1e6:,.0f} µs | {ours / theirs:.2f} |")


def _measured(folder: Path) -> tuple[float, float]:
    inputs = []
    for number in range(_INPUTS):
        inputs.append(folder / f"part-{number}.csv")
        inputs[-1].write_text(f"row,{number}\n" * 100)
    recorder = Recorder(spool=folder / "spool", namespace="bench", who="bench")
    digests = [recorder.hasher.file(path) for path in inputs]
    recorder.hasher.file = lambda path, most=None: digests[int(str(path)[-5])]  # type: ignore[method-assign]
    _step(recorder, inputs)
    (spooled,) = (folder / "spool").glob("*/*.ndjson")
    ours, theirs = [], []
    with (folder / "plain.ndjson").open("ab", buffering=0) as plain:
        for _ in range(_ROUNDS):
            begin = time.perf_counter()
            _step(recorder, inputs)
            ours.append(time.perf_counter() - begin)
            facts = json.loads(spooled.read_bytes().splitlines()[-1])
            begin = time.perf_counter()
            plain.write(json.dumps(facts).encode() + b"\n")
            os.fsync(plain.fileno())
            theirs.append(time.perf_counter() - begin)
    recorder.close()
    return statistics.median(ours), statistics.median(theirs)


def _step(recorder: Recorder, inputs: list[Path]) -> None:
    with recorder.step("score", {"parameters": {"threshold": 0.5}}) as step:
        for path in inputs:
            step.used(path)


if __name__ == "__main__":
    main()
