"""From the commits of a repository to payloads: one for each commit that recorded something which no parent had.

A payload depends on its commit and the parents of that alone, so a walk after new commits gives the old payloads again,
byte for byte, and then the new ones.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from provstore.capture import dvc as adapter
from provstore.capture.redaction import cleaned
from provstore.pull.dvc.caches import Caches, folders
from provstore.pull.dvc.commits import Commits
from provstore.pull.dvc.experiments import logged
from provstore.pull.dvc.files import Object
from provstore.pull.dvc.parts import Parts
from provstore.pull.dvc.snapshots import Snapshots, Told
from provstore.pull.repository import Change, Commit, Ref, Repository

_PATTERNS = (":(glob)**/dvc.lock", ":(glob)**/*.dvc")
_EXPERIMENT = re.compile(r"refs/exps/([0-9a-f]{2})/([0-9a-f]{38})/([^/]+)\Z")
_TIPS = re.compile(r"refs/(?:heads|remotes|tags)/|refs/exps/[0-9a-f]{2}/")


class Walk:
    """One walk through a repository; `told` fills while `payloads` runs.

    Without a `namespace` it is the address of the repository's remote, or `git:` and its first commit. With `hashes`
    what DVC's caches (those of the projects in the work tree, and `caches`) and the work tree hold of at most `most`
    bytes a file is hashed. `progress` hears how many commits are done, and of how many.
    """

    def __init__(
        self,
        repository: Repository,
        *,
        namespace: str = "",
        hashes: bool = True,
        caches: Sequence[Path] = (),
        most: int = 2 << 30,
        progress: Callable[[float, float], None] = lambda done, of: None,
    ) -> None:
        self._git, self._progress = repository, progress
        self._caches = self._opened(caches, most) if hashes else None
        self._given = namespace
        self.namespace = namespace
        self._parts = Parts()
        self._files = Snapshots(repository)
        self._recorded: dict[str, list[str]] = {}  # commit → the executions that it was the first to record
        self._models: dict[str, list[Object]] = {}  # commit → the models that it began to track

    def payloads(self) -> Iterator[Object]:
        """The payloads in the order of the history, then those of tags, experiments and bytes at hand."""
        refs = [ref for ref in self._git.refs() if _TIPS.match(ref.name)]
        commits = self._git.commits([*(ref.commit for ref in refs), *filter(None, [self._git.head()])])
        self.namespace = self._given or self._git.remote() or self._of_first(commits)
        changes = self._git.changes(commits, *_PATTERNS)
        read = Commits(self._git, self._files, self.namespace)
        for number, commit in enumerate(commits, 1):
            if changed := changes.get(commit.id):
                yield from self._commit(read, commit, changed)
            if number % 100 == 0 or number == len(commits):
                self._progress(number, len(commits))
        yield from self._named(refs, {commit.id: commit for commit in commits})
        manifest = self._caches.manifest if self._caches else _unknown
        yield from (self._payload({"part": each}) for each in self._parts.found(manifest))
        yield from (self._payload({"bytes": {"md5": each, "dos2unix": each}}) for each in sorted(read.renewed))
        if self._caches:
            for measured in self._measured(self._caches, read.unmeasured):
                yield from self._sendable("", {"measured": measured})
            yield from (self._payload({"bytes": each}) for each in self._caches.found())

    def _measured(self, caches: Caches, stages: list[tuple[Object, Object, str]]) -> Iterator[Object]:
        """The numbers in metrics files of which a cache, and not git, has what a stage wrote."""
        for stage, out, path in stages:
            digest = out["hash"]["value"]
            if path != out["path"]:
                digest = dict(caches.manifest(digest)).get(posixpath.relpath(path, out["path"]), "")
            if digest and (numbers := caches.numbers(digest, path)):
                known = {side: [_known(each) for each in stage[side]] for side in ("deps", "outs")}
                run = adapter.execution_id(self.namespace, cleaned(stage))
                yield {"execution": run, "path": path, "values": numbers, **known}

    def _opened(self, caches: Sequence[Path], most: int) -> Caches:
        tree, head = self._git.work_tree, self._git.head()
        held = self._git.paths(head, ".dvc/config") if tree and head else []
        projects = sorted({"", *(path.removesuffix(".dvc/config") for path in held)})
        return Caches(tree, [*caches, *(folders(tree, projects) if tree else ())], most)

    @property
    def told(self) -> list[Told]:
        """What was left out so far, and why."""
        cached = self._caches.told if self._caches else []
        return [*self._files.told, *(Told("", path, message) for path, message in cached)]

    @staticmethod
    def _of_first(commits: list[Commit]) -> str:
        first = min((c for c in commits if not c.parents), key=lambda c: (c.authored, c.id), default=None)
        return f"git:{first.id}" if first else ""

    def _payload(self, held: Object) -> Object:
        return {"provstore": adapter.ADAPTER, "repository": {"namespace": self.namespace}, **held}

    def _sendable(self, commit: str, held: Object) -> Iterator[Object]:
        """The payload without secrets; none, and told, where it holds what is no Unicode text."""
        payload = self._payload(held)
        try:
            json.dumps(payload, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            self._files.told.append(Told(commit, "", "half of a surrogate pair, which is no Unicode text"))
            return
        yield cleaned(payload)

    # --- one commit ----------------------------------------------------------------------------------------------

    def _commit(self, commits: Commits, commit: Commit, changed: dict[str, Change]) -> Iterator[Object]:
        found = commits.said(commit, changed)
        if not found.stages and not found.data:
            return
        if self._caches:
            self._caches.want([*(i for s in found.stages for i in (*s["deps"], *s["outs"])), *found.data])
        said = {
            "id": commit.id,
            "parents": list(commit.parents),
            "author": {"name": commit.name, "email": commit.email},
            "authored": commit.authored,
            "subject": commit.subject,
        }
        held: Object = {"commit": said}
        held |= {name: rows for name, rows in (("stages", found.stages), ("data", found.data)) if rows}
        for payload in self._sendable(commit.id, held):
            named = [(adapter.execution_id(self.namespace, each), each) for each in payload.get("stages", ())]
            self._recorded[commit.id] = [identifier for identifier, _ in named]
            commits.runs.update(self._recorded[commit.id])
            if models := [row for row in payload.get("data", ()) if "model" in row]:
                self._models[commit.id] = models
            for identifier, stage in named:
                self._parts.note(identifier, stage)
            yield payload

    # --- names ---------------------------------------------------------------------------------------------------

    def _named(self, refs: list[Ref], commits: dict[str, Commit]) -> Iterator[Object]:
        for ref in refs:
            if ref.name.startswith("refs/tags/"):
                tag = {"name": ref.name[len("refs/tags/") :], "commit": ref.commit}
                yield from self._sendable(ref.commit, {"tag": tag})
            elif experiment := _EXPERIMENT.match(ref.name):
                baseline = experiment[1] + experiment[2]
                said: Object = {"name": experiment[3], "baseline": baseline, "commit": ref.commit}
                if ref.commit in commits:
                    said["authored"] = commits[ref.commit].authored
                    if found := logged(self._git, self._files, commits[ref.commit], baseline):
                        said |= found | self._models_since(ref.commit, baseline, commits)
                runs = self._since(ref.commit, baseline, commits)
                yield from self._sendable(
                    ref.commit, {"experiment": {**said, **({"executions": runs} if runs else {})}}
                )

    def _since(self, tip: str, baseline: str, commits: dict[str, Commit]) -> list[str]:
        """The executions that the commits of an experiment recorded, from its tip back to the baseline."""
        between = self._between(tip, baseline, commits)
        return sorted({each for commit in between for each in self._recorded.get(commit, ())})

    def _models_since(self, tip: str, baseline: str, commits: dict[str, Commit]) -> Object:
        """The models that an experiment added to what is tracked by itself."""
        found = [row for commit in self._between(tip, baseline, commits) for row in self._models.get(commit, ())]
        return {"models": found} if found else {}

    @staticmethod
    def _between(tip: str, baseline: str, commits: dict[str, Commit]) -> Iterator[str]:
        while tip != baseline and tip in commits:
            yield tip
            tip = commits[tip].parents[0] if commits[tip].parents else ""


def _unknown(_: str) -> list[tuple[str, str]]:
    return []


def _known(item: Object) -> Object:
    """What tells which state or model an input or output is."""
    code = {"git": {"code": True}} if item.get("git", {}).get("code") else {}
    return {key: item[key] for key in ("path", "hash", "origin", "model") if key in item} | code
