"""`provstore`: the commands and their options. What a command needs is imported when it runs."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from provstore import __version__
from provstore.errors import Misconfigured, ProvStoreError
from provstore.lineage.parameters import FORMATS, PARAMETERS
from provstore.settings import SETTINGS, Settings, load

#: Exit codes: 0 done, 1 the answer is no (not verified, something refused), 2 it could not be done.
_Run = Callable[[argparse.Namespace, Settings], int]


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(prog="provstore", description="A provenance store for data and AI.")
    parser.add_argument("--version", action="version", version=f"provstore {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _serving(commands)
    _taking_in(commands)
    _asking(commands)
    _lineage(commands)
    _keeping(commands)
    return parser


def _add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, run: str, text: str, *, data: bool = True
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(run=run)
    if data:
        parser.add_argument("--data", metavar="DIR", help=f"the data directory (default: {_default('data')})")
    return parser


def _default(name: str) -> object:
    return next(s.default for s in SETTINGS if s.name == name)


def _serving(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    for name, run, text in (
        ("serve", "provstore.cli.serving:serve", "Serve a store over HTTP."),
        ("demo", "provstore.cli.serving:demo", "Load the worked examples and serve them."),
    ):
        parser = _add(commands, name, run, text)
        parser.add_argument("--host", help=f"address to listen on (default: {_default('host')})")
        parser.add_argument("--port", type=int, help=f"port to listen on (default: {_default('port')})")
        parser.add_argument("--base", metavar="IRI", help="id base of a new store, fixed for good when it is made")


def _taking_in(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _add(
        commands, "ingest", "provstore.cli.ingest:run", "Take in OpenLineage events and RDF documents from files."
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="files, directories, globs, or - for standard input")
    parser.add_argument("--format", help="media type, where the file name does not tell (needed for -)")
    parser.add_argument("--json", action="store_true", help="print a receipt or refusal a line, as JSON")
    parser.add_argument("--server", metavar="URL", help="send to a running server instead of opening the directory")
    parser.add_argument("--base", metavar="IRI", help="id base of a new store")


def _asking(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    canned = _add(commands, "query", "provstore.cli.asking:canned", "Answer a canned query; without a name, list them.")
    canned.add_argument("name", nargs="?", help="topic/name")
    canned.add_argument("parameters", nargs="*", metavar="key=value")
    free = _add(commands, "sparql", "provstore.cli.asking:sparql", "Answer a SPARQL query.")
    free.add_argument("query", help="the query, @FILE, or - for standard input")
    for parser in (canned, free):
        parser.add_argument(
            "--format", default="table", help="table (default), json, xml, csv, tsv, turtle, nt, jsonld"
        )
        parser.add_argument("--server", metavar="URL", help="ask a running server instead of opening the directory")
    _searching(commands)


def _searching(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _add(
        commands, "search", "provstore.cli.searching:run", "Find by words what has a name; without, list all."
    )
    parser.add_argument(
        "words", nargs="*", metavar="WORD", help='words, "a phrase", -without (after --), part* of a word'
    )
    for name in ("kind", "namespace", "owner", "tag"):
        parser.add_argument(f"--{name}", action="append", default=[], help=f"only of this {name}; may be repeated")
    parser.add_argument("--limit", type=int, default=20, help="how many results (default: 20)")
    parser.add_argument("--format", default="table", help="table (default), json, csv")
    parser.add_argument("--server", metavar="URL", help="ask a running server instead of opening the directory")


def _lineage(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
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
                parser.add_argument(f"--{parameter}", metavar=parameter.upper(), help=said)
        parser.add_argument("--format", default="table", help=f"{', '.join(FORMATS[name])} (default: table)")
        parser.add_argument("--server", metavar="URL", help="ask a running server instead of opening the directory")


def _keeping(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    verify = _add(commands, "verify", "provstore.cli.keeping:verify", "Recompute the ledger and say whether it holds.")
    verify.add_argument(
        "--checkpoint", metavar="FILE", help="a checkpoint kept elsewhere; without one the result is UNWITNESSED"
    )
    verify.add_argument(
        "--views", action="store_true", help="compare the views with the ledger too (no server may run)"
    )
    _add(commands, "rebuild", "provstore.cli.keeping:rebuild", "Make every view again from the ledger.")
    backup = _add(
        commands, "backup", "provstore.cli.keeping:backup", "Copy the ledger and its key, also while serving."
    )
    backup.add_argument("target", metavar="DIR", help="a new directory")
    restore = _add(commands, "restore", "provstore.cli.keeping:restore", "Verify a backup and make a store of it.")
    restore.add_argument("source", metavar="DIR", help="the backup")
    _add(
        commands,
        "settings",
        "provstore.cli.keeping:settings",
        "Show every setting, its value and its variable.",
        data=False,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit code."""
    arguments = build_parser().parse_args(argv)
    try:
        given = {s.name: getattr(arguments, s.name, None) for s in SETTINGS}
        settings = load(os.environ, {name: value for name, value in given.items() if value is not None})
        module, _, name = arguments.run.partition(":")
        run: _Run = getattr(import_module(module), name)
        return run(arguments, settings)
    except ProvStoreError as error:
        print(f"provstore: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read us has had enough
        return 0
    except KeyboardInterrupt:
        return 130


__all__ = ["Misconfigured", "build_parser", "main"]
