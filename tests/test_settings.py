"""Settings: defaults, environment, overrides, and what is refused."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provstore.errors import Misconfigured
from provstore.settings import SETTINGS, Settings, load


def test_defaults() -> None:
    settings = load({})
    assert dataclasses.asdict(settings) == {each.name: each.default for each in SETTINGS}


def test_every_setting_is_explained_and_has_a_field_of_its_type() -> None:
    types = {field.name: field.type for field in dataclasses.fields(Settings)}
    assert types == {each.name: type(each.default).__name__ for each in SETTINGS}
    assert all(each.help for each in SETTINGS)


def test_only_loopback_by_default() -> None:
    assert load({}).host == "127.0.0.1"


def test_the_environment_comes_before_the_default_and_an_override_before_both() -> None:
    environ = {"PROVSTORE_PORT": "9000", "PROVSTORE_HOST": "::1", "PORT": "1", "PROVSTORE_UNKNOWN": "x"}
    assert (load(environ).port, load(environ).host) == (9000, "::1")
    assert load(environ, {"port": 9001}).port == 9001
    assert load(environ, {"port": None}).port == 9000  # an option that was not given


def test_an_empty_variable_of_text_is_empty_and_of_a_number_is_refused() -> None:
    assert load({"PROVSTORE_BASE": ""}).base == ""
    with pytest.raises(Misconfigured, match="'port' must be"):
        load({"PROVSTORE_PORT": ""})


@pytest.mark.parametrize("given_text", ["eight", "80.5", "-1", "65536", "8000 apples", "0x50", "9" * 5000])
def test_a_bad_port_is_named(given_text: str) -> None:
    with pytest.raises(Misconfigured, match="'port'") as caught:
        load({"PROVSTORE_PORT": given_text})
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("given_text", ["nan", "inf", "-0.5", "soon"])
def test_a_bad_duration_is_named(given_text: str) -> None:
    with pytest.raises(Misconfigured, match="'query_timeout_seconds'"):
        load({"PROVSTORE_QUERY_TIMEOUT_SECONDS": given_text})


@pytest.mark.parametrize("text", ["prov-core", "prov-core:", ":reject", "prov-core:maybe", "a:off,b", "a:off:off"])
def test_bad_profiles_are_named(text: str) -> None:
    with pytest.raises(Misconfigured, match="'profiles'"):
        load({"PROVSTORE_PROFILES": text})


@pytest.mark.parametrize("text", ["", " ", "prov-core:reject", "prov-core:annotate, eu-ai-act:off"])
def test_good_profiles(text: str) -> None:
    assert load({"PROVSTORE_PROFILES": text}).profiles == text


def test_no_worker_is_no_service() -> None:
    with pytest.raises(Misconfigured, match="'query_workers'"):
        load({"PROVSTORE_QUERY_WORKERS": "0"})


@pytest.mark.parametrize("level", ["loud", "", "WARN!"])
def test_an_unknown_log_level_is_named(level: str) -> None:
    with pytest.raises(Misconfigured, match="'log_level'"):
        load({"PROVSTORE_LOG_LEVEL": level})


@given(st.dictionaries(st.sampled_from([f"PROVSTORE_{each.name.upper()}" for each in SETTINGS]), st.text()))
def test_any_environment_gives_settings_or_a_plain_refusal(environ: dict[str, str]) -> None:
    refusal, settings = "", None
    try:
        settings = load(environ)
    except Misconfigured as error:
        refusal = str(error)
    assert refusal.startswith("setting '") if settings is None else 0 <= settings.port <= 65535
