"""What surrounds a program, as tags: what is there, nothing else, no secrets, nothing that MLflow would cut."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provstore.observe.context import PREFIX, context, host
from provstore.observe.git import CodeState
from provstore.observe.reads import TAG_LENGTH

CODE = CodeState("/home/ada/risk", "ab" * 20, "main", "https://git.example/risk.git", True, "cd" * 32)
JOBS = {
    "github": {"GITHUB_ACTIONS": "true", "GITHUB_RUN_ID": "1", "GITHUB_RUN_ATTEMPT": "2"},
    "gitlab": {"GITLAB_CI": "true", "CI_JOB_ID": "1", "CI_JOB_URL": "https://gitlab.example/1"},
    "jenkins": {"JENKINS_URL": "https://ci.example", "BUILD_NUMBER": "7"},
    "azure": {"TF_BUILD": "True", "BUILD_BUILDID": "7"},
    "circleci": {"CIRCLECI": "true", "CIRCLE_WORKFLOW_ID": "x"},
    "buildkite": {"BUILDKITE": "true", "BUILDKITE_BUILD_ID": "x"},
    "bitbucket": {"BITBUCKET_BUILD_NUMBER": "7"},
}


def test_code() -> None:
    tags = context(CODE, ["python", "train.py"], {}, "1.2.3")
    assert {key: value for key, value in tags.items() if ".git." in key or key == "provstore.plugin"} == {
        "provstore.plugin": "1.2.3",
        "provstore.git.commit": "ab" * 20,
        "provstore.git.branch": "main",
        "provstore.git.remote": "https://git.example/risk.git",
        "provstore.git.root": "/home/ada/risk",
        "provstore.git.dirty": "true",
        "provstore.git.diff_sha256": "cd" * 32,
    }


def test_what_is_not_known_is_not_told() -> None:
    assert "provstore.git.dirty" not in context(CodeState("/r", "", dirty=None), [], {}, "1")
    assert context(CodeState("/r", "ab", dirty=False), [], {}, "1")["provstore.git.dirty"] == "false"
    tags = context(None, ["x"], {}, "1")
    assert set(tags) == {"provstore.plugin", "provstore.argv", "provstore.host"}


@pytest.mark.parametrize("system", JOBS)
def test_jobs_of_ci_systems(system: str) -> None:
    tags = context(None, [], {**JOBS[system], "HOME": "/root"}, "1")
    told = json.loads(tags["provstore.ci"])
    assert told.pop("system") == system
    assert told.items() <= JOBS[system].items()
    assert told
    assert tags["provstore.host"] == "ci"


def test_stages_and_schedulers() -> None:
    said = {"DVC_STAGE": "train", "DVC_EXP_NAME": "odd-gnu", "DVC_EXP_BASELINE_REV": "ab", "DVC_ROOT": "/r"}
    assert json.loads(context(None, [], {**said, "DVC_OTHER": "x"}, "1")["provstore.dvc"]) == said
    tags = context(None, [], {"SLURM_JOB_ID": "5", "SLURM_PROCID": "0", "SLURM_JWT": "x"}, "1")
    assert json.loads(tags["provstore.scheduler"]) == {"system": "slurm", "SLURM_JOB_ID": "5", "SLURM_PROCID": "0"}
    assert tags["provstore.host"] == "slurm"
    pod = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "HOSTNAME": "train-x7"}
    assert json.loads(context(None, [], pod, "1")["provstore.scheduler"]) == {
        "system": "kubernetes",
        "HOSTNAME": "train-x7",
    }
    assert host({**pod, "CI": "true"}) == "ci"
    assert host({}) in ("local", "container")


def test_secrets_of_a_command_line() -> None:
    words = ["python", "train.py", "--token", "hunter2hunter2", "--url=https://ada:hunter2hunter2@h/x", "--epochs", "3"]
    told = context(None, words, {"CI": "1"}, "1")["provstore.argv"]
    assert "hunter2" not in told
    assert json.loads(told)[-2:] == ["--epochs", "3"]


def test_a_command_line_of_any_length_fits() -> None:
    for words in (["\U0001f600" * 5000], ["\U0001f600" * 5000] * 50, ["a"] * 100_000):
        told = context(None, words, {"DVC_STAGE": "\U0001f600" * 5000}, "1")
        assert 0 < len(told["provstore.argv"]) <= TAG_LENGTH
        assert len(json.loads(told["provstore.dvc"])["DVC_STAGE"]) == 200


@given(
    st.lists(st.text(max_size=3000), max_size=30),
    st.dictionaries(st.sampled_from(["DVC_STAGE", "DVC_ROOT"]), st.text()),
)
def test_every_tag_fits_and_is_json_where_it_says_so(words: list[str], variables: dict[str, str]) -> None:
    tags = context(CODE, words, variables, "1")
    assert all(key.startswith(PREFIX) and 0 < len(value) <= TAG_LENGTH for key, value in tags.items())
    told = json.loads(tags.get("provstore.argv", "[]"))
    assert isinstance(told, list)
    for key in ("dvc", "ci", "scheduler"):
        assert isinstance(json.loads(tags.get(f"provstore.{key}", "{}")), dict)
