"""Loads the raw files into the warehouse, a table each, and records it: the warehouse alone could not tell."""

from __future__ import annotations

import json
import os
from pathlib import Path

import duckdb

from provstore import record

DATABASE = Path(os.environ["BANK_DATABASE"])
FILES = {
    "transactions": "data/raw/transactions.csv",
    "demographics": "data/raw/demographics.jsonl",
    "features": "data/features.csv",
}


def table(name: str) -> record.Thing:
    """A table of the warehouse, named as dbt names it."""
    return record.table(f"duckdb://{DATABASE}", f"warehouse.{name}", mode="OVERWRITE")


def load(bank: duckdb.DuckDBPyConnection, name: str) -> None:
    if name == "demographics":
        pages = [json.loads(line) for line in Path(FILES[name]).read_text().splitlines()]
        found = [
            (row["customer"], row["birth_year"], row["declared_income"]) for page in pages for row in page["results"]
        ]
        bank.execute("create table raw.demographics (customer varchar, birth_year integer, declared_income double)")
        bank.executemany("insert into raw.demographics values (?, ?, ?)", found)
    else:
        bank.execute(f"create table raw.{name} as from read_csv('{FILES[name]}')")


def main() -> None:
    DATABASE.unlink(missing_ok=True)
    with duckdb.connect(str(DATABASE)) as bank:
        bank.execute("create schema raw")
        for name, file in FILES.items():
            with record.step(f"load {name}") as step:
                load(bank, name)
                step.used(file)
                step.generated(table(f"raw.{name}"))


if __name__ == "__main__":
    main()
