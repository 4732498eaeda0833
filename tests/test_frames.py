"""Digests of frames and arrays: one for one content, whatever holds it, and another for every other content."""

from __future__ import annotations

import json
import subprocess

import numpy as np
import pytest

from provstore.record.frames import NoCanonicalForm, content, kind_of
from tests.environments import programs
from tests.suites import ROOT


def digest(value: object) -> str:
    return content(value).sha256


def test_an_array_is_its_elements_and_its_shape() -> None:
    base = np.arange(12, dtype="int64").reshape(3, 4)
    same = [base.copy(order="F"), np.arange(24).reshape(3, 8)[:, ::2] // 2, base.astype(">i8")]
    assert {digest(each) for each in same} == {digest(base)}
    other = [base.reshape(4, 3), base.astype("int32"), base.astype(float), base + 1, base.ravel(), base[:2]]
    assert len({digest(each) for each in [base, *other]}) == len(other) + 1
    assert (content(base).shape, content(base).dtype, content(base).rows) == ((3, 4), "int64", 3)


def test_every_nan_is_the_same_and_zeros_are_not() -> None:
    odd = np.array([0x7FF8000000000001, 0xFFF8000000000000], dtype="uint64").view("float64")
    assert digest(odd) == digest(np.array([np.nan, np.nan]))
    assert digest(np.array([0.0])) != digest(np.array([-0.0]))


@pytest.mark.parametrize(
    "value",
    [
        np.array(5.0),
        np.array([]),
        np.array([True, False]),
        np.array([1 + 2j]),
        np.array(["a", "ü", ""]),
        np.array([b"x", b"yy"]),
        np.array(["2026-03-01", "NaT"], dtype="datetime64[s]"),
        np.array([1, 2], dtype="timedelta64[ms]"),
        np.array(["a", None, 1, [2]], dtype=object),
        np.ones((2, 0, 3)),
    ],
    ids=str,
)
def test_arrays_of_every_kind_have_a_digest(value: object) -> None:
    assert kind_of(value) == "array"
    assert len(digest(value)) == 64
    assert digest(value) == digest(value)


def test_objects_without_a_canonical_form_are_refused_by_name() -> None:
    with pytest.raises(NoCanonicalForm, match=r"column 'array': a value of .*Odd has no canonical form"):
        content(np.array([Odd(), 1], dtype=object))


class Odd:
    """Nothing that could be told of."""


def test_the_canonical_content_is_as_documented() -> None:
    import hashlib

    head = b'{"canonical":"provstore-array/1","dtype":"int64","shape":[2]}\n'
    expected = hashlib.sha256(head + (1).to_bytes(8, "little") + (2).to_bytes(8, "little")).hexdigest()
    assert digest(np.array([1, 2])) == expected


def test_what_is_no_frame_is_none() -> None:
    assert [kind_of(each) for each in ([], {}, "x", object(), np.float64(1), DataFrame())] == [""] * 6


class DataFrame:
    """A class of that name that is no frame of a library that is known."""


#: Runs where pandas and pyarrow are installed: prints groups of digests that must be equal, and of ones that must not.
_FRAMES = """
import datetime, decimal, json
import numpy as np, pandas as pd, pyarrow as pa
from provstore.record.frames import content

def d(value): return content(value).sha256

frame = pd.DataFrame({"n": [1, 2, 3], "x": [0.5, np.nan, 2.0], "s": ["a", None, "ü"], "b": [True, False, True]})
when = pd.to_datetime(["2026-03-01", None, "2026-03-02"])
rich = frame.assign(t=when, z=when.tz_localize("Europe/Berlin"), c=pd.Categorical(["p", "q", "p"]))
table = pa.table({"n": [1, 2, 3], "s": ["a", None, "ü"]})
class Sub(pd.DataFrame): ...

equal = [
    [frame, frame.copy(), pd.concat([frame[:1], frame[1:]]), frame[["n", "x", "s", "b"]], Sub(frame)],
    [rich, rich.copy()],
    [table, table.combine_chunks(), pa.concat_tables([table[:1], table[1:]]), frame[["n", "s"]]],
    [frame["n"], frame["n"].copy()],
    [frame.reset_index(drop=True), frame],
    [frame[["n", "b"]], pa.table({"n": [1, 2, 3], "b": [True, False, True]}),
     pa.record_batch({"n": [1, 2, 3], "b": [True, False, True]})],
]
other = frame.copy(); other.loc[1, "b"] = True
late = rich.copy(); late["t"] = late["t"] + pd.Timedelta(1, "s")
large = pd.DataFrame({"v": np.arange(20_000)}); larger = large.copy(); larger.loc[15_000, "v"] = -1
unequal = [
    frame, rich, table, other, late, large, larger, frame[::-1], frame.set_index("n"), frame.rename(columns={"n": "m"}),
    frame.astype({"n": "int32"}), frame[["x", "n", "s", "b"]], frame[:2], frame[:0], pd.DataFrame(),
    frame.assign(o=[decimal.Decimal("1.5"), datetime.date(2026, 3, 1), [1, 2]]), frame.astype({"n": "Int64"}),
    frame.assign(s=["a", "", "ü"]), frame["x"],
]
print(json.dumps({"equal": [[d(e) for e in group] for group in equal], "unequal": [d(e) for e in unequal]}))
"""


def test_frames_of_pandas_and_pyarrow() -> None:
    python = programs("pipeline") / "python"
    done = subprocess.run(
        [python, "-c", _FRAMES], env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert [len(set(group)) for group in said["equal"]] == [1] * 6
    assert len(set(said["unequal"])) == len(said["unequal"])
