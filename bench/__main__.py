"""`make bench`: every benchmark, as the tables of docs/performance.md."""

from __future__ import annotations

from bench import graphs, ingest, queries, sparql


def main() -> None:
    tables = (
        ("Taking in", ingest.main),
        ("Asking", sparql.main),
        ("Canned queries", queries.main),
        ("The default graph", graphs.main),
    )
    for title, run in tables:
        print(f"\n## {title}\n", flush=True)
        run()


if __name__ == "__main__":
    main()
