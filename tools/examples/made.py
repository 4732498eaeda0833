"""The files, by their path in `examples/`."""

from __future__ import annotations

from pathlib import Path

from tools.examples import loans, models, nightly, tables
from tools.examples.events import lines
from tools.examples.trig import record, text

FOLDER = Path(__file__).resolve().parents[2] / "examples"


def files() -> dict[str, str]:
    """Path → text of every file that is made."""
    events = {
        "01-catalogue": tables.described(),
        "02-declared": nightly.declared(),
        "03-snapshots": nightly.snapshots(),
        "04-audit": nightly.audit(),
        "05-scores": nightly.scores(),
        "06-campaign": nightly.campaign(),
    }
    return {
        **{f"credit/14-nightly/{name}.jsonl": lines(made) for name, made in events.items()},
        "credit/14-nightly/07-scheduler.trig": _scheduler(),
        **{f"credit/15-models/{name}": text for name, text in models.files()},
        **{f"credit/16-loans/{name}": text for name, text in loans.files()},
    }


def _scheduler() -> str:
    """Who ran the nightly runs, which their events do not say: stated once, by those who keep the scheduler."""
    agent = "agent/software/airflow-prod"
    statements = [
        f'<{agent}> a prov:SoftwareAgent, prov:Agent ; rdfs:label "Airflow, production" ;\n'
        "  prov:actedOnBehalfOf <agent/organization/risk-data> .",
        f"<urn:swh:1:rev:{nightly.REVISION}> a prov:Entity, ps:CodeVersion ;\n"
        f"  dct:title {text(f'bank/risk at {nightly.REVISION[:8]}')} .",
        *(f"<urn:uuid:{run}> a prov:Activity ; prov:wasAssociatedWith <{agent}> ." for run in nightly.runs()),
    ]
    return record(
        "scheduler", "2026-04-05T12:00:00Z", [agent], statements, "the account under which the scheduler runs jobs"
    )
