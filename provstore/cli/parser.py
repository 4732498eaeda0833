"""The argument parser: as argparse does it, but errors name what is nearest, and help says exit codes and examples."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from provstore.cli.manual import MANUAL, Entry
from provstore.errors import nearest

_ARGUMENT = re.compile(r"^argument (?=\S)")


class Parser(argparse.ArgumentParser):
    """One command, or all of them."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        # an abbreviation that is clear today is ambiguous when an option is added
        options |= {"formatter_class": argparse.RawDescriptionHelpFormatter, "allow_abbrev": False}
        super().__init__(*arguments, **options)

    def parse(self, argv: Sequence[str] | None = None) -> argparse.Namespace:
        """The arguments; words that stand after an option belong to the list of words before it.

        A command's default `wrong` is a function that says what is wrong with all of them together, '' for nothing.
        """
        found, rest = self.parse_known_args(argv)
        command = subcommands(self)[found.command]
        unknown = [each for each in rest if each.startswith("-") and each != "-"]
        lists = [action for action in command._actions if action.nargs in ("*", "+") and not action.option_strings]
        words = next(iter(lists), None)
        if unknown or (rest and words is None):
            command.error(_unknown(unknown or rest, command))
        if words is not None:
            getattr(found, words.dest).extend(rest)
        wrong = found.wrong(found) if "wrong" in found else ""
        if wrong:
            command.error(wrong)
        return found

    def error(self, message: str) -> NoReturn:
        """What is wrong, then how the command is used where something is missing, else where that is said."""
        missing = "required" in message or subcommands(self)
        more = self.format_usage().strip() if missing else f"`{self.prog} --help` says what it takes"
        self.exit(2, f"provstore: {_shown(_ARGUMENT.sub('', message))}\n{more}\n")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            wanted = list(map(str, action.choices))
            name = "/".join(action.option_strings) or action.metavar or action.dest
            raise argparse.ArgumentError(
                None, f"{name} is one of {', '.join(wanted)}; got {value!r}{_near(value, wanted)}"
            )


def subcommands(parser: argparse.ArgumentParser) -> dict[str, Parser]:
    """The commands of a parser by name."""
    found = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
    return {name: command for each in found for name, command in each.choices.items()}


def options(command: argparse.ArgumentParser) -> list[argparse.Action]:
    """The options and arguments of a command, without --help."""
    return [each for each in command._actions if not isinstance(each, argparse._HelpAction)]


def epilog(name: str) -> str:
    """What the help of a command says below its options."""
    entry = MANUAL.get(name, Entry())
    parts = ["exit codes:", *(f"  {code:<3} {says}" for code, says in entry.codes().items())]
    if entry.examples:
        parts += ["", "examples:", *(f"  {line}\n      {says}" for line, says in entry.examples)]
    return "\n".join(parts)


def _unknown(words: Sequence[str], command: argparse.ArgumentParser) -> str:
    known = [name for action in command._actions for name in action.option_strings]
    first = words[0].partition("=")[0]
    if first.startswith("--"):
        return f"no option {first}{_near(first, known)}"
    if first.startswith("-"):
        return f"no option {first}; a word that begins with - stands after --"
    return f"unexpected: {' '.join(words)}"


def _near(given: str, known: Iterable[str]) -> str:
    found = nearest(given, known)
    return f"; perhaps {' or '.join(found)}" if found else ""


def _shown(text: str) -> str:
    return text if text.isprintable() else "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)
