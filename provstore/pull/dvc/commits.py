"""What one commit of a repository is the first of its line to say: executions of stages, and data that is tracked."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from provstore.capture import dvc as adapter
from provstore.capture.redaction import cleaned
from provstore.capture.repositories import address
from provstore.errors import ProvStoreError
from provstore.pull.dvc import files, values
from provstore.pull.dvc.contents import Contents
from provstore.pull.dvc.files import MD5, MD5_DOS2UNIX, Object
from provstore.pull.dvc.snapshots import LOCK, PIPELINE, Snapshots
from provstore.pull.repository import Change, Commit, Repository


@dataclass(slots=True)
class Said:
    """The new executions, and the new states of data."""

    stages: list[Object] = field(default_factory=list)
    data: list[Object] = field(default_factory=list)


class Commits:
    """Reads one commit after the other, parents before children, and keeps what is told of several together.

    `renewed` are the digests that DVC 3 took over from DVC 2; `unmeasured` the stages whose metrics git does not have,
    each with the output and the path that they are in.
    """

    def __init__(self, repository: Repository, snapshots: Snapshots, namespace: str) -> None:
        self._git, self._files, self._namespace = repository, snapshots, namespace
        self._contents = Contents(repository)
        self.runs: set[str] = set()  # the executions of earlier commits, noted by the caller
        self.renewed: set[str] = set()
        self.unmeasured: list[tuple[Object, Object, str]] = []

    def said(self, commit: Commit, changed: dict[str, Change]) -> Said:
        """What the commit says in the files that it changed."""
        said = Said()
        folders = {posixpath.dirname(path) for path in changed}
        self._git.seek(commit.id, [posixpath.join(folder, PIPELINE) for folder in sorted({"", *folders})])
        gone = [(path, change.before[0]) for path, change in sorted(changed.items()) if not change.blob]
        for path, change in sorted(changed.items()):
            if not change.blob:
                continue
            try:
                path.encode()
            except UnicodeEncodeError:
                self._files.tell(commit, ascii(path), "the path is not UTF-8")
                continue
            if posixpath.basename(path) == LOCK:
                said.stages += self._stages(commit, path, change)
            elif self._files.read(commit, path, change.blob, files.has_command):
                said.stages += self._old_stage(commit, path, change)
            else:
                said.data += self._tracked(commit, path, change, gone)
        return said

    # --- stages ------------------------------------------------------------------------------------------------------

    def _stages(self, commit: Commit, path: str, change: Change) -> Iterator[Object]:
        """The executions that a lock has and that of no parent has."""
        new = self._files.read(commit, path, change.blob, files.locked) or {}
        before = [
            self._files.read(commit, path, each, files.locked, again=True) or {} for each in change.before if each
        ]
        for name, raw in new.items():
            earlier = [held[name] for held in before if name in held]
            if raw not in earlier and not any(self._unchanged(raw, each) for each in earlier):
                yield self._stage(commit, posixpath.dirname(path), name, raw, earlier)

    def _stage(self, commit: Commit, folder: str, name: str, raw: Object, earlier: list[Object]) -> Object:
        file = posixpath.join(folder, PIPELINE)
        try:
            defined = self._files.pipeline(commit, folder).stage(name)
        except ProvStoreError as error:
            self._files.tell(commit, file, f"stage {name}: {error.detail}; its paths are taken as relative to the file")
            defined = {}
        here = files.folder_of(defined, folder)

        def ran(entry: Object) -> Object:
            return {"file": file, "name": name, **self._located(commit, folder, files.execution(entry, here))}

        stage = ran(raw)
        if earlier and (kept := set(files.listed(defined.get("outs"), here, "persist"))):
            runs = sorted({self._id(ran(each)) for each in earlier} & self.runs)
            for out in (each for each in stage["outs"] if each["path"] in kept and runs):
                out["after"] = runs
        for member in ("desc", "frozen"):
            if isinstance(defined.get(member), str if member == "desc" else bool):
                stage[member] = defined[member]
        return self._enriched(commit, folder, stage, files.listed(defined.get("metrics"), here))

    def _old_stage(self, commit: Commit, path: str, change: Change) -> Iterator[Object]:
        """The execution that a `.dvc` file with a command tells of, where no parent's does."""
        held = self._files.read(commit, path, change.blob, files.mapping) or {}
        before = [
            self._files.read(commit, path, each, files.mapping, again=True) or {} for each in change.before if each
        ]
        if not any(self._unchanged(held, each) for each in before):
            folder = posixpath.dirname(path)
            ran = self._located(commit, folder, files.execution(held, files.folder_of(held, folder)))
            yield self._enriched(commit, folder, {"file": path, "name": "", **ran}, [])

    def _unchanged(self, raw: Object, earlier: Object) -> bool:
        """Whether two entries of a lock tell of one execution, in whatever order, with whatever sizes.

        DVC 3 takes over what DVC 2 recorded, with a note that the digests are those of the very bytes.
        """
        new, old = files.execution(raw, ""), files.execution(earlier, "")
        if adapter.essence(_unnamed(new)) != adapter.essence(_unnamed(old)):
            return False
        for side in ("deps", "outs"):
            for one, other in zip(new[side], old[side], strict=True):
                self._renewed(one, other)
        return True

    def _renewed(self, one: Object, other: Object) -> None:
        algorithms = [each.get("hash", {}).get("algorithm") for each in (one, other)]
        if algorithms == [MD5, MD5_DOS2UNIX]:
            self.renewed.add(one["hash"]["value"])

    def _id(self, stage: Object) -> str:
        return adapter.execution_id(self._namespace, cleaned(stage))

    # --- data --------------------------------------------------------------------------------------------------------

    def _tracked(self, commit: Commit, path: str, change: Change, gone: list[tuple[str, str]]) -> Iterator[Object]:
        """What a `.dvc` file tracks anew; `gone` are the files that the commit took away."""
        before = [row for each in change.before if each for row in self._rows(commit, path, each, again=True)]
        models = self._files.models(commit, posixpath.dirname(path))
        for row in self._rows(commit, path, change.blob):
            if same := [each for each in before if _same(row, each)]:
                for each in same:
                    self._renewed(row, each)
                continue
            said = {"file": path, **row}
            if "origins" in row:
                said["origins"] = [self._origin(commit, posixpath.dirname(path), each) for each in row["origins"]]
            earlier = [each for each in before if each["path"] == row["path"] and _value(each) != _value(row)]
            if previous := _versions(earlier):
                said["previous"] = previous
            elif not before and (moved := self._moved(commit, row, gone)):
                said["previous"] = moved
            if row["path"] in models:
                said["model"] = models[row["path"]]
            yield said

    def _rows(self, commit: Commit, path: str, blob: str, *, again: bool = False) -> list[Object]:
        def tracked(content: bytes) -> list[Object]:
            return files.tracked(content, path)

        return self._files.read(commit, path, blob, tracked, again=again) or []

    def _moved(self, commit: Commit, row: Object, gone: list[tuple[str, str]]) -> list[Object]:
        """The version, under its old path, of what the commit gave a new one: the same bytes."""
        held = [
            each for path, blob in gone if path.endswith(".dvc") for each in self._rows(commit, path, blob, again=True)
        ]
        return [
            {**_versions([each])[0], "path": each["path"]}
            for each in held
            if _value(row) and _value(each) == _value(row)
        ]

    # --- where things are --------------------------------------------------------------------------------------------

    def _located(self, commit: Commit, folder: str, ran: Object) -> Object:
        """An execution whose inputs and outputs are where the project's configuration says that they are."""
        for side in ("deps", "outs"):
            ran[side] = [
                each | ({"origin": self._origin(commit, folder, each["origin"])} if "origin" in each else {})
                for each in (self._place(commit, folder, each) for each in ran[side])
            ]
        return ran

    def _place(self, commit: Commit, folder: str, item: Object) -> Object:
        if not item.get("path", "").startswith("remote://"):
            return item
        config, project = self._files.config(commit, folder)
        return {**item, "path": config.located(item["path"], project)}

    def _origin(self, commit: Commit, folder: str, origin: Object) -> Object:
        """What something was imported from, by addresses that others know as well."""
        found = self._place(commit, folder, origin)
        if "repository" in origin:
            found = {**found, "repository": _repository(self._namespace, origin["repository"])}
        connection = origin.get("query", {}).get("connection")
        url = self._files.config(commit, folder)[0].databases.get(connection) if connection else None
        return {**found, "query": {**origin["query"], "url": url}} if url else found

    # --- what a commit's tree adds to a stage ------------------------------------------------------------------------

    def _enriched(self, commit: Commit, folder: str, stage: Object, metrics: list[str]) -> Object:
        """The stage with the git objects at its paths, the models declared there, and the numbers it measured."""
        models = self._files.models(commit, folder)
        self._git.seek(commit.id, [each["path"] for each in (*stage["deps"], *stage["outs"])])
        for each in (*stage["deps"], *stage["outs"]):
            held = self._contents.held(commit.id, each)
            if held:
                each["git"] = held
            if each["path"] in models:
                each["model"] = models[each["path"]]
        paths = {*metrics, *files.listed(self._files.section(commit, folder, "metrics"), folder)}
        found = [said for path in sorted(paths) if (said := self._metrics(commit, stage, path))]
        return {**stage, **({"metrics": found} if found else {})}

    def _metrics(self, commit: Commit, stage: Object, path: str) -> Object | None:
        """The numbers in a metrics file of git, where they are proven to be what the stage wrote."""
        for out in stage["outs"]:
            if path != out["path"] and not path.startswith(f"{out['path']}/"):
                continue
            if out.get("git", {}).get("matches") is True:
                measured = values.numbers(self._files.content(commit, path) or b"", path)
                return {"path": path, "out": out["path"], "values": measured} if measured else None
            if out.get("hash", {}).get("algorithm") == MD5:
                self.unmeasured.append((stage, out, path))
        return None


