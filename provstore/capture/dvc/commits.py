"""What one commit is the first of its line to say: executions, versions of data, imports."""

from __future__ import annotations

import re
from typing import Final

from provstore import rdf
from provstore.capture.draft import RECORD, Draft, Object
from provstore.capture.dvc.executions import Execution, plan_of
from provstore.capture.dvc.identity import dataset_name, identified, uuid_of
from provstore.capture.dvc.states import commit_of, describe, digests, model_version, read_elsewhere, version_of, weak
from provstore.vocab import DCT, PROV, PS

#: As SQLAlchemy writes the address of a database: what speaks which protocol, where, and the database there.
_DATABASE = re.compile(r"(\w+)(?:\+\w+)?://(?:[^@/]*@)?([^/?#]+)/?([^/?#]*)", re.DOTALL)
#: What OpenLineage calls what SQLAlchemy calls otherwise.
_SCHEMES: Final = {"postgresql": "postgres", "mariadb": "mysql"}


class SaidByCommit:
    """The record of what one commit is the first of its line to say."""

    def __init__(self, draft: Draft, namespace: str) -> None:
        self._draft, self._namespace = draft, namespace
        said = draft.required(draft.value, "commit")
        self._said = said
        self._commit = commit_of(draft, said, "id", "/commit", namespace)
        self._about: list[str] = []

    def say(self) -> None:
        draft, time = self._draft, self._draft.instant(self._said, "authored", "/commit")
        draft.say(RECORD, PROV.wasDerivedFrom, self._commit)
        if time:
            draft.say(self._commit, PROV.generatedAtTime, time)
        subject = draft.words(self._said, "subject", "/commit")
        if subject:
            draft.say(self._commit, DCT.title, rdf.literal(subject))
        self._author()
        for pointer, stage in draft.objects(draft.value, "stages"):
            Execution(draft, self._namespace, self._commit, stage, pointer).say(self._about)
        for pointer, row in draft.objects(draft.value, "data"):
            self._data(row, pointer)
        draft.head(time, *self._about)

    def _author(self) -> None:
        """Whoever git calls the author: anybody can write any name there."""
        draft = self._draft
        author = draft.object(self._said, "author", "/commit")
        name = draft.words(author, "name", "/commit/author") or ""
        identifier = draft.words(author, "email", "/commit/author") or name
        if not identifier:
            return
        person = draft.agent("person", identifier, name)
        node = f"{self._commit[:-1]}#author>"
        draft.say(RECORD, PROV.wasAttributedTo, person)
        draft.say(self._commit, PROV.wasAttributedTo, person)
        draft.say(self._commit, PROV.qualifiedAttribution, node)
        draft.type(node, PROV.Attribution)
        draft.say(node, PROV.agent, person)
        draft.say(node, PS.selfAsserted, rdf.boolean(True))

    def _data(self, row: Object, pointer: str) -> None:
        """A version of data that a `.dvc` file tracks, and the import that brought it, where one did."""
        draft = self._draft
        dataset = draft.dataset(*dataset_name(self._namespace, draft.text(row, "path", pointer)))
        version = version_of(draft, dataset, draft.object(row, "hash", pointer))
        if version:
            self._about.append(version)
            describe(draft, version, row, pointer)
            for where, each in draft.objects(row, "previous", pointer):
                moved = draft.words(each, "path", where)
                named = draft.dataset(*dataset_name(self._namespace, moved)) if moved else dataset
                before = version_of(draft, named, each)
                if before:
                    draft.say(version, PS.previousVersion, before)
                else:
                    draft.note(where, "ignored: a version before needs a digest")
        origins = list(draft.objects(row, "origins", pointer))
        run = self._import(row, dataset, version, origins, pointer) if origins else ""
        if model := model_version(draft, self._namespace, row, pointer):
            describe(draft, model, row, pointer)
            if run:
                draft.say(model, PROV.wasGeneratedBy, run)

    def _import(self, row: Object, dataset: str, version: str, origins: list[tuple[str, Object]], pointer: str) -> str:
        """The run that copied data from elsewhere to where the `.dvc` file tracks it."""
        draft = self._draft
        names = [row.get("file"), identified(row), [origin for _, origin in origins]]
        identifier, run = draft.run(uuid_of("import", self._namespace, *names))
        self._about.append(run)
        job = draft.job(self._namespace, draft.words(row, "file", pointer) or "import")
        draft.say(run, PS.job, f"<{job}>")
        for where, origin in origins:
            if query := draft.object(origin, "query", where):
                _query(draft, self._namespace, job, (identifier, run), query, f"{where}/query")
            same = len(origins) == 1 and "hash" not in origin  # what is imported is copied as it is
            if state := read_elsewhere(
                draft, self._namespace, (identifier, run), origin, row if same else origin, where
            ):
                draft.use(run, state, PS.inputItem)
        written = draft.write(run, identifier, dataset, digests(row))
        weak(draft, written, row)
        if version:
            draft.say(written, PROV.specializationOf, version)
        return run


def _query(draft: Draft, namespace: str, job: str, run: tuple[str, str], query: Object, where: str) -> None:
    """What a run read of a database: a table is what it read, a query what it did; not which tables that names."""
    connection, table = draft.words(query, "connection", where) or "", draft.words(query, "table", where)
    if table:
        url = draft.words(query, "url", where)
        database = _DATABASE.match(url) if url else None
        if database:
            scheme = _SCHEMES.get(database[1], database[1])
            named = f"{scheme}://{database[2]}", f"{database[3]}.{table}" if database[3] else table
        else:
            named = namespace, f"db:{connection}/{table}"
        draft.use(run[1], draft.read(run[1], run[0], draft.dataset(*named)), PS.inputItem)
    if text := draft.words(query, "query", where):
        plan_of(draft, job, run[1], text)
