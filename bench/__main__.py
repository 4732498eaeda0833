"""`make bench`: every benchmark, as the tables of docs/performance.md."""

from __future__ import annotations

from bench import (
    graphs,
    ingest,
    install,
    items,
    lineage,
    picture,
    plugin,
    queries,
    recorder,
    search,
    sparql,
    stored,
    validation,
)


def main() -> None:
    parts = (
        ("Taking in", ingest.main),
        ("Items in batches", items.main),
        ("Recording", recorder.main),
        ("Asking", sparql.main),
        ("Canned queries", queries.main),
        ("Lineage", lineage.main),
        ("The picture", picture.main),
        ("Searching", search.main),
        ("Validation", validation.main),
        ("Validation of a store", stored.main),
        ("The default graph", graphs.main),
        ("The MLflow plugin", plugin.main),
        ("Installing", install.main),
    )
    for title, run in parts:
        print(f"\n## {title}\n", flush=True)
        run()


if __name__ == "__main__":
    main()
