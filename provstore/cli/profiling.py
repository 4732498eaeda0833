"""`provstore profile`: what profiles there are, what one asks; publishing, trying and using one."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from provstore.capture.payloads import Limits
from provstore.cli import files
from provstore.cli.output import show, show_json, tell, write
from provstore.cli.progress import Progress
from provstore.cli.remote import Reply, answer, call, existing, problem, server_of
from provstore.core import ProvStore
from provstore.core.profiles import MODES, Profiles
from provstore.core.trial import tried
from provstore.core.validate import Validator
from provstore.errors import Misconfigured, Nonconforming
from provstore.ledger.log import Ledger
from provstore.settings import Settings
from provstore.validation.profiles import Version

_ACTOR = "local"


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """0 when done; 1 where shapes are refused, or records would newly violate."""
    _check(arguments)
    server = server_of(settings)
    doing = {"list": _list, "show": _show, "add": _add, "try": _try, "use": _use}[arguments.action]
    if server:
        return doing(arguments, _Remote(server))
    with _local(settings, writing=arguments.action in ("add", "use")) as place:
        return doing(arguments, place)


def _check(arguments: argparse.Namespace) -> None:
    """That the action has what it needs, and no more."""
    action, wanted = arguments.action, {"list": (), "use": ("target", "mode")}.get(arguments.action, ("target",))
    usage = {
        "list": "provstore profile list",
        "show": "provstore profile show NAME",
        "add": "provstore profile add FILE --name NAME",
        "try": "provstore profile try NAME",
        "use": f"provstore profile use NAME {'|'.join(MODES)}",
    }[action]
    given = [name for name in ("target", "mode") if getattr(arguments, name) is not None]
    if set(given) != set(wanted) or (action == "add") != (arguments.name is not None):
        raise Misconfigured(f"that is no whole command; wanted is: {usage}")
    if arguments.format == "turtle" and action != "show":
        raise Misconfigured("only `provstore profile show` has the format turtle")
    if arguments.last is not None and arguments.last < 1:
        raise Misconfigured(f"--last is how many records to look at, 1 or more; got {arguments.last}")


class _Place(Protocol):
    """Where profiles are: a running server, or a directory. All but `file` as the routes of a server answer."""

    def listed(self) -> list[dict[str, Any]]: ...
    def described(self, name: str) -> dict[str, Any]: ...
    def file(self, name: str) -> bytes: ...
    def publish(self, name: str, data: bytes, imports: bool) -> dict[str, Any]: ...
    def tried(self, name: str, last: int | None) -> dict[str, Any]: ...
    def use(self, name: str, mode: str) -> dict[str, Any]: ...


# --- what is printed -------------------------------------------------------------------------------------------------


def _list(arguments: argparse.Namespace, place: _Place) -> int:
    rows = [
        [each["name"], each["version"], _mode(each), sum(each["counts"].values()), each["title"]]
        for each in place.listed()
    ]
    show(arguments.format, ["profile", "newest", "mode", "rules", "title"], rows)
    return 0


def _mode(listed: dict[str, Any]) -> str:
    """How a profile is used, and in which version where that is not the newest."""
    used = listed["used"].rpartition("/")[2]
    return f"{listed['mode']} ({used})" if used not in ("", listed["version"]) else str(listed["mode"])


def _show(arguments: argparse.Namespace, place: _Place) -> int:
    if arguments.format == "turtle":
        write(place.file(arguments.target))
        return 0
    said = place.described(arguments.target)
    rows = [
        [rule["severity"], rule["shape"], ", ".join(rule["target"]), _asked(rule), rule["message"], rule["clause"]]
        for rule in said["rules"]
    ]
    note = f"{said['title']}, version {said['version']}: {said['description']}"
    show(arguments.format, ["severity", "rule", "of", "asks", "says", "from"], rows, said, note)
    return 0


def _asked(rule: dict[str, Any]) -> str:
    asked = "; ".join(rule["asks"])
    return f"{rule['path']}: {asked}" if rule["path"] else asked


def _add(arguments: argparse.Namespace, place: _Place) -> int:
    data = files.read(arguments.target)
    try:
        said = place.publish(arguments.name, data, arguments.ignore_imports)
    except Nonconforming as error:
        said = {"profile": None, "new": False, "findings": error.report}
    findings = [[each["level"], each["where"], each["message"]] for each in said["findings"]]
    note = "nothing is published: mend the errors" if said["profile"] is None else _published(said)
    show(arguments.format, ["level", "where", "message"], findings, said, note)
    return 1 if said["profile"] is None else 0


def _published(said: dict[str, Any]) -> str:
    what = "published" if said["new"] else "published before as"
    return f"{what} {said['profile']}, SHA-256 {said['sha256']}"


def _try(arguments: argparse.Namespace, place: _Place) -> int:
    said = place.tried(arguments.target, arguments.last)
    rows = [
        [rule["severity"], rule["shape"], rule["newly"], rule["records"], _first(rule), rule["message"]]
        for rule in said["rules"]
    ]
    of = f"{said['looked']:,} of {said['records']:,} records looked at"
    more = "" if said["complete"] else ", then the time was up"
    against = f", measured by {said['against']}" if said["against"] else ""
    note = f"{said['newly']:,} would newly violate {said['profile']}{against}; {of}{more}"
    show(arguments.format, ["severity", "rule", "newly", "records", "first", "says"], rows, said, note)
    return 1 if said["newly"] else 0


def _first(rule: dict[str, Any]) -> str:
    return ", ".join(f"entry {each['index']}" for each in rule["first"])


def _use(arguments: argparse.Namespace, place: _Place) -> int:
    said = place.use(arguments.target, arguments.mode)
    if arguments.format == "json":
        show_json(said)
    else:
        write(f"{said['profile']}: {said['mode']}\n")
    return 0


# --- a running server ------------------------------------------------------------------------------------------------


class _Remote:
    def __init__(self, url: str) -> None:
        self._url = url

    def listed(self) -> list[dict[str, Any]]:
        reply = call(f"{self._url}/shapes", None, {"Accept": "application/json"})
        found: list[dict[str, Any]] = json.loads(_good(reply).body)
        return found

    def described(self, name: str) -> dict[str, Any]:
        return answer(f"{self._url}/shapes/{self._version(name)}?format=json")

    def file(self, name: str) -> bytes:
        return _good(call(f"{self._url}/shapes/{_path(name)}")).body

    def publish(self, name: str, data: bytes, imports: bool) -> dict[str, Any]:
        query = urlencode({"imports": "ignore" if imports else "refuse"})
        reply = call(f"{self._url}/shapes/{_path(name)}?{query}", data, {"Content-Type": "text/turtle"})
        if reply.status == Nonconforming.status:
            said = json.loads(reply.body)
            raise Nonconforming(said["detail"], said["report"])
        return _object(reply)

    def tried(self, name: str, last: int | None) -> dict[str, Any]:
        query = "" if last is None else f"?{urlencode({'last': last})}"
        return _object(call(f"{self._url}/shapes/{self._version(name)}/try{query}", b""))

    def use(self, name: str, mode: str) -> dict[str, Any]:
        return _object(call(f"{self._url}/shapes/{self._version(name)}/use?{urlencode({'mode': mode})}", b""))

    def _version(self, name: str) -> str:
        """The path of a version; where only a profile is named, of its newest one."""
        if "/" in name:
            return _path(name)
        versions = answer(f"{self._url}/shapes/{_path(name)}?format=json")["versions"]
        return f"{_path(name)}/{versions[0]['version']}"


def _path(name: str) -> str:
    return quote(name, safe="/")


def _good(reply: Reply) -> Reply:
    if reply.status not in (200, 201):
        raise problem(reply.body)
    return reply


def _object(reply: Reply) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_good(reply).body)
    return found


# --- a directory -----------------------------------------------------------------------------------------------------


@contextmanager
def _local(settings: Settings, *, writing: bool) -> Iterator[_Local]:
    """The directory's profiles; where there is no store, what ships."""
    directory = Path(settings.data)
    if not writing and not (directory / "ledger.db").exists():
        with _validating(settings, Profiles(settings.profiles), "") as validator:
            yield _Local(Profiles(settings.profiles), validator, None, None)
        return
    store = ProvStore(existing(settings)) if writing else None
    ledger = store.ledger if store else Ledger(directory)
    try:
        profiles = Profiles(settings.profiles, directory, ledger)
        with _validating(settings, profiles, ledger.base) as validator:
            yield _Local(profiles, validator, ledger, store)
    finally:
        store.close() if store else ledger.close()


