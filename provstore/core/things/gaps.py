"""What is missing about a thing, in words: what lineage cannot tell, and what nobody recorded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provstore.core.things.thing import Gap, Thing

#: Kinds that somebody must have made, if lineage is to be whole.
_MADE = frozenset({"WriteState", "ModelVersion", "Prediction", "Decision", "AliasAssignment", "Slice"})
_ASSETS = frozenset({"Dataset", "Model"})
_STATE = "https://w3id.org/provstore/ns#"


def gaps_of(thing: Thing) -> tuple[Gap, ...]:
    """Everything that is missing, what is serious first; empty where nothing is."""
    if thing.around is None:
        told = Gap("no lineage", "Lineage does not know it: it is only described, or only mentioned.")
        return tuple(sorted([told, *_verdicts(thing)], key=lambda gap: not gap.serious))
    origin = () if thing.role == "agent" else _origin(thing.around)
    found = [*origin, *_making(thing), *_asset(thing), *_activity(thing), *_records(thing), *_verdicts(thing)]
    return tuple(sorted(found, key=lambda gap: not gap.serious))


def _origin(around: dict[str, Any]) -> Iterator[Gap]:
    upstream = around["upstream"]
    if around.get("origin") == "unknown origin":
        yield Gap("unknown origin", "Nobody recorded which write this read saw, or whether there was one.", True)
    elif upstream["unknown"]:
        one = upstream["unknown"] == 1
        yield Gap(
            "unknown origin",
            f"{_count(upstream['unknown'], 'read')} that it comes from {'is' if one else 'are'} of unknown origin.",
            True,
        )
    if _is_data(around) and not around["sources"]["total"] and not upstream["total"] and "origin" not in around:
        yield Gap("no origin", "Nobody recorded what it comes from, and it is not declared as a source.")
    if upstream["undeclared"]:
        one = upstream["undeclared"] == 1
        yield Gap(
            "undeclared source",
            f"It ends at {_count(upstream['undeclared'], 'thing')} not declared as {'a source' if one else 'sources'}:"
            f" whether {'it comes' if one else 'they come'} from elsewhere is not known.",
        )
    if possible := upstream["total"] - upstream["certain"]:
        yield Gap(
            "possible steps",
            f"{possible:,} of the {_count(upstream['total'], 'state')} behind it {'is' if possible == 1 else 'are'}"
            " only possible: nothing says which input an output was made of, or which write a read saw.",
        )


def _is_data(around: dict[str, Any]) -> bool:
    """Whether a thing takes part in lineage: something used it or was made of it."""
    others = around["kind"] in _ASSETS or around["kind"] in _MADE or around["kind"] == "CodeVersion"
    return around.get("role", "entity") == "entity" and not others and bool(around["dependents"]["total"])


def _making(thing: Thing) -> Iterator[Gap]:
    around = thing.around
    assert around is not None
    agents = around["agents"]
    if thing.kind in _MADE and not _has(around, "generated", "out"):
        yield Gap("no maker", "Nobody recorded which run or activity made it.", True)
    if thing.kind in ("ModelVersion", "Prediction", "Decision", "Slice") and not around["sources"]["total"]:
        yield Gap("no sources", "Nobody recorded what it was made from.", True)
    if agents["activities"] and agents["unattended"] == agents["activities"]:
        whom = "it" if thing.role == "activity" else "what read it" if thing.kind == "ReadState" else "what made it"
        yield Gap("no agent", f"Nobody is recorded as associated with {whom}.")
    elif agents["unattended"]:
        yield Gap(
            "no agent",
            f"With {agents['unattended']:,} of the {_count(agents['activities'], 'activity', 'activities')} behind it"
            " nobody is recorded as associated.",
        )
    if thing.kind in _MADE and "time" not in around:
        looked = thing.kind == "AliasAssignment" and any(each.since for each in thing.said.aliases)
        seen = "When it was given was not seen, only that it was between two looks."
        yield Gap("no time", seen if looked else "Nobody recorded when it was made.")
    if thing.kind == "ModelVersion":
        if not thing.said.code:
            yield Gap("no code", "Which code trained it is not recorded.")
        if not thing.said.parameters:
            yield Gap("no parameters", "No parameters of its training are recorded.")


def _asset(thing: Thing) -> Iterator[Gap]:
    around = thing.around
    assert around is not None
    if thing.kind not in (*_ASSETS, "Job"):
        return
    if not thing.description:
        yield Gap("no description", "Nobody has described it.")
    if not thing.owners and not any(role.owner for role in thing.said.roles):
        yield Gap("no owner", "Nobody is named as its owner.")
    if thing.kind == "Dataset":
        if not thing.columns:
            yield Gap("no schema", "Nobody has said which columns it has.")
        if not _has(around, "special", "in", "WriteState") and around.get("origin") != "declared source":
            yield Gap("never written", "No run was seen to write it, and it is not declared as a source.", True)
    if thing.kind == "Job" and not around["agents"]["activities"]:
        yield Gap("never seen", "No run of it was seen.")


def _activity(thing: Thing) -> Iterator[Gap]:
    around = thing.around
    assert around is not None
    if thing.role != "activity":
        return
    if around["start"] is None and around["end"] is not None:
        yield Gap("no start", "It ended, and nobody recorded when it started.")
    if around["start"] is not None and around["end"] is None:
        yield Gap("no end", "It started, and nobody recorded that it ended.")
    if around["start"] is None and around["end"] is None:
        yield Gap("no time", "Nobody recorded when it took place.")
    if _ended_badly(around):
        yield Gap("failed", "It failed or was aborted: what it announced may never have been made.", True)
    announced, made = _has(around, "intended", "out"), around["dependents"]["total"]
    if announced and not made:
        yield Gap("not made", f"It announced {_count(announced, 'output')} and was not seen to make any.", True)
    if not around["sources"]["total"] and not _has(around, "part", "in"):
        yield Gap("no inputs", "What it used is not recorded.")


def _records(thing: Thing) -> Iterator[Gap]:
    bad = [each for each in thing.said.records if each.conforms is False]
    waiting = [each for each in thing.said.records if not each.validated]
    failed = [each for each in thing.said.records if each.validated and each.conforms is None]
    if bad:
        yield Gap("violating", f"{_count(len(bad), 'record')} that speak{'s' if len(bad) == 1 else ''} of it lack"
                  f"{'s' if len(bad) == 1 else ''} what a profile demands.", True)  # fmt: skip
    if waiting:
        yield Gap("waiting", f"{_count(len(waiting), 'record')} that speak of it are not validated yet.")
    if failed:
        yield Gap("not validated", f"The validation of {_count(len(failed), 'record')} did not finish.")


def _verdicts(thing: Thing) -> Iterator[Gap]:
    for each in thing.verdicts:
        if each.count:
            wants = {"MUST": "demands", "SHOULD": "recommends", "MAY": "suggests"}.get(each.severity)
            text = (
                f"By all that is recorded, it is not as {each.profile} {wants}: {_count(each.count, 'result')} below."
            )
            if wants is None:
                text = f"Its validation by {each.profile} did not finish."
            yield Gap("incomplete", text, each.severity == "MUST")


def _ended_badly(around: dict[str, Any]) -> bool:
    states = [node["iri"] for each in _those(around, "state", "out") for node in each["nodes"]]
    return f"{_STATE}FAIL" in states or f"{_STATE}ABORT" in states


def _those(around: dict[str, Any], relation: str, direction: str, kind: str | None = None) -> Iterator[dict[str, Any]]:
    for each in around["relations"]:
        if (each["relation"], each["direction"]) == (relation, direction) and kind in (None, each["kind"]):
            yield each


def _has(around: dict[str, Any], relation: str, direction: str, kind: str | None = None) -> int:
    return sum(each["total"] for each in _those(around, relation, direction, kind))


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
