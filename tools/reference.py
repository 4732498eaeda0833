"""`docs/reference.md`, from the code itself: `make docs` writes it, a test holds it to the code.

What the page says is what settings, argument parser, application, adapters, queries and shapes say of themselves.
"""

from __future__ import annotations

import argparse
import inspect
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyoxigraph as ox
from fastapi.routing import iter_route_contexts

from provstore import queries, settings
from provstore.api import create_app
from provstore.api.formats import FORMATS
from provstore.capture.openlineage import MAPPER
from provstore.capture.syntax import ADAPTER, SYNTAXES
from provstore.cli import build_parser
from provstore.cli.manual import CODES, MANUAL
from provstore.cli.parser import options, subcommands
from provstore.core.inline import validate
from provstore.export.package import verifier_digest
from provstore.validation.formats import FORMATS as VALIDATIONS
from provstore.validation.profiles import Registry

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference.md"
_SH = "http://www.w3.org/ns/shacl#"
_SOURCE = ox.NamedNode("http://purl.org/dc/terms/source")


def page() -> str:
    """The whole page."""
    parts = [
        _HEAD,
        *_commands(),
        *_verifier(),
        *_validations(),
        *_routes(),
        *_settings(),
        *_adapters(),
        *_queries(),
        *_shapes(),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


_HEAD = """
# Reference

Made from the code by `make docs`; change the code, not this page.

[Commands](#commands) · [Verifier](#verifier) · [Forms of a validation](#forms-of-a-validation) · [Routes](#routes) ·
[Settings](#settings) · [Adapters](#adapters) ·
[Canned queries](#canned-queries) · [Shapes](#shapes)
"""


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(columns)
    lines = [head, ["---"] * len(head), *([_cell(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


# --- commands --------------------------------------------------------------------------------------------------------


def _commands() -> Iterator[str]:
    yield "## Commands"
    yield (
        "`provstore COMMAND --help` says the same. An option that is also a [setting](#settings) can be given as its"
        " variable. A command asks the server that has the data directory open, if one has. Progress and errors go to"
        " standard error, progress only where that is a terminal; a table fits the terminal, anything else is the same"
        " wherever it goes. Nothing printed drives a terminal, whatever names hold."
    )
    yield _table(["exit code", "means"], [[str(code), says] for code, says in CODES.items()])
    for name, parser in subcommands(build_parser()).items():
        yield f"### `provstore {name}`"
        yield parser.description or ""
        arguments = options(parser)
        if arguments:
            yield _table(["argument", "meaning"], [[_code(_argument(each)), each.help or ""] for each in arguments])
        entry = MANUAL[name]
        yield " ".join(f"Exit code {code}: {says}." for code, says in entry.codes().items() if says != CODES[code])
        yield "```sh\n" + "\n".join(f"# {says}\n{line}" for line, says in entry.examples) + "\n```"


def _argument(action: argparse.Action) -> str:
    takes_value = action.nargs != 0
    value = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if action.option_strings:
        return f"{', '.join(action.option_strings)}{f' {value}' if takes_value else ''}"
    shown = action.metavar if isinstance(action.metavar, str) else action.dest
    return {"?": f"[{shown}]", "*": f"[{shown} …]", "+": f"{shown} …"}.get(str(action.nargs), shown)


def _verifier() -> Iterator[str]:
    yield "## Verifier"
    yield (
        "`verify.py` in the [packages](package.md) of this version (`provstore/export/verify.py` in its source) has the"
        f" SHA-256 `{verifier_digest()}`."
    )


def _validations() -> Iterator[str]:
    yield "## Forms of a validation"
    yield (
        "`provstore validate --format`, and `POST /validate` by Accept or `format=`, can say the same in any of these;"
        " how to use them is told in [validate in CI](howto/validate-in-ci.md)."
    )
    rows = [[_code(name), _code(form.media_type), form.about] for name, form in VALIDATIONS.items()]
    yield _table(["format", "media type", "is"], rows)
    yield "`provstore.validate` gives the same to a program in Python:"
    signature = re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(validate)))  # annotations are texts
    yield f"```python\nprovstore.validate{signature}\n```"
    yield inspect.getdoc(validate) or ""


# --- routes ----------------------------------------------------------------------------------------------------------


def routes() -> list[tuple[str, str, str]]:
    """Method, path and meaning of every route, in the order in which they are matched."""
    app = create_app(settings.load({}))
    found = []
    for route in iter_route_contexts(app.routes):
        about = _first_paragraph(inspect.getdoc(route.endpoint) or "")
        found += [(method, route.path or "", about) for method in sorted((route.methods or set()) - {"HEAD"})]
    return found


def _first_paragraph(text: str) -> str:
    return text.partition("\n\n")[0]


def _routes() -> Iterator[str]:
    yield "## Routes"
    yield (
        "Errors are problem documents (RFC 9457, `application/problem+json`) that say what, where, and what was wanted."
        " `/openapi.json` describes the routes for programs. A browser gets a page where there is one;"
        f" `format=` in an address ({', '.join(FORMATS)}) stands for the Accept header that a link cannot say."
    )
    yield _table(["route", "is"], [[_code(f"{method} {path}"), about] for method, path, about in routes()])


# --- settings, adapters, queries, shapes -----------------------------------------------------------------------------


def _settings() -> Iterator[str]:
    yield "## Settings"
    yield "An option of a command comes before the variable, the variable before the default."
    yield _table(
        ["setting", "variable", "default", "meaning"],
        [
            [_code(each.name), _code(f"PROVSTORE_{each.name.upper()}"), _code(str(each.default)), each.help]
            for each in settings.SETTINGS
        ],
    )


def _adapters() -> Iterator[str]:
    yield "## Adapters"
    yield "The adapter that made a record is named in its ledger entry and in its receipt's record."
    rows = [[_code(MAPPER), "OpenLineage", _code("application/json"), ".json, .jsonl, .ndjson"]]
    rows += [[_code(ADAPTER), form.name, _code(kind), ", ".join(ends)] for kind, (form, ends) in SYNTAXES.items()]
    yield _table(["adapter", "reads", "media type", "files"], rows)


def _queries() -> Iterator[str]:
    yield "## Canned queries"
    yield (
        "Ask with `provstore query NAME key=value…` or `GET /queries/NAME?key=value`. Every query also takes `limit`"
        f" (at most {queries.MAX_LIMIT:,})."
    )
    for query in queries.catalogue().values():
        yield f"### {query.name}"
        yield f"**{query.summary}** {query.description} At most {query.limit:,} rows unless `limit` says otherwise."
        if query.parameters:
            yield _table(
                ["parameter", "type", "default", "meaning", "example"],
                [
                    [_code(each.name), each.type, _default(each), each.help, _code(each.example)]
                    for each in query.parameters
                ],
            )


def _default(parameter: queries.Parameter) -> str:
    if parameter.required:
        return "required"
    return _code(parameter.default or "") or "empty"


def shapes() -> list[tuple[str, str, str, str, str]]:
    """Profile, shape, severity, message and source of every shape that has a message, by profile and name."""
    found = []
    for version in Registry().newest():
        graph = ox.Store()
        graph.load(version.read(), format=ox.RdfFormat.TURTLE)
        for quad in graph.quads_for_pattern(None, ox.NamedNode(f"{_SH}message"), None):
            if isinstance(quad.subject, ox.NamedNode):
                severity = _value(graph, quad.subject, ox.NamedNode(f"{_SH}severity")) or f"{_SH}Violation"
                source = _value(graph, quad.subject, _SOURCE)
                name = re.split(r"[#/]", quad.subject.value)[-1]
                assert isinstance(quad.object, ox.Literal)
                found.append((version.name, name, severity.removeprefix(_SH), quad.object.value, source))
    return sorted(found)


def _value(graph: ox.Store, subject: ox.NamedNode, predicate: ox.NamedNode) -> str:
    objects = [quad.object for quad in graph.quads_for_pattern(subject, predicate, None)]
    return ", ".join(sorted(each.value for each in objects if isinstance(each, ox.NamedNode | ox.Literal)))


def _shapes() -> Iterator[str]:
    yield "## Shapes"
    yield "A profile is a file of shapes; the setting `profiles` says whether it annotates records or rejects them."
    yield _table(
        ["profile", "shape", "severity", "says", "from"],
        [[profile, _code(name), severity, says, source] for profile, name, severity, says, source in shapes()],
    )


def main() -> None:
    """Write the page."""
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
