"""Settings as data: name, default, meaning. The only module that reads the environment's values."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from provstore.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting; its type is that of its default, its variable `PROVSTORE_` and the name in capitals."""

    name: str
    default: Any
    help: str
    secret: bool = False  # told as (set), never shown


_LOG_LEVELS = ("critical", "error", "warning", "info", "debug")
_REDACT = ("off", "secrets", "values")

SETTINGS = (
    Setting("data", "./provstore-data", "the data directory"),
    Setting("host", "127.0.0.1", "address to listen on; only loopback is allowed while there is no access control"),
    Setting("port", 8000, "port to listen on; 0 takes a free one"),
    Setting("base", "", "id base of a new store, fixed for good when it is made; empty makes one"),
    Setting("server", "", "URL of a running server for the command line to use"),
    Setting("spool", "~/.local/state/provstore/spool", "where recorded steps wait on disk until they are in a store"),
    Setting("log_level", "warning", f"what the server logs: {', '.join(_LOG_LEVELS)}"),
    Setting(
        "profiles",
        "prov-core:annotate",
        "validation profiles (name or name/version) with mode, comma between: annotate, reject or off",
    ),
    Setting("trusted_keys", "", "public keys (PEM) that may sign statements: a file, or a directory of them"),
    Setting(
        "redact",
        "secrets",
        "what is taken out of payloads before they are kept: off; secrets, and what tests of data copy out of rows;"
        " values, also what may hold some in passing, such as messages of errors",
    ),
    Setting("max_body_bytes", 16 << 20, "largest request body, as sent"),
    Setting("max_inflated_bytes", 64 << 20, "largest request body, decompressed"),
    Setting("queue_records", 2000, "records that may wait for their commit before the server says 503"),
    Setting("queue_bytes", 64 << 20, "bytes that may wait for their commit before the server says 503"),
    Setting("max_lag_records", 20_000, "how far the views may lag behind the ledger before the server says 503"),
    Setting("rdf_timeout_seconds", 2.0, "how long reading one RDF document may take"),
    Setting("query_timeout_seconds", 30.0, "how long one query may take"),
    Setting("query_memory_bytes", 2 << 30, "address space of one query worker"),
    Setting("query_max_result_bytes", 256 << 20, "largest answer to one query"),
    Setting("query_workers", 6, "how many queries may run at once"),
    Setting("webhook_secret", "", "what MLflow signs its webhooks with, for `capture mlflow --listen`", secret=True),
    Setting("commitment_key", "", "makes commitments of what is not stored; empty: nothing is told of it", secret=True),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The value of every setting."""

    data: str
    host: str
    port: int
    base: str
    server: str
    spool: str
    log_level: str
    profiles: str
    trusted_keys: str
    redact: str
    max_body_bytes: int
    max_inflated_bytes: int
    queue_records: int
    queue_bytes: int
    max_lag_records: int
    rdf_timeout_seconds: float
    query_timeout_seconds: float
    query_memory_bytes: int
    query_max_result_bytes: int
    query_workers: int
    webhook_secret: str
    commitment_key: str


@dataclass(frozen=True, slots=True)
class MlflowAccess:
    """How MLflow's own client is let in: its variables, which are never stored and never shown."""

    username: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    insecure_tls: bool = False


def mlflow_access(environ: Mapping[str, str] = os.environ) -> MlflowAccess:
    """What MLFLOW_TRACKING_USERNAME, _PASSWORD, _TOKEN and _INSECURE_TLS say."""
    return MlflowAccess(
        environ.get("MLFLOW_TRACKING_USERNAME", ""),
        environ.get("MLFLOW_TRACKING_PASSWORD", ""),
        environ.get("MLFLOW_TRACKING_TOKEN", ""),
        environ.get("MLFLOW_TRACKING_INSECURE_TLS", "").lower() in ("1", "true"),
    )


@dataclass(frozen=True, slots=True)
class Recording:
    """Where recorded steps go: a server's URL, a store's directory, each only where somebody named it; the spool."""

    server: str
    data: str
    spool: str


def recording(environ: Mapping[str, str]) -> Recording:
    """What the environment says of where recorded steps go; nothing is raised, for no program may end of it."""
    default = next(setting.default for setting in SETTINGS if setting.name == "spool")
    spool = environ.get("PROVSTORE_SPOOL") or default
    return Recording(environ.get("PROVSTORE_SERVER", ""), environ.get("PROVSTORE_DATA", ""), spool)


def load(environ: Mapping[str, str], overrides: Mapping[str, Any] | None = None) -> Settings:
    """Defaults, then the environment, then the `overrides` that are not None; Misconfigured names what is wrong."""
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        given = (overrides or {}).get(setting.name)
        if given is None:
            given = environ.get(f"PROVSTORE_{setting.name.upper()}")
        values[setting.name] = setting.default if given is None else _read(setting, given)
    settings = Settings(**values)
    _check(settings)
    return settings


def _read(setting: Setting, given: Any) -> Any:
    kind = type(setting.default)
    try:
        value = kind(given)
    except (ValueError, OverflowError) as error:
        raise Misconfigured(f"setting {setting.name!r} must be {kind.__name__}, got {_shown(given)}") from error
    if kind is not str and not (0 < value < float("inf") or (value == 0 and setting.name == "port")):
        raise Misconfigured(f"setting {setting.name!r} must be more than 0 and not endless, got {_shown(given)}")
    return value


def _check(settings: Settings) -> None:
    if settings.port > 65535:
        raise Misconfigured(f"setting 'port' must be at most 65535, got {_shown(settings.port)}")
    for name, given, known in (
        ("log_level", settings.log_level, _LOG_LEVELS),
        ("redact", settings.redact, _REDACT),
    ):
        if given not in known:
            raise Misconfigured(f"setting {name!r} must be one of {', '.join(known)}, got {_shown(given)}")
    for each in filter(None, (part.strip() for part in settings.profiles.split(","))):
        name, colon, mode = each.partition(":")
        if not name or not colon or mode not in ("annotate", "reject", "off"):
            raise Misconfigured(
                f"setting 'profiles' must list name:annotate, name:reject or name:off, got {_shown(each)}"
            )


def _shown(given: Any) -> str:
    text = repr(given)
    return text if len(text) <= 60 else f"{text[:60]}…"


assert {f.name for f in fields(Settings)} == {s.name for s in SETTINGS}
