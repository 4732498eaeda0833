"""What surrounds a program, as tags of an MLflow run: code, command, host, CI job, DVC stage, scheduler.

    provstore.plugin           version of what wrote the tags
    provstore.git.commit       the commit that the work tree is of
    provstore.git.dirty        "true", "false"; absent where git could not be asked
    provstore.git.diff_sha256  of a dirty tree: `CodeState.diff_sha256`
    provstore.git.branch, .remote, .root   (the remote without credentials, the root as an absolute path)
    provstore.argv             JSON list, secrets redacted
    provstore.host             "ci", "kubernetes", "slurm", "notebook", "container", "local"
    provstore.ci               JSON object: `system` and the variables by which the job is found again
    provstore.dvc              JSON object: DVC_STAGE, DVC_EXP_NAME, DVC_EXP_BASELINE_REV, …
    provstore.scheduler        JSON object: `system` and the job's ids

Tags of what is not there are absent. None is longer than `reads.TAG_LENGTH` characters.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from provstore.observe.git import CodeState
from provstore.observe.reads import TAG_LENGTH
from provstore.observe.redaction import redact, scrub

PREFIX: Final = "provstore."

#: The variable that tells a CI system, and those by which its job is found again.
_CI: Final = (
    (
        "github",
        "GITHUB_ACTIONS",
        "GITHUB_REPOSITORY GITHUB_WORKFLOW GITHUB_RUN_ID GITHUB_RUN_ATTEMPT GITHUB_JOB GITHUB_SHA GITHUB_REF"
        " GITHUB_SERVER_URL GITHUB_ACTOR GITHUB_EVENT_NAME",
    ),
    (
        "gitlab",
        "GITLAB_CI",
        "CI_PROJECT_PATH CI_PIPELINE_ID CI_JOB_ID CI_JOB_NAME CI_JOB_URL CI_COMMIT_SHA CI_COMMIT_REF_NAME"
        " CI_SERVER_URL GITLAB_USER_LOGIN CI_PIPELINE_SOURCE",
    ),
    ("jenkins", "JENKINS_URL", "JOB_NAME BUILD_NUMBER BUILD_URL GIT_COMMIT NODE_NAME"),
    (
        "azure",
        "TF_BUILD",
        "SYSTEM_TEAMPROJECT BUILD_DEFINITIONNAME BUILD_BUILDID BUILD_BUILDNUMBER SYSTEM_JOBID BUILD_SOURCEVERSION",
    ),
    ("circleci", "CIRCLECI", "CIRCLE_PROJECT_REPONAME CIRCLE_WORKFLOW_ID CIRCLE_JOB CIRCLE_BUILD_URL CIRCLE_SHA1"),
    ("buildkite", "BUILDKITE", "BUILDKITE_PIPELINE_SLUG BUILDKITE_BUILD_ID BUILDKITE_JOB_ID BUILDKITE_BUILD_URL"),
    ("bitbucket", "BITBUCKET_BUILD_NUMBER", "BITBUCKET_REPO_FULL_NAME BITBUCKET_BUILD_NUMBER BITBUCKET_COMMIT"),
)
_SCHEDULERS: Final = (
    (
        "slurm",
        "SLURM_JOB_ID",
        "SLURM_JOB_ID SLURM_JOB_NAME SLURM_ARRAY_JOB_ID SLURM_ARRAY_TASK_ID SLURM_CLUSTER_NAME SLURM_PROCID",
    ),
    ("pbs", "PBS_JOBID", "PBS_JOBID PBS_JOBNAME PBS_ARRAY_INDEX"),
    ("lsf", "LSB_JOBID", "LSB_JOBID LSB_JOBNAME LSB_JOBINDEX"),
    ("kubernetes", "KUBERNETES_SERVICE_HOST", "HOSTNAME POD_NAME POD_NAMESPACE JOB_COMPLETION_INDEX"),
)
_DVC: Final = ("DVC_STAGE", "DVC_ROOT", "DVC_EXP_NAME", "DVC_EXP_BASELINE_REV", "DVC_EXP_REV")


def context(code: CodeState | None, argv: Sequence[str], variables: Mapping[str, str], version: str) -> dict[str, str]:
    """The tags; `variables` are those of the process environment, `argv` the whole command line."""
    told = {"plugin": version, **_git(code), "argv": _fitting(list(argv)), "host": host(variables)}
    for name, found in (("ci", _system(_CI, variables)), ("scheduler", _system(_SCHEDULERS, variables))):
        told[name] = _fitting(found) if found else ""
    stage = {each: variables[each] for each in _DVC if variables.get(each)}
    told["dvc"] = _fitting(stage) if stage else ""
    return {f"{PREFIX}{name}": value[:TAG_LENGTH] for name, value in told.items() if value}


def host(variables: Mapping[str, str]) -> str:
    """What kind of host this process runs on."""
    if _system(_CI, variables) or variables.get("CI", "").lower() in ("true", "1"):
        return "ci"
    if "SLURM_JOB_ID" in variables:
        return "slurm"
    if "KUBERNETES_SERVICE_HOST" in variables:
        return "kubernetes"
    if "ipykernel" in sys.modules:
        return "notebook"
    return "container" if os.path.exists("/.dockerenv") or os.path.exists("/run/.containerenv") else "local"


def _git(code: CodeState | None) -> dict[str, str]:
    if code is None:
        return {}
    dirty = "" if code.dirty is None else str(code.dirty).lower()
    told = {"commit": code.commit, "branch": code.branch, "remote": scrub(code.remote), "root": code.root}
    told |= {"dirty": dirty, "diff_sha256": code.diff_sha256}
    return {f"git.{name}": value for name, value in told.items()}


def _system(known: tuple[tuple[str, str, str], ...], variables: Mapping[str, str]) -> dict[str, str]:
    for system, sign, names in known:
        if variables.get(sign):
            return {"system": system, **{name: variables[name] for name in names.split() if variables.get(name)}}
    return {}


def _fitting(value: list[str] | dict[str, str]) -> str:
    """The JSON text without secrets; long items are cut, of a list the first that fit are kept."""
    clean = redact(value).value
    if isinstance(clean, dict):
        return _dumps({name: each[:200].encode("ascii", "replace").decode() for name, each in clean.items()})
    words = [each[:1000] for each in clean]
    while len(text := _dumps(words)) > TAG_LENGTH:
        words = [*words[: len(words) // 2], "…"] if len(words) > 2 else [words[0][: len(words[0]) // 2], "…"]
    return text


def _dumps(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