def _repository(namespace: str, url: str) -> str:
    """The name of another repository; one that is told by a path from this one is told by this one's name."""
    found = address(url)
    if "://" in url or url.startswith("/") or found.startswith("https://"):
        return found or url
    scheme, mark, rest = namespace.partition("://")
    near = f"{rest if mark else namespace}/{found.removeprefix('file://')}"
    return f"{scheme}://{posixpath.normpath(near)}" if mark else near


def _versions(rows: Iterable[Object]) -> list[Object]:
    told = {(each["hash"]["algorithm"], each["hash"]["value"]) for each in rows if "hash" in each}
    return [{"algorithm": algorithm, "value": value} for algorithm, value in sorted(told)]


def _unnamed(ran: Object) -> Object:
    """An execution whose digests are told without their algorithm."""
    return {**ran, **{side: [{**each, "hash": _value(each)} for each in ran[side]] for side in ("deps", "outs")}}


def _value(item: Object) -> Any:
    return item.get("hash", {}).get("value")


def _same(one: Object, other: Object) -> bool:
    told = all(one.get(key) == other.get(key) for key in ("path", "etag", "checksum"))
    return told and _value(one) == _value(other) and _origins(one) == _origins(other)


def _origins(row: Object) -> list[Object]:
    """Where a row was imported from, its digests told without their algorithm."""
    return [{**each, "hash": _value(each)} for each in row.get("origins", ())]
