"""`provstore completion`: scripts for shells, made from the parser, so that a shell asks nothing while one types.

The script holds every command, option, choice, canned query and parameter as of now: make it again after an upgrade.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from provstore import queries
from provstore.cli.main import build_parser
from provstore.cli.output import write
from provstore.cli.parser import options, subcommands
from provstore.settings import Settings
from provstore.validation.profiles import Registry

_PATHS = {"FILE": "file", "DIR": "directory"}


@dataclass(frozen=True, slots=True)
class _Argument:
    """An option (or, without names, a positional argument): what it completes to, and what it says."""

    names: tuple[str, ...]
    takes_value: bool
    words: tuple[str, ...]
    paths: str  # file, directory, or empty
    says: str


@dataclass(frozen=True, slots=True)
class _Command:
    name: str
    says: str
    arguments: tuple[_Argument, ...]

    @property
    def options(self) -> tuple[_Argument, ...]:
        return tuple(each for each in self.arguments if each.names)

    @property
    def words(self) -> tuple[str, ...]:
        """What the positional arguments may be, where that is known."""
        return tuple(word for each in self.arguments if not each.names for word in each.words)

    @property
    def paths(self) -> str:
        return next((each.paths for each in self.arguments if not each.names and each.paths), "")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print the script."""
    write(SHELLS[arguments.shell]([_command(name, each) for name, each in subcommands(build_parser()).items()]))
    return 0


def _command(name: str, parser: argparse.ArgumentParser) -> _Command:
    help_ = _Argument(("--help",), False, (), "", "say what it does, with examples")
    return _Command(name, parser.description or "", (*map(_argument, options(parser)), help_))


def _argument(action: argparse.Action) -> _Argument:
    metavar = action.metavar if isinstance(action.metavar, str) else ""
    words = tuple(map(str, action.choices or ()))
    if metavar == "PROFILE":
        words = tuple(Registry().names())
    elif metavar == "NAME":
        words = tuple(queries.catalogue())
    names = tuple(action.option_strings)
    return _Argument(names, action.nargs != 0, words, _PATHS.get(metavar, ""), action.help or "")


def _parameters() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Each canned query with its parameters, and what they say."""
    for name, query in queries.catalogue().items():
        yield name, [*((each.name, each.help) for each in query.parameters), ("limit", "how many rows at most")]


def _or(words: Iterable[str]) -> str:
    return "|".join(words)


# --- bash ------------------------------------------------------------------------------------------------------------


def _bash(commands: list[_Command]) -> str:
    values, listed = [], []
    for command in commands:
        values += [
            f"        {_or(f'{command.name}:{name}' for name in each.names)}) {_bash_words(each)} ;;"
            for each in command.options
            if each.takes_value
        ]
        taking = " ".join(name for each in command.options if each.takes_value for name in each.names)
        names = " ".join(name for each in command.options for name in each.names)
        words = {"directory": " -d", "file": " -f"}.get(command.paths, "")
        listed.append(
            f"        {command.name}) options={shlex.quote(names)} words={shlex.quote(' '.join(command.words))}"
            f" paths={shlex.quote(words.strip())} taking={shlex.quote(f' {taking} ')} ;;"
        )
    parameters = [
        f"        {name}) words={shlex.quote(' '.join(f'{key}=' for key, _ in keys))} ;;"
        for name, keys in _parameters()
    ]
    return _BASH.format(
        commands=" ".join(each.name for each in commands),
        values="\n".join(values),
        listed="\n".join(listed),
        parameters="\n".join(parameters),
    )


def _bash_words(argument: _Argument) -> str:
    if argument.words:
        return f'COMPREPLY=($(compgen -W {shlex.quote(" ".join(argument.words))} -- "$current"))'
    option = {"file": "-f", "directory": "-d"}.get(argument.paths)
    return f'compopt -o filenames; COMPREPLY=($(compgen {option} -- "$current"))' if option else "COMPREPLY=()"


_BASH = """\
# bash completion for provstore, made by `provstore completion bash`
_provstore() {{
    local current=$2 previous=$3 command='' query='' at word options='' words='' paths='' taking=''
    COMPREPLY=()
    # bash parts words at = and :, so that --format=js is three of them
    if [[ $current == = ]]; then
        current=''
    elif [[ $previous == = ]]; then
        previous=${{COMP_WORDS[COMP_CWORD - 2]}}
    fi
    if [[ ${{COMP_WORDS[COMP_CWORD]}} == = ]]; then
        previous=${{COMP_WORDS[COMP_CWORD - 1]}}
    fi
    for ((at = 1; at < COMP_CWORD; at++)); do
        word=${{COMP_WORDS[at]}}
        if [[ -z $command ]]; then
            [[ $word == -* ]] || command=$word
        elif [[ -z $query && $word == */* && ${{COMP_WORDS[at - 1]}} != -* ]]; then
            query=$word
        fi
    done
    if [[ -z $command ]]; then
        COMPREPLY=($(compgen -W '{commands} --help --version' -- "$current"))
        return
    fi
    case $command in
{listed}
        *) return ;;
    esac
    if [[ $taking == *" $previous "* ]]; then
        case $command:$previous in
{values}
        esac
        return
    fi
    if [[ $3 == = || $current == = ]]; then
        return
    fi
    if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "$options" -- "$current"))
        return
    fi
    if [[ $command == query && -n $query ]]; then
        case $query in
{parameters}
            *) words='' ;;
        esac
        compopt -o nospace
    fi
    if [[ -n $paths ]]; then
        compopt -o filenames
        COMPREPLY=($(compgen $paths -- "$current"))
    else
        COMPREPLY=($(compgen -W "$words" -- "$current"))
    fi
}}
complete -F _provstore provstore
"""


# --- zsh -------------------------------------------------------------------------------------------------------------


def _zsh(commands: list[_Command]) -> str:
    described = " ".join(shlex.quote(f"{each.name}:{_plain(each.says)}") for each in commands)
    cases = []
    for command in commands:
        specs = [shlex.quote(spec) for each in command.options for spec in _zsh_option(each)]
        if command.name == "query":
            specs += ["'1:query:_provstore_queries'", "'*:parameter:_provstore_parameters'"]
        elif command.words:
            specs.append(shlex.quote(f"1:word:({' '.join(command.words)})"))
        elif command.paths:
            specs.append(f"'*:path:{_ZSH_PATHS[command.paths]}'")
        cases.append(f"        {command.name}) _arguments {' '.join(specs)} ;;")
    names = " ".join(
        shlex.quote(f"{name}:{_plain(query.summary)}".replace(":", r"\:", name.count(":")))
        for name, query in queries.catalogue().items()
    )
    parameters = [
        f"        {name}) keys=({' '.join(shlex.quote(f'{key}:{_plain(says)}') for key, says in keys)}) ;;"
        for name, keys in _parameters()
    ]
    return _ZSH.format(commands=described, cases="\n".join(cases), names=names, parameters="\n".join(parameters))


_ZSH_PATHS = {"file": "_files", "directory": "_files -/"}


def _zsh_option(argument: _Argument) -> Iterator[str]:
    for name in argument.names:
        says = _plain(argument.says).replace("[", "(").replace("]", ")")
        if not argument.takes_value:
            yield f"{name}[{says}]"
        else:
            action = f"({' '.join(argument.words)})" if argument.words else _ZSH_PATHS.get(argument.paths, " ")
            yield f"*{name}=[{says}]:{name.lstrip('-')}:{action}"


_ZSH = """\
#compdef provstore
# zsh completion for provstore, made by `provstore completion zsh`
_provstore_queries() {{
    local -a names=({names})
    _describe query names
}}
_provstore_parameters() {{
    local -a keys
    local query=${{words[(r)*/*]}}
    case $query in
{parameters}
    esac
    _describe parameter keys -S =
}}
_provstore() {{
    local -a commands=({commands})
    if ((CURRENT == 2)); then
        _describe command commands
        return
    fi
    local command=${{words[2]}}
    shift words
    ((CURRENT--))
    case $command in
{cases}
    esac
}}
if [[ $funcstack[1] == _provstore ]]; then
    _provstore "$@"
