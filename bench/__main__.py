"""`make bench`: every benchmark, as the tables of docs/performance.md."""

from __future__ import annotations

from bench import graphs, ingest, search, sparql


def main() -> None:
    for title, run in (
        ("Taking in", ingest.main),
        ("Asking", sparql.main),
        ("Searching", search.main),
        ("The default graph", graphs.main),
    ):
        print(f"\n## {title}\n", flush=True)
        run()


if __name__ == "__main__":
    main()
