"""Loads the raw files into the warehouse, a table each, and says so: nobody could tell from the warehouse alone."""

from __future__ import annotations

import json
import os
from pathlib import Path

import duckdb

DATABASE = Path(os.environ["BANK_DATABASE"])


def main() -> None:
    DATABASE.unlink(missing_ok=True)
    pages = [json.loads(line) for line in Path("data/raw/demographics.jsonl").read_text().splitlines()]
    rows = [
        (each["customer"], each["birth_year"], each["declared_income"]) for page in pages for each in page["results"]
    ]
    with duckdb.connect(str(DATABASE)) as bank:
        bank.execute("create schema raw")
        bank.execute("create table raw.transactions as from read_csv('data/raw/transactions.csv')")
        bank.execute("create table raw.features as from read_csv('data/features.csv')")
        bank.execute("create table raw.demographics (customer varchar, birth_year integer, declared_income double)")
        bank.executemany("insert into raw.demographics values (?, ?, ?)", rows)


if __name__ == "__main__":
    main()
