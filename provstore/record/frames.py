"""Digests of what lies in memory: frames of pandas, polars and pyarrow, arrays of numpy. None of them is imported.

The canonical content of a table is a line of JSON, `{"canonical":"provstore-table/1","columns":[[name,kind],…],
"rows":n}`, and a line feed, then each column's values one after another:

- booleans, integers and floats: little-endian, as wide as they are; every NaN as the same one;
- instants and durations: 64-bit integers in the unit that the kind names; the least one is a missing value;
- text and bytes: length as a 64-bit little-endian integer, then the UTF-8; length -1 for a missing value;
- anything else: as text, of its canonical JSON (lists, objects, dates, decimals, numbers that may be missing).

A pandas index that is not 0, 1, 2, … counts as columns before the others. An array is the line
`{"canonical":"provstore-array/1","dtype":…,"shape":[…]}` and its elements in row-major order, coded likewise.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

_MISSING = struct.pack("<q", -1)


class NoCanonicalForm(ValueError):
    """A value has no canonical form, so that what holds it has no digest."""


@dataclass(frozen=True, slots=True)
class Content:
    """What an object holds: `kind` is frame or array; `columns` are names with kinds; `shape` is of an array."""

    kind: str
    sha256: str
    rows: int
    columns: tuple[tuple[str, str], ...] = ()
    shape: tuple[int, ...] = ()
    dtype: str = ""


def kind_of(value: object) -> str:
    """`frame`, `array` or "": what an object is by the library and the name of its class, or of one it inherits."""
    for each in type(value).__mro__:
        root = each.__module__.partition(".")[0]
        if (root, each.__name__) in _KINDS:
            return _KINDS[root, each.__name__]
    return ""


_KINDS = {
    ("pandas", "DataFrame"): "frame",
    ("pandas", "Series"): "frame",
    ("polars", "DataFrame"): "frame",
    ("polars", "Series"): "frame",
    ("pyarrow", "Table"): "frame",
    ("pyarrow", "RecordBatch"): "frame",
    ("numpy", "ndarray"): "array",
    ("torch", "Tensor"): "array",
}


def content(value: Any) -> Content:
    """The canonical content of a frame or an array; NoCanonicalForm names the first column that has none."""
    if kind_of(value) == "array":
        return _array(value)
    root = next(each.__module__.partition(".")[0] for each in type(value).__mro__ if each.__name__ in _FRAMES)
    columns = list({"pandas": _pandas, "polars": _polars, "pyarrow": _pyarrow}[root](value))
    rows = len(value) if root != "pyarrow" else value.num_rows
    coded = [(name, *_column(name, values)) for name, values in columns]
    head = {"canonical": "provstore-table/1", "columns": [[name, kind] for name, kind, _ in coded], "rows": rows}
    digest = hashlib.sha256(_line(head))
    for _, _, parts in coded:
        for part in parts:
            digest.update(part)
    return Content("frame", digest.hexdigest(), rows, tuple((name, kind) for name, kind, _ in coded))


_FRAMES = frozenset(name for _, name in _KINDS)


def _array(value: Any) -> Content:
    if type(value).__module__.partition(".")[0] == "torch":
        value = value.detach().cpu().numpy()
    shape = tuple(int(each) for each in value.shape)
    dtype, parts = _column("array", value.reshape(-1))
    head = {"canonical": "provstore-array/1", "dtype": dtype, "shape": list(shape)}
    digest = hashlib.sha256(_line(head))
    for part in parts:
        digest.update(part)
    return Content("array", digest.hexdigest(), shape[0] if shape else 1, (), shape, dtype)


def _line(head: dict[str, Any]) -> bytes:
    return json.dumps(head, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


# --- columns --------------------------------------------------------------------------------------------------------


def _pandas(value: Any) -> Iterator[tuple[str, Any]]:
    index = value.index
    default = len(index.names) == 1 and index.dtype.kind in "iu" and bool((index == range(len(index))).all())
    if not default:
        for number, name in enumerate(index.names):
            yield f"index:{number if name is None else name}", _plain(index.get_level_values(number))
    if hasattr(value, "columns"):
        for number, name in enumerate(value.columns):
            yield str(name), _plain(value.iloc[:, number])
    else:
        yield str(value.name), _plain(value)


def _plain(series: Any) -> Any:
    """A numpy array of native numbers or times where the column is one, else the values themselves."""
    dtype = series.dtype
    if getattr(dtype, "kind", "O") in "biufmM" and type(dtype).__module__.partition(".")[0] == "numpy":
        return series.to_numpy()
    if getattr(dtype, "tz", None) is not None:
        return _Zoned(str(dtype.tz), series.astype("int64").to_numpy(), str(getattr(dtype, "unit", "ns")))
    return series.tolist()


@dataclass(frozen=True, slots=True)
class _Zoned:
    """Instants as 64-bit integers of a unit since 1970, in a time zone."""

    zone: str
    values: Any
    unit: str


def _polars(value: Any) -> Iterator[tuple[str, Any]]:
    for series in value.get_columns() if hasattr(value, "get_columns") else [value]:
        numeric = str(series.dtype) in _NUMERIC and series.null_count() == 0
        yield str(series.name), series.to_numpy() if numeric else series.to_list()


_NUMERIC = frozenset(
    ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float32", "Float64", "Boolean")
)


def _pyarrow(value: Any) -> Iterator[tuple[str, Any]]:
    for name, column in zip(value.schema.names, value.columns, strict=True):
        if str(column.type) not in _ARROW_NUMERIC or column.null_count:
            yield str(name), column.to_pylist()
        else:
            yield str(name), column.to_numpy() if hasattr(column, "chunks") else column.to_numpy(zero_copy_only=False)


_ARROW_NUMERIC = frozenset(
    ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float", "double", "bool")
)


def _column(name: str, values: Any) -> tuple[str, Iterable[bytes]]:
    """The kind of a column and its bytes; NoCanonicalForm where it has none."""
    if isinstance(values, _Zoned):
        return f"datetime64[{values.unit}, {values.zone}]", [_little(values.values)]
    kind = getattr(getattr(values, "dtype", None), "kind", "")
    if kind in ("b", "i", "u"):
        return _name(values), [_little(values)]
    if kind == "f" or kind == "c":
        return _name(values), [_little(_one_nan(values))]
    if kind in ("m", "M"):
        return str(values.dtype.newbyteorder("<")).lstrip("<"), [_little(values.view("i8"))]
    if kind == "S":
        return "bytes", [_sized(bytes(each)) for each in values.tolist()]
    listed = values.tolist() if hasattr(values, "tolist") else values
    if all(isinstance(each, str) or _is_missing(each) for each in listed):
        return "text", [_MISSING if not isinstance(each, str) else _text(each) for each in listed]
    if all(isinstance(each, bytes) or _is_missing(each) for each in listed):
        return "bytes", [_sized(each) if isinstance(each, bytes) else _MISSING for each in listed]
    try:
        return "json", [_MISSING if _is_missing(each) else _sized(_json(each)) for each in listed]
    except NoCanonicalForm as error:
        raise NoCanonicalForm(f"column {name!r}: {error}") from error


def _name(values: Any) -> str:
    return str(values.dtype.newbyteorder("="))


def _little(values: Any) -> bytes:
    out: bytes = values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()
    return out


def _one_nan(values: Any) -> Any:
    odd = values != values
    if odd.any():
        values = values.copy()
        values[odd] = float("nan")
    return values


def _is_missing(value: object) -> bool:
    """None, NaN, pandas' NA and NaT: what is not equal to itself, or is said to be nothing by its class."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float) and value != value