else
    compdef _provstore provstore
fi
"""


# --- fish ------------------------------------------------------------------------------------------------------------


def _fish(commands: list[_Command]) -> str:
    lines = ["# fish completion for provstore, made by `provstore completion fish`", "complete -c provstore -f"]
    for command in commands:
        lines.append(
            f"complete -c provstore -n __fish_use_subcommand -a {command.name} -d {_fish_quoted(command.says)}"
        )
        seen = f"-n '__fish_seen_subcommand_from {command.name}'"
        for each in command.options:
            value = f" -x -a {_fish_quoted(' '.join(each.words))}" if each.words else _FISH_PATHS.get(each.paths, " -x")
            longs = " ".join(f"-l {name.lstrip('-')}" for name in each.names)
            takes = value if each.takes_value else ""
            lines.append(f"complete -c provstore {seen} {longs}{takes} -d {_fish_quoted(each.says)}")
        if command.paths:
            lines.append(f"complete -c provstore {seen}{_FISH_PATHS[command.paths]}")
        elif command.words and command.name != "query":
            lines.append(f"complete -c provstore {seen} -a {_fish_quoted(' '.join(command.words))}")
    for name, query in queries.catalogue().items():
        asked = "__fish_seen_subcommand_from query; and not string match -q '*/*' -- (commandline -opc)"
        lines.append(f'complete -c provstore -n "{asked}" -a {name} -d {_fish_quoted(query.summary)}')
    for name, keys in _parameters():
        seen = f"-n '__fish_seen_subcommand_from query; and __fish_seen_subcommand_from {name}'"
        lines += [f"complete -c provstore {seen} -a {key}= -d {_fish_quoted(says)}" for key, says in keys]
    return "\n".join(lines) + "\n"


_FISH_PATHS = {"file": " -r -F", "directory": " -x -a '(__fish_complete_directories)'"}


def _fish_quoted(text: str) -> str:
    return "'" + _plain(text).replace("\\", "\\\\").replace("'", "\\'") + "'"


def _plain(text: str) -> str:
    """A help text on one line."""
    return " ".join(text.split()).replace("%%", "%")


SHELLS = {"bash": _bash, "zsh": _zsh, "fish": _fish}
