"""Reads one file in each of many ways, in one run; called first, it makes the files, in the folder `made`."""

from __future__ import annotations

import pickle
import sqlite3
import sys
import urllib.request
from contextlib import closing
from pathlib import Path

import duckdb
import fsspec
import joblib
import mlflow
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset
import pyarrow.feather
import pyarrow.orc
import pyarrow.parquet
from sklearn.datasets import load_iris

MADE = Path("made")


def make() -> None:
    frame = pd.DataFrame({"a": [1, 2, 3], "b": [0.5, 0.25, 0.125]})
    MADE.mkdir()
    for name in (
        "open",
        "pandas",
        "pandas_pyarrow",
        "arrow",
        "duck_sql",
        "duck_call",
        "duck_glob_1",
        "duck_glob_2",
        "late",
    ):
        frame.assign(name=name).to_csv(MADE / f"{name}.csv", index=False)
    for name in ("pandas", "arrow", "arrow_file", "duck_sql", "part"):
        path = MADE / "parts" / "p=1" / "part.parquet" if name == "part" else MADE / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.assign(name=name).to_parquet(path)
    pyarrow.orc.write_table(pa.table(frame), MADE / "arrow.orc")
    frame.to_feather(MADE / "arrow.feather")
    frame.to_feather(MADE / "mapped.arrow")
    np.save(MADE / "loaded.npy", np.arange(5))
    np.save(MADE / "mapped.npy", np.arange(6))
    np.arange(7).tofile(MADE / "raw.bin")
    (MADE / "pickled.pkl").write_bytes(pickle.dumps({"a": 1}))
    joblib.dump(np.arange(8), MADE / "dumped.joblib")
    with closing(sqlite3.connect(MADE / "rows.sqlite")) as rows:
        rows.execute("CREATE TABLE t (a)")
        rows.commit()
    with duckdb.connect(str(MADE / "store.duckdb")) as store:
        store.sql("CREATE TABLE t AS SELECT 1 AS a")
    (MADE / "client_secret.json").write_text("{}")
    (MADE / "späße & more.csv").write_text("a\n1\n")


def read() -> None:
    with open(MADE / "open.csv", "rb") as file:
        file.read()
    pd.read_csv(MADE / "pandas.csv")
    pd.read_csv(str(MADE / "pandas_pyarrow.csv"), engine="pyarrow")
    pd.read_csv(MADE / "späße & more.csv")
    pyarrow.csv.read_csv(str(MADE / "arrow.csv"))
    pd.read_parquet(MADE / "pandas.parquet")
    pyarrow.parquet.read_table(str(MADE / "arrow.parquet"))
    pyarrow.parquet.ParquetFile(MADE / "arrow_file.parquet").read()
    pyarrow.dataset.dataset(MADE / "parts", partitioning="hive").to_table()
    pyarrow.orc.read_table(str(MADE / "arrow.orc"))
    pyarrow.feather.read_table(str(MADE / "arrow.feather"))
    with pa.memory_map(str(MADE / "mapped.arrow")) as source:
        pa.ipc.open_file(source).read_all()
    duckdb.sql(
        f"SELECT * FROM '{MADE}/duck_sql.csv' JOIN read_parquet(\"{MADE}/duck_sql.parquet\") USING (a)"
    ).fetchall()
    duckdb.read_csv(str(MADE / "duck_call.csv")).fetchall()
    with duckdb.connect() as own:
        own.execute("SELECT * FROM read_csv(?)", [f"{MADE}/duck_glob_*.csv"]).fetchall()
        own.sql(f"COPY (SELECT 1 AS a) TO '{MADE}/written_by_duckdb.csv'")
        own.execute(f"ATTACH '{MADE}/store.duckdb' AS store (READ_ONLY)")
    np.load(MADE / "loaded.npy")
    np.load(MADE / "mapped.npy", mmap_mode="r").sum()
    np.fromfile(MADE / "raw.bin", dtype=int)
    pickle.loads((MADE / "pickled.pkl").read_bytes())
    joblib.load(MADE / "dumped.joblib")
    with closing(sqlite3.connect(f"file:{MADE}/rows.sqlite?mode=ro", uri=True)) as rows:
        rows.execute("SELECT * FROM t").fetchall()
    (MADE / "client_secret.json").read_text()
    load_iris()
    url = sys.argv[1]
    with urllib.request.urlopen(f"{url}/rates.csv?token=hunter2hunter2") as answer:
        answer.read()
    with fsspec.open(f"{url}/fsspec.csv") as file:
        file.read()


def main() -> None:
    if not MADE.exists():
        make()
        return
    with mlflow.start_run():
        read()
        Path("out.txt").write_text("x")
        Path("out.txt").read_text()


if __name__ == "__main__":
    main()
