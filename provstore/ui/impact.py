"""The impact page: if this was bad, what is affected, possibly affected, not affected, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.responses import Response

from provstore.core.service import Service
from provstore.errors import ProvStoreError
from provstore.lineage.ask import asked
from provstore.lineage.labels import label
from provstore.lineage.moment import role
from provstore.lineage.parameters import IMPACT, JUDGED
from provstore.ui import names, render

DEFAULTS = {"limit": "100"}
#: Verdict → its class on the page, and what it means.
VERDICTS = {
    "affected": ("bad", "comes from what was bad by steps that are known"),
    "possibly affected": ("fair", "a step is only possible, or rests on a read of unknown origin"),
    "not affected": ("good", "neither"),
}
_TWINS = {"json": "application/json", "csv": "text/csv"}


async def impact_page(service: Service, given: Mapping[str, str], min_index: int | None) -> Response:
    """The page about what is asked. Where it cannot be answered, the form and why."""
    wanted = {**DEFAULTS, **{name: value for name, value in given.items() if value != ""}}
    if "entity" not in wanted:
        return _page(wanted)
    try:
        told = await service.lineage(asked("impact", wanted), min_index)
    except ProvStoreError as error:
        return _page(wanted, error=error)
    shown = [each["iri"] for each in told.json["verdicts"]]
    return _page(wanted, told.json, described=await service.described([wanted["entity"], *shown]))


def _page(
    wanted: dict[str, str],
    answer: dict[str, Any] | None = None,
    error: ProvStoreError | None = None,
    described: Mapping[str, Mapping[str, Any]] | None = None,
) -> Response:
    known = described or {}
    twin = names.address("/impact", **wanted)
    whole = names.address("/impact", **{**wanted, "limit": "10000", "cursor": None, "format": "csv"})
    return render.page(
        "impact.html",
        alternates={kind: f"{twin}&format={name}" for name, kind in _TWINS.items()} if answer else {},
        status=error.status if error else 200,
        error=error,
        title=_name(wanted["entity"], known) if "entity" in wanted else "",
        wanted={**dict.fromkeys(IMPACT, ""), **wanted},
        twin=twin,
        csv=whole,
        answer=answer,
        rows=[_row(each, wanted, answer["bad"], known) for each in answer["verdicts"]] if answer else [],
        next=names.address("/impact", **{**wanted, "cursor": answer["next"]}) if answer and answer["next"] else None,
        verdicts=VERDICTS,
        only=lambda verdict: names.address("/impact", **{**wanted, "verdict": verdict, "cursor": None}),
        judged=",".join(JUDGED),
    )


def _name(iri: str, described: Mapping[str, Mapping[str, Any]]) -> str:
    return str(described[iri]["name"]) if iri in described else label(iri)


def _row(
    verdict: Mapping[str, Any],
    wanted: Mapping[str, str],
    bad: Sequence[str],
    described: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """A verdict with its name, and the picture that shows why: the way to what was bad, or to what is unknown."""
    way = None
    if "depth" in verdict or verdict["verdict"] == "possibly affected":
        moments = {name: wanted[name] for name in ("as-of", "at-index") if name in wanted}
        to = (bad[0] if len(bad) == 1 else wanted["entity"]) if "depth" in verdict else None
        way = names.address(
            "/lineage", **{"entity": verdict["iri"], "to": to, "direction": "upstream", "level": "state", **moments}
        )
    return {**verdict, "name": _name(verdict["iri"], described), "role": role(verdict["kind"]), "way": way}