@contextmanager
def _validating(settings: Settings, profiles: Profiles, base: str) -> Iterator[Validator]:
    validator = Validator(settings, profiles, base, Limits())
    try:
        yield validator
    finally:
        validator.close()


class _Local:
    def __init__(
        self, profiles: Profiles, validator: Validator, ledger: Ledger | None, store: ProvStore | None
    ) -> None:
        self._profiles, self._validator, self._ledger, self._store = profiles, validator, ledger, store

    def listed(self) -> list[dict[str, Any]]:
        return [self._said(each) for each in self._profiles.registry.newest()]

    def described(self, name: str) -> dict[str, Any]:
        return self._said(self._profiles.registry.find(name))

    def file(self, name: str) -> bytes:
        return self._profiles.registry.find(name).read()

    def publish(self, name: str, data: bytes, imports: bool) -> dict[str, Any]:
        version = self._profiles.known(name, data)
        upload = self._profiles.upload(name, data, "text/turtle", imports=imports)
        findings = asyncio.run(self._validator.lint(upload))
        new = version is None
        if version is None:
            assert self._store
            self._store.ingest([self._profiles.publication(name, data, findings, _ACTOR)])
            self._profiles.catch_up()
            version = self._profiles.registry.find(name)
        said = {"profile": version.token, "iri": version.iri, "sha256": version.digest()}
        return {**said, "new": new, "findings": findings, "href": f"/shapes/{version.token}"}

    def tried(self, name: str, last: int | None) -> dict[str, Any]:
        if self._ledger is None:
            raise Misconfigured("there is no store here to try a profile on: name its directory with --data")
        version = self._profiles.registry.find(name)
        against = self._profiles.used(version.name)
        with Progress("try", " records") as progress:
            trial = asyncio.run(
                tried(self._validator, self._ledger, None, version.token, against, last, progress=progress)
            )
        return trial.json()

    def use(self, name: str, mode: str) -> dict[str, Any]:
        version = self._profiles.registry.find(name)
        submission = self._profiles.use(version, mode, _ACTOR)
        if submission is None:
            tell(f"{version.token} is used like that already")
        else:
            assert self._store
            self._store.ingest([submission])
        return {"profile": version.token, "mode": mode}

    def _said(self, version: Version) -> dict[str, Any]:
        profile = asyncio.run(self._validator.described(version.token))
        said = {**asdict(profile), "counts": profile.counts}
        used = self._profiles.used(version.name)
        versions = [str(each.number) for each in self._profiles.registry.versions(version.name)]
        mode = self._profiles.modes.get(used, "off")
        href = f"/shapes/{version.token}"
        return {**said, "mode": mode, "used": used, "versions": versions, "href": href}
