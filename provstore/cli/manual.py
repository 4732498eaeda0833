"""What the help of each command says beyond its options: what its exit code means, and examples.

The examples stand in `docs/reference.md` too, and a test runs each of them, in this order, on the worked examples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: What an exit code means, whatever the command.
COULD_NOT = "it could not be done; standard error says why, and what to do"
CODES = {
    0: "done; the answer is yes",
    1: "done, and the answer is no",
    2: COULD_NOT,
    130: "interrupted (Ctrl-C)",
    141: "whoever read the output stopped reading",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One command: what 0 and 1 mean for it (no 1: it never says no), and examples as (line, what it gives)."""

    yes: str = "done"
    no: str = ""
    examples: tuple[tuple[str, str], ...] = ()
    others: Mapping[int, str] = field(default_factory=lambda: {2: COULD_NOT, 130: CODES[130]})

    def codes(self) -> dict[int, str]:
        """Each exit code that the command ends with, and what it means."""
        return {0: self.yes, **({1: self.no} if self.no else {}), **self.others}


MANUAL = {
    "demo": Entry(
        "served until it was stopped",
        examples=(("provstore demo --port 0", "the worked examples, served on a free port"),),
    ),
    "serve": Entry(
        "served until it was stopped",
        examples=(("provstore serve --data provstore-data --port 0", "serve a store; it is made where there is none"),),
    ),
    "ingest": Entry(
        "every payload is in the ledger",
        "something was refused; the rest is in the ledger",
        (
            ("provstore ingest events.jsonl", "events, one a line"),
            ("provstore ingest --json events.jsonl", "a receipt or refusal a line, as JSON"),
            ("provstore ingest --format ttl - < report.ttl", "a PROV document from standard input"),
        ),
    ),
    "capture": Entry(
        "the store has all that the tool had; with --follow: it went on until it was stopped",
        "something could not be read, or the store refused it; the rest is in the store",
        (
            ("provstore capture dvc path/to/repository", "the history of a git repository with DVC in it"),
            ("provstore capture mlflow http://127.0.0.1:5000", "all that an MLflow server has, once"),
            (
                "provstore capture mlflow http://127.0.0.1:5000 --follow --listen 127.0.0.1:5055",
                "and from then on what changes, told by the webhooks of its registry too",
            ),
            ("provstore capture mlflow mlruns/mlflow.db --mlflow venv/bin/mlflow", "a database that was handed over"),
        ),
    ),
    "record": Entry(
        "nothing waits any more, or the status was told",
        "something still waits, or was refused",
        (
            ("provstore record status", "what waits in the spool, and where it goes"),
            ("provstore record flush", "bring it there now"),
        ),
    ),
    "query": Entry(
        "answered, also where no row was found",
        examples=(
            ("provstore query", "the questions that come ready-made"),
            ("provstore query audit/gaps", "what is missing"),
            (
                "provstore query lineage/upstream entity=https://prov.example/prediction/1 --format csv",
                "one with a parameter, as CSV",
            ),
        ),
    ),
    "sparql": Entry(
        "answered; an ASK: true",
        "an ASK: false",
        (
            ("provstore sparql 'SELECT ?run { ?run a <https://w3id.org/provstore/ns#Run> } LIMIT 3'", "a table"),
            ("provstore sparql --format json @count.rq", "a query from a file, answered as SPARQL results in JSON"),
        ),
    ),
    "search": Entry(
        "something was found",
        "nothing was found",
        (
            ("provstore search risk score", "all words, wherever they stand"),
            ("provstore search --kind dataset --format tsv 'risk*'", "the beginning of a word, in datasets only"),
        ),
    ),
    "lineage": Entry(
        "answered",
        examples=(
            ("provstore lineage https://prov.example/prediction/1", "all that a prediction came from"),
            ("provstore lineage demographics-api --direction downstream --format csv", "all that came from a dataset"),
        ),
    ),
    "impact": Entry(
        "answered",
        examples=(
            (
                "provstore impact demographics-api --after 2026-03-06 --before 2026-03-10",
                "the feed was wrong for some days: which models and predictions are affected?",
            ),
        ),
    ),
    "validate": Entry(
        "everything conforms: nothing that a profile says MUST be is missing",
        "something does not conform",
        (
            ("provstore validate events.jsonl", "what the events lack, told as on the way in, and nothing is stored"),
            ("provstore validate --profile prov-core --format json report.ttl", "as JSON, for a check in CI"),
            ("provstore validate --format sarif --output findings.sarif events.jsonl", "for code scanning and editors"),
            ("provstore validate --fail-on SHOULD --quiet report.ttl", "nothing but an exit code, and a stricter one"),
            ("provstore validate --store --profile model", "all that the records of the store together say of models"),
        ),
        {2: "something could not be read, or the validation did not finish", 130: CODES[130]},
    ),
    "complete": Entry(
        "nothing is to be added",
        "something is: it was printed",
        (
            ("provstore complete report.ttl", "what a document lacks by the profiles that are on"),
            ("provstore complete --profile prov-core --output more.ttl events.jsonl", "what events lack, into a file"),
        ),
        {2: "something could not be read, or the validation did not finish", 130: CODES[130]},
    ),
    "profile": Entry(
        "done; a trial: no record would newly violate the profile",
        "add: the shapes are refused, and nothing was published; try: some record would newly violate the profile",
        (
            ("provstore profile", "what profiles there are, and how they are used"),
            ("provstore profile show prov-core --format csv", "the rules of one, in words"),
            ("provstore profile add shapes.ttl --name credit-risk", "publish shapes of your own as the next version"),
            ("provstore profile try credit-risk --last 100", "what they would find in the newest 100 records"),
            ("provstore profile use credit-risk annotate", "hold records to them from now on, and flag what fails"),
        ),
    ),
    "export": Entry(
        "the package is there, whole; or the document",
        examples=(
            (
                "provstore export evidence.zip --lineage https://prov.example/prediction/1",
                "all that a prediction rests on",
            ),
            ("provstore export gaps/ --query audit/gaps", "the records of what is missing something, as a directory"),
            (
                "provstore export raw.json --croissant https://prov.example/dataset/s3%3A%2F%2Fbank-raw/transactions",
                "a dataset, as Croissant has it",
            ),
        ),
    ),
    "verify": Entry(
        "the ledger or package holds (VERIFIED against a kept checkpoint, or UNWITNESSED without one)",
        "it does not (DAMAGED, FAILED), or the views are not what the ledger says",
        (
            ("provstore verify package.zip", "a package, with no ledger at hand"),
            ("provstore verify", "recompute every hash of the ledger"),
            ("provstore verify --views --format json", "the triples and indexes too"),
        ),
    ),
    "signatures": Entry(
        "a key that you trust signed each of the statements",
        "of some statement none did; each line says why",
        (
            ("provstore signatures --trust builder.pem envelope.json", "a file, before it is taken in"),
            ("provstore signatures --trust builder.pem", "every statement in the store"),
        ),
    ),
    "rebuild": Entry(
        "every view is made again", examples=(("provstore rebuild", "the triple store and the indexes, made again"),)
    ),
    "backup": Entry(
        "everything that was acknowledged before is in the copy",
        examples=(("provstore backup copy", "a copy of the ledger and its key in a new directory"),),
    ),
    "restore": Entry(
        "the backup was verified and is a store",
        examples=(("provstore restore copy --data restored", "a store of its own from that copy, verified first"),),
    ),
    "settings": Entry("shown", examples=(("provstore settings --format json", "every setting and its value"),)),
    "completion": Entry(
        "printed",
        examples=(
            (
                "provstore completion bash > provstore.bash",
                "put it where bash-completion looks: ~/.local/share/bash-completion/completions/provstore",
            ),
        ),
    ),
}
