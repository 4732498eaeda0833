"""The keeper by itself: what it holds on to, what it forgets, and what it does where looking had killed it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from provstore.core import ProvStore
from provstore.core.keeper import Keeper
from provstore.core.steps import Done, Step
from provstore.core.verdictdb import Tables, open_database
from provstore.core.verdictgraph import VerdictGraph
from provstore.store.oxigraph import is_read
from provstore.validation.profiles import Registry
from tests.stores import BASE, document
from tests.verdicts import assert_current

PROFILE = "prov-core/1"
RULE = "<https://w3id.org/provstore/shapes/prov-core#entity-is-no-activity>"
BOTH = "@prefix prov: <http://www.w3.org/ns/prov#> . <urn:both> a prov:Entity , prov:Activity ."


def kept(store: ProvStore, keeper: Keeper, *profiles: str, careful: bool = False, fresh: bool = False) -> Done:
    """Have everything done that there is to do."""
    copy = store.snapshot()
    told: tuple[tuple[int, int], ...] = ()
    registry = Registry(str(store.directory / "profiles"), BASE)
    while True:
        job = Step(
            str(store.directory), BASE, registry, profiles, copy.path, copy.index, told, careful=careful, fresh=fresh
        )
        done = keeper.step(job)
        store.views.restate(done.say, None)
        store.views.follow(done.at)
        told = done.told
        if done.finished and not told:
            return done


@pytest.fixture
def store(tmp_path: Path) -> ProvStore:
    store = ProvStore(tmp_path, base=BASE)
    store.views.follow(-1)
    store.ingest([document(BOTH), document("<urn:x> <urn:p> <urn:y> .")])
    return store


def verdicts(store: ProvStore) -> dict[str, tuple[object, ...]]:
    db = open_database(store.directory / "verdicts" / "verdicts.db")
    sql = "SELECT t.term, v.profile, v.conforms, v.severity, v.at FROM verdict v JOIN thing t ON t.id = v.thing"
    found = {term: tuple(rest) for term, *rest in db.execute(sql)}
    db.close()
    return found


def test_it_goes_on_from_where_another_was_killed(store: ProvStore) -> None:
    kept(store, Keeper(store.directory, BASE), PROFILE)
    store.ingest([document("<urn:other> a <http://www.w3.org/ns/prov#Entity> .")])
    done = kept(store, Keeper(store.directory, BASE), PROFILE)
    assert done.at == store.ledger.head
    assert verdicts(store)["<urn:both>"] == (PROFILE, 0, 0, 2)  # not looked at again
    store.close()
    assert assert_current(store.directory, PROFILE) > 0


def test_it_begins_anew_where_it_lost_the_thread(store: ProvStore) -> None:
    kept(store, Keeper(store.directory, BASE), PROFILE)
    store.views.follow(store.ledger.head)
    store.ingest([document("<urn:both> <urn:p> <urn:y> .")])
    store.views.follow(store.ledger.head)  # as if nobody had to follow from further back
    store.views.flush()
    assert kept(store, Keeper(store.directory, BASE), PROFILE).at == store.ledger.head
    assert verdicts(store)["<urn:both>"] == (PROFILE, 0, 0, 3)
    store.rebuild()
    store.ingest([document("<urn:both> <urn:q> <urn:y> .")])
    assert kept(store, Keeper(store.directory, BASE), PROFILE).at == store.ledger.head
    store.close()
    assert assert_current(store.directory, PROFILE) > 0


def test_a_profile_that_is_switched_off_is_forgotten(store: ProvStore) -> None:
    keeper = Keeper(store.directory, BASE)
    kept(store, keeper, PROFILE)
    assert f"{BASE}/graph/verdicts#" in "".join(store.views.store.dump())
    kept(store, keeper, "bcbs-239/1")
    assert not any(profile == PROFILE for profile, *_ in verdicts(store).values())
    assert f"{BASE}/graph/verdicts#" not in "".join(store.views.store.dump())
    store.close()


def test_what_killed_it_is_not_looked_at_again_until_it_is_started_anew(store: ProvStore) -> None:
    tables = Tables(open_database(store.directory / "verdicts" / "verdicts.db"))
    tables.set_meta("trying", json.dumps([PROFILE, RULE, "<urn:both>"]))
    tables.db.close()
    kept(store, Keeper(store.directory, BASE), PROFILE, careful=True)
    assert verdicts(store)["<urn:both>"] == (PROFILE, None, 3, 2)
    db = open_database(store.directory / "verdicts" / "verdicts.db")
    assert db.execute("SELECT value FROM meta WHERE key = 'trying'").fetchone() == ("",)
    db.close()
    kept(store, Keeper(store.directory, BASE), PROFILE, fresh=True)
    assert verdicts(store)["<urn:both>"] == (PROFILE, 0, 0, 2)
    store.close()


def test_a_graph_that_says_something_else_is_put_right(store: ProvStore) -> None:
    kept(store, Keeper(store.directory, BASE), PROFILE)
    said = [line for line in store.views.store.dump() if f"<{BASE}/graph/verdicts>" in line]
    focus = "<http://www.w3.org/ns/shacl#focusNode>"
    wrong = f"<urn:old> {focus} <urn:gone> <{BASE}/graph/verdicts> .\n"
    store.views.restate({"<urn:both>": "", "<urn:gone>": wrong}, None)
    kept(store, Keeper(store.directory, BASE), PROFILE)
    assert [line for line in store.views.store.dump() if f"<{BASE}/graph/verdicts>" in line] == said
    store.close()


def test_what_no_store_would_read_is_left_out_of_the_graph() -> None:
    graph = VerdictGraph(BASE)
    wrong = {"shape": "urn:s", "severity": "MUST", "component": "urn:c", "message": "m", "path": "", "value": "urn:v"}
    sequence = {**wrong, "path": "http://example.org/a#b/http://example.org/c#d", "value": '"text"@en'}
    broken = {**wrong, "shape": "urn:two#a#b"}
    said = graph.quads("<urn:thing>", [("urn:profile", each) for each in (wrong, sequence, broken)])
    assert is_read(said.encode())
    assert said.count("ValidationResult>") == 2
    assert "resultPath" not in said
