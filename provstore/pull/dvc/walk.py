"""From the commits of a repository to payloads: one for each commit that recorded something which no parent had.

A payload depends on its commit and the parents of that alone, so a walk after new commits gives the old payloads again,
byte for byte, and then the new ones.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from provstore.capture import dvc as adapter
from provstore.capture.redaction import cleaned
from provstore.capture.repositories import address
from provstore.errors import ProvStoreError
from provstore.pull.dvc import files, templates
from provstore.pull.dvc.caches import Caches
from provstore.pull.dvc.contents import Contents
from provstore.pull.dvc.files import Object
from provstore.pull.dvc.parts import Parts
from provstore.pull.repository import Change, Commit, Ref, Repository

LOCK, PIPELINE, TRACKED = "dvc.lock", "dvc.yaml", ".dvc"
_PATTERNS = (":(glob)**/dvc.lock", ":(glob)**/*.dvc")
_EXPERIMENT = re.compile(r"refs/exps/([0-9a-f]{2})/([0-9a-f]{38})/([^/]+)\Z")
_TIPS = re.compile(r"refs/(?:heads|remotes|tags)/|refs/exps/[0-9a-f]{2}/")
#: Parsed files that are kept: neighbouring commits share most of theirs.
_KEPT: Final = 2000


@dataclass(frozen=True, slots=True)
class Told:
    """What could not be read, and was left out: in which commit, which path, why."""

    commit: str
    path: str
    message: str


class Walk:
    """One walk through a repository; `told` fills while `payloads` runs.

    Without a `namespace` it is the address of the repository's remote, or `git:` and its first commit. With `hashes`
    what DVC's cache and the work tree hold of at most `most` bytes a file is hashed. `progress` hears how many commits
    are done, and of how many.
    """

    def __init__(
        self,
        repository: Repository,
        *,
        namespace: str = "",
        hashes: bool = True,
        most: int = 2 << 30,
        progress: Callable[[float, float], None] = lambda done, of: None,
    ) -> None:
        self._git, self._progress = repository, progress
        self._contents = Contents(repository)
        self._caches = Caches(repository.work_tree, most) if hashes and repository.work_tree else None
        self._given = namespace
        self.namespace = namespace
        self._parts = Parts()
        self.told: list[Told] = []
        self._parsed: OrderedDict[tuple[str, str], Any] = OrderedDict()
        self._recorded: dict[str, list[str]] = {}  # commit → the executions that it was the first to record

    def payloads(self) -> Iterator[Object]:
        """The payloads in the order of the history, then those of tags, experiments and bytes at hand."""
        refs = [ref for ref in self._git.refs() if _TIPS.match(ref.name)]
        commits = self._git.commits([*(ref.commit for ref in refs), *filter(None, [self._git.head()])])
        self.namespace = self._given or self._git.remote() or self._of_first(commits)
        changes = self._git.changes(commits, *_PATTERNS)
        for number, commit in enumerate(commits, 1):
            if (changed := changes.get(commit.id)) and (payload := self._commit(commit, changed)):
                yield payload
            if number % 100 == 0 or number == len(commits):
                self._progress(number, len(commits))
        yield from self._named(refs, {commit.id: commit for commit in commits})
        manifest = self._caches.manifest if self._caches else lambda _: []
        yield from (self._payload({"part": each}) for each in self._parts.found(manifest))
        if self._caches:
            yield from (self._payload({"bytes": each}) for each in self._caches.found())
            self.told += [Told("", path, message) for path, message in self._caches.told]

    @staticmethod
    def _of_first(commits: list[Commit]) -> str:
        first = min((c for c in commits if not c.parents), key=lambda c: (c.authored, c.id), default=None)
        return f"git:{first.id}" if first else ""

    def _payload(self, held: Object) -> Object:
        return {"provstore": adapter.ADAPTER, "repository": {"namespace": self.namespace}, **held}

    def _sendable(self, commit: Commit, payload: Object) -> Object | None:
        """The payload without secrets; None, and told, where it holds what is no Unicode text."""
        try:
            json.dumps(payload, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            self._tell(commit, "", "half of a surrogate pair, which is no Unicode text")
            return None
        return cleaned(payload)

    # --- one commit ----------------------------------------------------------------------------------------------

    def _commit(self, commit: Commit, changed: dict[str, Change]) -> Object | None:
        stages: list[Object] = []
        data: list[Object] = []
        folders = {posixpath.dirname(path) for path in changed}
        self._git.seek(commit.id, [posixpath.join(folder, PIPELINE) for folder in sorted({"", *folders})])
        for path, change in sorted(changed.items()):
            try:
                path.encode()
            except UnicodeEncodeError:
                self._tell(commit, ascii(path), "the path is not UTF-8")
                continue
            if posixpath.basename(path) == LOCK:
                stages += self._stages(commit, path, change)
            else:
                self._tracked(commit, path, change, stages, data)
        if not stages and not data:
            return None
        if self._caches:
            self._caches.want([*(i for s in stages for i in (*s["deps"], *s["outs"])), *data])
        said = {
            "id": commit.id,
            "parents": list(commit.parents),
            "author": {"name": commit.name, "email": commit.email},
            "authored": commit.authored,
            "subject": commit.subject,
        }
        held: Object = {"commit": said}
        held |= {name: rows for name, rows in (("stages", stages), ("data", data)) if rows}
        payload = self._sendable(commit, self._payload(held))
        if payload:
            named = [(adapter.execution_id(self.namespace, each), each) for each in payload.get("stages", ())]
            self._recorded[commit.id] = [identifier for identifier, _ in named]
            for identifier, stage in named:
                self._parts.note(identifier, stage)
        return payload

    def _stages(self, commit: Commit, path: str, change: Change) -> list[Object]:
        """The executions that a lock has and that of no parent has."""
        new = self._read(commit, path, change.blob, files.locked)
        if not new:
            return []
        before = [self._read(commit, path, each, files.locked, again=True) or {} for each in change.before if each]
        folder = posixpath.dirname(path)
        found = []
        for name, raw in new.items():
            essence = _essence(raw)
            if any(name in held and _essence(held[name]) == essence for held in before):
                continue
            found.append(self._stage(commit, folder, name, raw))
        return found

    def _stage(self, commit: Commit, folder: str, name: str, raw: Object) -> Object:
        file = posixpath.join(folder, PIPELINE)
        pipeline = self._at(commit, file, files.mapping) or {}
        try:
            defined = templates.definition(pipeline, name, lambda each: self._bytes(commit, files.place(folder, each)))
        except ProvStoreError as error:
            self._tell(commit, file, f"stage {name}: {error.detail}; its paths are taken as relative to the file")
            defined = {}
        wdir = defined.get("wdir")
        here = files.place(folder, wdir) if isinstance(wdir, str) else folder
        stage: Object = {"file": file, "name": name, **files.execution(raw, here)}
        for member in ("desc", "frozen"):
            if isinstance(defined.get(member), str if member == "desc" else bool):
                stage[member] = defined[member]
        return self._enriched(commit, folder, stage, _paths(defined.get("metrics"), here), pipeline)

    def _tracked(self, commit: Commit, path: str, change: Change, stages: list[Object], data: list[Object]) -> None:
        """What a `.dvc` file tracks anew; where it has a command, it is a stage."""
        old = [each for each in change.before if each]
        if self._read(commit, path, change.blob, files.has_command):
            held = self._read(commit, path, change.blob, files.mapping) or {}
            before = [self._read(commit, path, each, files.mapping, again=True) or {} for each in old]
            if not any(_essence(each) == _essence(held) for each in before):
                folder = files.place(posixpath.dirname(path), str(held.get("wdir") or "."))
                stage = {"file": path, "name": "", **files.execution(held, folder)}
                stages.append(self._enriched(commit, posixpath.dirname(path), stage, [], {}))
            return

        def tracked(content: bytes) -> list[Object]:
            return files.tracked(content, path)

        before_rows = [self._read(commit, path, each, tracked, again=True) or [] for each in old]
        models = self._models(commit, posixpath.dirname(path))
        for row in self._read(commit, path, change.blob, tracked) or []:
            if any(_same(row, each) for rows in before_rows for each in rows):
                continue
            previous = {
                (each["hash"]["algorithm"], each["hash"]["value"])
                for rows in before_rows
                for each in rows
                if each["path"] == row["path"] and "hash" in each and each["hash"] != row.get("hash")
            }
            said = {"file": path, **row}
            for origin in said.get("origins", ()):
                if "repository" in origin:
                    origin["repository"] = address(origin["repository"]) or origin["repository"]
            if previous:
                said["previous"] = [{"algorithm": a, "value": v} for a, v in sorted(previous)]
            if row["path"] in models:
                said["model"] = models[row["path"]]
            data.append(said)

    # --- what a commit's tree adds to a stage ----------------------------------------------------------------------

    def _enriched(self, commit: Commit, folder: str, stage: Object, metrics: list[str], pipeline: Object) -> Object:
        """The stage with the git objects at its paths, the models declared there, and the numbers it measured."""
        models = self._models(commit, folder)
        self._git.seek(commit.id, [each["path"] for each in (*stage["deps"], *stage["outs"])])
        for each in (*stage["deps"], *stage["outs"]):
            held = self._contents.held(commit.id, each)
            if held:
                each["git"] = held
            if each["path"] in models:
                each["model"] = models[each["path"]]
        metrics = metrics + _paths(pipeline.get("metrics"), folder)
        found = [said for path in sorted(set(metrics)) if (said := self._metrics(commit, stage, path))]
        return {**stage, **({"metrics": found} if found else {})}

    def _metrics(self, commit: Commit, stage: Object, path: str) -> Object | None:
        """The numbers in a metrics file of git, where they are proven to be what the stage wrote."""
        for out in stage["outs"]:
            proven = out.get("git", {}).get("matches") is True
            if proven and (path == out["path"] or path.startswith(f"{out['path']}/")):
                values = files.numbers(self._bytes(commit, path) or b"", path)
                return {"path": path, "out": out["path"], "values": values} if values else None
        return None

    def _models(self, commit: Commit, folder: str) -> dict[str, Object]:
        """Path → model, as the `dvc.yaml` in the root and the one in a folder declare it."""
        found: dict[str, Object] = {}
        for each in sorted({"", folder}):
            found |= files.models(self._at(commit, posixpath.join(each, PIPELINE), files.mapping) or {}, each)
        return found

    # --- names ---------------------------------------------------------------------------------------------------

    def _named(self, refs: list[Ref], commits: dict[str, Commit]) -> Iterator[Object]:
        for ref in refs:
            experiment = _EXPERIMENT.match(ref.name)
            if ref.name.startswith("refs/tags/"):
                yield self._payload({"tag": {"name": ref.name[len("refs/tags/") :], "commit": ref.commit}})
            elif experiment:
                baseline = experiment[1] + experiment[2]
                said: Object = {"name": experiment[3], "baseline": baseline, "commit": ref.commit}
                if ref.commit in commits:
                    said["authored"] = commits[ref.commit].authored
                runs = self._since(ref.commit, baseline, commits)
                yield self._payload({"experiment": {**said, **({"executions": runs} if runs else {})}})

    def _since(self, tip: str, baseline: str, commits: dict[str, Commit]) -> list[str]:
        """The executions that the commits of an experiment recorded, from its tip back to the baseline."""
        found: set[str] = set()
        at = tip
        while at != baseline and at in commits:
            found |= set(self._recorded.get(at, ()))
            at = commits[at].parents[0] if commits[at].parents else ""
        return sorted(found)

    # --- reading -------------------------------------------------------------------------------------------------

    def _at(self, commit: Commit, path: str, parse: Callable[[bytes], Any]) -> Any:
        blob = self._git.find(commit.id, path)
        return self._read(commit, path, blob.id, parse) if blob and blob.kind == "blob" else None

    def _bytes(self, commit: Commit, path: str) -> bytes | None:
        blob = self._git.find(commit.id, path)
        try:
            return self._git.read(blob.id) if blob and blob.kind == "blob" else None
        except ProvStoreError as error:
            self._tell(commit, path, error.detail)
            return None

    def _read(self, commit: Commit, path: str, blob: str, parse: Callable[[bytes], Any], *, again: bool = False) -> Any:
        """A blob as `parse` has it, None where it cannot be read, which is told unless an earlier commit did."""
        key = (blob, f"{path}\n{parse.__name__}")
        if key in self._parsed:
            self._parsed.move_to_end(key)
            return self._parsed[key]
        try:
            value = parse(self._git.read(blob))
        except ProvStoreError as error:
            value = None
            if not again:
                self._tell(commit, path, str(error))
        self._parsed[key] = value
        if len(self._parsed) > _KEPT:
            self._parsed.popitem(last=False)
        return value

    def _tell(self, commit: Commit, path: str, message: str) -> None:
        told = Told(commit.id, path, message)
        if told not in self.told[-10:]:
            self.told.append(told)


def _paths(listed: Any, folder: str) -> list[str]:
    """The paths in a list of paths, or of maps from a path to its options."""
    found = []
    for each in listed if isinstance(listed, list) else ():
        names = [each] if isinstance(each, str) else list(each) if isinstance(each, dict) else []
        found += [files.place(folder, name) for name in names]
    return found


def _essence(stage: Object) -> str:
    """What tells one execution of a stage from another, wherever its folder is."""
    return adapter.essence(files.execution(stage, ""))


def _same(one: Object, other: Object) -> bool:
    return all(one.get(key) == other.get(key) for key in ("path", "hash", "etag", "checksum", "origins"))
