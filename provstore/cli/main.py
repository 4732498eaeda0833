"""`provstore`: the commands and their options. What a command needs is imported when it runs."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from io import TextIOWrapper

from provstore import __version__
from provstore.cli.manual import CODES
from provstore.cli.output import FORMATS as LISTS
from provstore.cli.output import tell
from provstore.cli.parser import Parser, epilog
from provstore.errors import ProvStoreError
from provstore.export.parameters import PARAMETERS as SELECTION
from provstore.lineage.parameters import CHOICES, FORMATS, PARAMETERS
from provstore.settings import SETTINGS, Settings, load

_Run = Callable[[argparse.Namespace, Settings], int]
#: What `provstore query` and `provstore sparql` can print an answer as.
ANSWERS = ("table", "json", "ndjson", "xml", "csv", "tsv", "turtle", "nt", "jsonld")
#: What `provstore profile` can do, and in which modes a profile can be used.
ACTIONS, MODES = ("list", "show", "add", "try", "use"), ("annotate", "reject", "off")
#: What `provstore validate` can print.
VALIDATIONS = ("table", "json", "turtle", "html", "csv", "tsv", "ndjson", "sarif", "junit")
#: Who can validate.
ENGINES = ("compiled", "pyshacl")
#: What can be done with what programs recorded.
RECORDED = ("flush", "status")
#: What can be captured from, and what is done with what went in and came out of traces.
CAPTURED, TRACES = ("dvc", "mlflow"), ("commit", "redact", "keep", "none")
_SERVER = "ask a running server instead of opening the directory"
_TRUST = "a public key that you trust (PEM, or a directory of them); repeatable"


def build_parser() -> Parser:
    """The whole command line."""
    codes = "\n".join(f"  {code:<3} {says}" for code, says in CODES.items())
    parser = Parser(
        prog="provstore",
        description="A provenance store for data and AI.",
        epilog=f"exit codes:\n{codes}\n\nprovstore COMMAND --help says more of each command, with examples.",
    )
    parser.add_argument("--version", action="version", version=f"provstore {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _serving(commands)
    _taking_in(commands)
    _capturing(commands)
    _recording(commands)
    _profiles(commands)
    _asking(commands)
    _lineage(commands)
    _keeping(commands)
    _helping(commands)
    return parser


def _add(
    commands: argparse._SubParsersAction[Parser], name: str, run: str, text: str, *, data: bool = True
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text, epilog=epilog(name))
    parser.set_defaults(run=run)
    if data:
        parser.add_argument("--data", metavar="DIR", help=f"the data directory (default: {_default('data')})")
    return parser


def _files_or_store(found: argparse.Namespace) -> str:
    if found.store and found.files:
        return "--store validates all that the store holds: no FILE goes with it"
    beside = {"--input": found.input, "--watch": found.watch, "--engine": found.engine != ENGINES[0]}
    if found.store and any(beside.values()):
        return f"--store looks at no files: {next(name for name, given in beside.items() if given)} does not go with it"
    return "" if found.store or found.files else "FILE or --store is required"


def _default(name: str) -> object:
    return next(s.default for s in SETTINGS if s.name == name)


def _format(parser: argparse.ArgumentParser, forms: Sequence[str]) -> None:
    first, *others = forms
    said = ", ".join([f"{first} (default)", *others])
    parser.add_argument("--format", choices=forms, default=first, metavar="FORMAT", help=said)


def _serving(commands: argparse._SubParsersAction[Parser]) -> None:
    for name, run, text in (
        ("serve", "provstore.cli.serving:serve", "Serve a store over HTTP."),
        ("demo", "provstore.cli.serving:demo", "Load the worked examples and serve them."),
    ):
        parser = _add(commands, name, run, text)
        parser.add_argument("--host", help=f"address to listen on (default: {_default('host')})")
        parser.add_argument("--port", type=int, help=f"port to listen on (default: {_default('port')})")
        parser.add_argument("--base", metavar="IRI", help="id base of a new store, fixed for good when it is made")
        if name == "demo":
            said = "clinical, credit, credit-risk (default: all)"
            parser.add_argument("examples", nargs="*", metavar="EXAMPLE", help=said)


def _taking_in(commands: argparse._SubParsersAction[Parser]) -> None:
    ingest = _add(
        commands, "ingest", "provstore.cli.ingest:run", "Take in OpenLineage events and RDF documents from files."
    )
    ingest.add_argument("files", nargs="+", metavar="FILE", help="files, directories, globs, or - for standard input")
    ingest.add_argument("--format", help="media type or extension, where the file name does not tell (needed for -)")
    ingest.add_argument("--json", action="store_true", help="print a receipt or refusal a line, as JSON")
    ingest.add_argument("--server", metavar="URL", help="send to a running server instead of opening the directory")
    ingest.add_argument("--base", metavar="IRI", help="id base of a new store")
    validate = _add(
        commands,
        "validate",
        "provstore.cli.validating:run",
        "Say what files lack by the shapes of a profile, as on the way in; nothing is stored.",
    )
    validate.add_argument("files", nargs="*", metavar="FILE", help="files, directories, globs, or - for standard input")
    validate.set_defaults(wrong=_files_or_store)
    validate.add_argument("--store", action="store_true", help="instead of files: all that the store's records say")
    validate.add_argument(
        "--profile", action="append", default=[], metavar="PROFILE", help="instead of those that are on; repeatable"
    )
    validate.add_argument(
        "--shapes", action="append", default=[], metavar="FILE", help="shapes of your own, from files; repeatable"
    )
    validate.add_argument("--input", metavar="TYPE", help="media type or extension, where the file name does not tell")
    _format(validate, VALIDATIONS)
    validate.add_argument("--output", metavar="FILE", help="write it to a file instead of printing it")
    validate.add_argument(
        "--engine", choices=ENGINES, default=ENGINES[0], help="who validates: %(choices)s (default: %(default)s)"
    )
    validate.add_argument(
        "--fail-on",
        choices=("MUST", "SHOULD", "MAY"),
        default="MUST",
        metavar="SEVERITY",
        help="the weakest severity that gives exit code 1: MUST (default), SHOULD, MAY",
    )
    validate.add_argument("--quiet", action="store_true", help="print nothing: the exit code says it")
    validate.add_argument("--watch", action="store_true", help="say it again when a file changes, until Ctrl-C")

    complete = _add(
        commands,
        "complete",
        "provstore.cli.mending:run",
        "Print what would make files or stored records complete, as Turtle to append and edit.",
    )
    complete.add_argument(
        "files", nargs="+", metavar="FILE-or-record", help="files, directories, globs, -, or the IRI of a record"
    )
    complete.add_argument(
        "--profile", action="append", default=[], metavar="PROFILE", help="instead of those that are on; repeatable"
    )
    complete.add_argument("--input", metavar="TYPE", help="media type or extension, where the file name does not tell")
    complete.add_argument("--output", metavar="FILE", help="write it to a file instead of printing it")


def _capturing(commands: argparse._SubParsersAction[Parser]) -> None:
    parser = _add(
        commands, "capture", "provstore.cli.capturing:run", "Bring in what another tool keeps, and keep it up to date."
    )
    parser.add_argument("tool", choices=CAPTURED, metavar="TOOL", help=", ".join(CAPTURED))
    parser.add_argument(
        "source",
        metavar="SOURCE",
        help="dvc: a git repository; mlflow: a tracking URI (http or https), an mlflow.db, an mlruns",
    )
    parser.add_argument(
        "--follow", action="store_true", help="go on until it is stopped, and keep the store up to date"
    )
    parser.add_argument("--interval", type=float, default=10.0, metavar="SECONDS", help="of --follow (default: 10)")
    parser.add_argument(
        "--listen", metavar="HOST:PORT", help="of --follow: take the webhooks of MLflow's registry here"
    )
    parser.add_argument(
        "--traces",
        choices=TRACES,
        default=TRACES[0],
        metavar="HOW",
        help="what went in and came out of traces: commit (default), redact, keep (in clear text); none: no traces",
    )
    parser.add_argument("--namespace", metavar="NAME", help="what the source is called in records (default: its URI)")
    parser.add_argument("--no-artifacts", action="store_true", help="do not hash files: of models, in DVC's cache")
    parser.add_argument(
        "--cache",
        action="append",
        default=[],
        metavar="DIR",
        help="look for the bytes that DVC tells of in this cache or local remote as well; may be repeated",
    )
    parser.add_argument(
        "--max-file-bytes",
        type=int,
        default=2 << 30,
        metavar="BYTES",
        help="larger files are not hashed (default: 2 GiB)",
    )
    parser.add_argument(
        "--max-run-bytes",
        type=int,
        default=64 << 20,
        metavar="BYTES",
        help="mlflow: of a run's artifacts so much is hashed, the smallest files first (default: 64 MiB)",
    )
    parser.add_argument("--mlflow", default="mlflow", metavar="PROGRAM", help="of a file: the mlflow that reads it")
    _format(parser, ("table", "json"))
    parser.add_argument("--server", metavar="URL", help="send to a running server instead of opening the directory")
    parser.add_argument("--base", metavar="IRI", help="id base of a new store")


def _recording(commands: argparse._SubParsersAction[Parser]) -> None:
    parser = _add(
        commands,
        "record",
        "provstore.cli.recording:run",
        "Bring what programs recorded from the spool into a store, or say what waits there.",
    )
    parser.add_argument("action", choices=RECORDED, metavar="ACTION", help="flush or status")
    parser.add_argument("--spool", metavar="DIR", help=f"where it waits (default: {_default('spool')})")
    parser.add_argument("--server", metavar="URL", help="of flush: only what goes there, and what nobody said where to")
    parser.add_argument("--base", metavar="IRI", help="id base of a new store")
    _format(parser, LISTS)


def _profiles(commands: argparse._SubParsersAction[Parser]) -> None:
    parser = _add(
        commands, "profile", "provstore.cli.profiling:run", "List, show, publish, try or use validation profiles."
    )
    parser.add_argument(
        "action",
        nargs="?",
        choices=ACTIONS,
        default=ACTIONS[0],
        metavar="ACTION",
        help="list (default); show NAME; add FILE --name NAME; try NAME; use NAME MODE",
    )
    parser.add_argument(
        "target", nargs="?", metavar="PROFILE", help="name (the newest version) or name/version; add: a file, or -"
    )
    parser.add_argument("mode", nargs="?", choices=MODES, metavar="MODE", help="of use: annotate, reject or off")
    parser.add_argument("--name", metavar="PROFILE", help="of add: the profile that the file is the next version of")
    parser.add_argument(
        "--ignore-imports", action="store_true", help="of add: publish although owl:imports are not fetched"
    )
    parser.add_argument("--last", type=int, help="of try: how many of the newest records (default: all)")
    _format(parser, (*LISTS, "turtle"))
    parser.add_argument("--server", metavar="URL", help=_SERVER)


def _asking(commands: argparse._SubParsersAction[Parser]) -> None:
    canned = _add(commands, "query", "provstore.cli.asking:canned", "Answer a canned query; without a name, list them.")
    canned.add_argument("name", nargs="?", metavar="NAME", help="topic/name, as the list has it")
    canned.add_argument("parameters", nargs="*", metavar="key=value", help="its parameters, and limit=")
    free = _add(commands, "sparql", "provstore.cli.asking:sparql", "Answer a SPARQL query.")
    free.add_argument("query", metavar="QUERY", help="the query, @FILE, or - for standard input")
    for parser in (canned, free):
        _format(parser, ANSWERS)
        parser.add_argument("--server", metavar="URL", help=_SERVER)
    _searching(commands)


def _searching(commands: argparse._SubParsersAction[Parser]) -> None:
    parser = _add(
        commands, "search", "provstore.cli.searching:run", "Find by words what has a name; without, list all."
    )
    parser.add_argument(
        "words", nargs="*", metavar="WORD", help='words, "a phrase", -without (after --), part* of a word'
    )
    for name in ("kind", "namespace", "owner", "tag"):
        parser.add_argument(f"--{name}", action="append", default=[], help=f"only of this {name}; may be repeated")
    what = "only what lacks something: what a profile demands (MUST), recommends (SHOULD) or suggests (MAY)"
    parser.add_argument(
        "--incomplete", metavar="SEVERITY", action="append", default=[], help=f"{what}; may be repeated"
    )
    parser.add_argument("--limit", type=int, default=20, help="how many results (default: 20)")
    _format(parser, LISTS)
    parser.add_argument("--server", metavar="URL", help=_SERVER)


def _lineage(commands: argparse._SubParsersAction[Parser]) -> None:
    for name, text in (
        ("lineage", "What something came from or went into, by steps that are known or possible."),
        ("impact", "If this was bad, what is affected, possibly affected, not affected?"),
    ):
        parser = _add(commands, name, "provstore.cli.lineage:run", text)
        for parameter, said in PARAMETERS[name].items():
            if parameter == "entity":
                parser.add_argument("entity", metavar="IRI-or-name", help=said)
            elif said.startswith("true: "):
                parser.add_argument(f"--{parameter}", action="store_const", const="true", help=said[6:])
            else:
                known = CHOICES.get(parameter)
                parser.add_argument(f"--{parameter}", choices=known, metavar=parameter.upper(), help=said)
        _format(parser, FORMATS[name])
        parser.add_argument("--server", metavar="URL", help=_SERVER)


def _keeping(commands: argparse._SubParsersAction[Parser]) -> None:
    verify = _add(commands, "verify", "provstore.cli.keeping:verify", "Recompute the ledger and say whether it holds.")
    verify.add_argument("package", nargs="?", help="an exported package (ZIP file or directory) instead of a ledger")
    verify.add_argument(
        "--checkpoint", metavar="FILE", help="a checkpoint kept elsewhere; without one the result is UNWITNESSED"
    )
    verify.add_argument(
        "--views", action="store_true", help="compare the views with the ledger too (no server may run)"
    )
    verify.add_argument("--key", help="of a package: the verifier key that you trust, or a file that holds it")
    verify.add_argument("--trust", action="append", default=[], metavar="FILE", help=f"of a package: {_TRUST}")
    verify.add_argument(
        "--proof",
        metavar="FILE",
        help="of a package: the answer of /ledger/proof/consistency that connects a checkpoint",
    )
    signatures = _add(
        commands, "signatures", "provstore.cli.signatures:run", "Say whether keys that you trust signed statements."
    )
    signatures.add_argument(
        "statements", nargs="*", metavar="FILE-or-record", help="files, -, or the IRIs of records (default: all stored)"
    )
    signatures.add_argument(
        "--trust", action="append", default=[], metavar="FILE", help=f"{_TRUST}, beside the setting trusted_keys"
    )
    _format(signatures, LISTS)
    _exporting(commands)
    rebuild = _add(commands, "rebuild", "provstore.cli.keeping:rebuild", "Make every view again from the ledger.")
    backup = _add(
        commands, "backup", "provstore.cli.keeping:backup", "Copy the ledger and its key, also while serving."
    )
    backup.add_argument("target", metavar="DIR", help="a new directory")
    restore = _add(commands, "restore", "provstore.cli.keeping:restore", "Verify a backup and make a store of it.")
    restore.add_argument("source", metavar="DIR", help="the backup")
    for parser in (verify, rebuild, backup, restore):
        _format(parser, ("table", "json"))
    settings = _add(
        commands,
        "settings",
        "provstore.cli.keeping:settings",
        "Show every setting, its value and its variable.",
        data=False,
    )
    _format(settings, LISTS)


def _helping(commands: argparse._SubParsersAction[Parser]) -> None:
    parser = _add(
        commands,
        "completion",
        "provstore.cli.completion:run",
        "Print a script that makes a shell complete commands, options, queries and their parameters.",
        data=False,
    )
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), metavar="SHELL", help="bash, zsh or fish")


def _exporting(commands: argparse._SubParsersAction[Parser]) -> None:
    parser = _add(commands, "export", "provstore.cli.exporting:run", "Write records and what proves them as a package.")
    parser.add_argument("target", metavar="TARGET", help="a new file.zip, or a new directory/ where it ends with /")
    for name in ("record", "lineage"):
        parser.add_argument(f"--{name}", action="append", metavar="IRI", help=SELECTION[name])
    parser.add_argument("--query", nargs="+", metavar="NAME", help=f"{SELECTION['query']}; then its key=value …")
    for name in ("depth", "sparql", "after", "before"):
        parser.add_argument(f"--{name}", metavar=name.upper(), help=SELECTION[name])
    parser.add_argument("--all", action="store_const", const="true", help=SELECTION["all"][6:])
    parser.add_argument(
        "--croissant",
        metavar="IRI",
        help="instead of a package the Croissant document of this dataset, by its IRI; TARGET is its file, or -",
    )
    parser.add_argument(
        "--checkpoint", action="append", metavar="FILE", help="a checkpoint that was kept; may be repeated"
    )
    _format(parser, ("table", "json"))
    parser.add_argument("--server", metavar="URL", help=_SERVER)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit code (`provstore.cli.manual.CODES`)."""
    _prepare()
    try:
        arguments = build_parser().parse(argv)
        given = {s.name: getattr(arguments, s.name, None) for s in SETTINGS}
        settings = load(os.environ, {name: value for name, value in given.items() if value is not None})
        module, _, name = arguments.run.partition(":")
        run: _Run = getattr(import_module(module), name)
        code = run(arguments, settings)
        sys.stdout.flush()
        return code
    except ProvStoreError as error:
        tell(f"provstore: {error}")
        return 2
    except BrokenPipeError:
        _silence()
        return 141
    except OSError as error:
        _silence()
        tell(f"provstore: {': '.join(map(str, filter(None, [error.filename, error.strerror or error])))}")
        return 2
    except KeyboardInterrupt:
        _silence()
        return 130


def _prepare() -> None:
    """Whatever names hold, and whatever an old terminal cannot show, printing them is no error."""
    if sys.stdout is None or sys.stderr is None:  # closed by whoever started this
        nowhere = open(os.devnull, "w")  # noqa: SIM115 - for as long as the process lives
        sys.stdout, sys.stderr = sys.stdout or nowhere, sys.stderr or nowhere
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _silence() -> None:
    """Nothing more can be said on standard output: what is left unsaid must not be an error at the very end."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


__all__ = ["build_parser", "main"]