def _text(value: str) -> bytes:
    return _sized(value.encode("utf-8", "surrogatepass"))


def _sized(value: bytes) -> bytes:
    return struct.pack("<q", len(value)) + value


def _json(value: Any) -> bytes:
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_told).encode(
            "utf-8", "surrogatepass"
        )
    except (TypeError, ValueError, RecursionError) as error:
        raise NoCanonicalForm(str(error)) from error


def _told(value: Any) -> Any:
    """What a value that JSON does not know is coded as."""
    module, name = type(value).__module__.partition(".")[0], type(value).__name__
    if module in ("datetime", "pandas", "pendulum") and hasattr(value, "isoformat"):
        return value.isoformat()
    if module in ("decimal", "uuid", "fractions", "zoneinfo") or name in (
        "Timedelta",
        "timedelta",
        "Interval",
        "Period",
    ):
        return str(value)
    if hasattr(value, "tolist") and module in ("numpy", "pandas", "polars", "pyarrow"):
        return value.tolist() if kind_of(value) or hasattr(value, "dtype") else list(value)
    if module == "polars" and hasattr(value, "to_list"):
        return value.to_list()
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=repr)
    if isinstance(value, tuple):
        return list(value)
    raise NoCanonicalForm(f"a value of {module}.{name} has no canonical form")
