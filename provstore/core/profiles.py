"""The profiles of a store: what ships, what its users published, which version of each is used, and how.

Publishing a version and using one in another way are records of the ledger, so both can be proven, and a backup has
them. `profiles/` in the data directory holds the published files once more for the engine; it can be deleted.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provstore import rdf, times
from provstore.capture import profile
from provstore.errors import InvalidInput, Misconfigured, Nonconforming, TooLarge, UnsupportedMedia
from provstore.ledger.body import Body
from provstore.ledger.log import Ledger
from provstore.model import Submission
from provstore.validation.profiles import Registry, Upload, Version
from provstore.vocab import PS

#: What a profile can do where it is used: flag what lacks something, refuse it, or nothing.
MODES = ("annotate", "reject", "off")
#: The media type under which a version stands in the ledger; its parameter says which one it is.
_PUBLISHED = re.compile(r'text/turtle; profile="([a-z0-9-]+)/([0-9]+)"\Z')
_MOST_BYTES = 4 << 20
_KEPT = 3  # findings that a refusal repeats in its first sentence


@dataclass(frozen=True, slots=True)
class Published:
    """What became of an upload: its version, whether it is a new one, and what was found in it."""

    version: Version
    new: bool
    findings: list[dict[str, Any]]


class Profiles:
    """The profiles of one data directory and how they are used; of none, where there is no store (`ledger` None).

    `given` is a folder with shapes for once.
    """

    def __init__(
        self, setting: str, directory: Path | None = None, ledger: Ledger | None = None, *, given: str = ""
    ) -> None:
        own = "" if directory is None else str(directory / "profiles")
        self.registry = Registry(own, ledger.base if ledger else "", given)
        self._ledger = ledger
        self._read = 0
        self._used: dict[str, tuple[str, str]] = {}
        self.catch_up()
        for name, used in _set(setting, self.registry).items():
            self._used.setdefault(name, used)

    def catch_up(self) -> None:
        """Take up what the ledger says of profiles since it was last looked at."""
        if self._ledger is None:
            return
        for index in self._ledger.by_adapter(profile.ADAPTER.partition("/")[0], self._read):
            for body in self._ledger.bodies(index, index):
                self._take_up(body)
            self._read = index

    def forget_strangers(self) -> None:
        """Remove files of versions that the ledger does not know, as one that was brought back may not.

        For the process that owns the store alone: to another one, what was just published may be a stranger.
        """
        entries = self._ledger.by_adapter(profile.ADAPTER.partition("/")[0], 0) if self._ledger else []
        bodies = [body for index in entries if self._ledger for body in self._ledger.bodies(index, index)]
        known = {f"{found[1]}/{found[2]}" for body in bodies if (found := _PUBLISHED.match(body.media_type))}
        for path in Path(self.registry.own).glob("*/*") if self.registry.own else ():
            if path.is_file() and (path.suffix != ".ttl" or f"{path.parent.name}/{path.stem}" not in known):
                path.unlink()

    def _take_up(self, body: Body) -> None:
        published = _PUBLISHED.match(body.media_type)
        if published:
            _write(Path(self.registry.own) / published[1] / f"{published[2]}.ttl", body.payload)
            return
        said = {p: rdf.text_of(o) for s, p, o, _ in map(rdf.split, body.quads.decode().splitlines()) if "#use>" in s}
        version = self.registry.of_iri(said.get(PS.profile, ""))
        if version is not None:
            self._used[version.name] = (version.token, said[PS.mode])

    # -- how they are used --------------------------------------------------------------------------------------------

    @property
    def modes(self) -> dict[str, str]:
        """How each version that was ever named is used, by its token: annotate, reject or off."""
        return dict(self._used.values())

    def on(self, *modes: str) -> list[str]:
        """The tokens of the versions that are used in one of the modes (none: in any but off)."""
        return [token for token, mode in self._used.values() if mode in (modes or MODES[:2])]

    def used(self, name: str) -> str:
        """The token of the version of a profile that is in use, '' where none is."""
        return next((token for token in self.on() if token.partition("/")[0] == name), "")

    def named(self, wanted: str) -> str:
        """The token of a profile: the version named, else the one in use, else the newest; NotFound for others."""
        return self.used(wanted) or self.registry.find(wanted).token

    def wanted(self, named: Sequence[str] = ()) -> list[str]:
        """The tokens of these profiles, or else of those that are on; NotFound, Misconfigured where there are none."""
        found = list(dict.fromkeys(map(self.named, named))) or self.on()
        if not found:
            known = ", ".join(self.registry.names())
            raise Misconfigured(f"the setting 'profiles' has none on: name one of {known}")
        return found

    def use(self, version: Version, mode: str, actor: str) -> Submission | None:
        """The record of a new way of using a version; None where it is used like that already."""
        if mode not in MODES:
            raise InvalidInput(f"a profile is used to {', '.join(MODES[:2])}, or is {MODES[2]}; got {mode[:40]!r}")
        if self._used.get(version.name) == (version.token, mode):
            return None
        payload = profile.use_payload(version.iri, mode, times.now())
        return Submission(payload, "application/json", actor, profile.map_use(payload, self.registry.base))

    # -- publishing ---------------------------------------------------------------------------------------------------

    def known(self, name: str, data: bytes) -> Version | None:
        """The version of a profile that has these very bytes."""
        digest = hashlib.sha256(data).hexdigest()
        versions = self.registry.versions(self.registry.free(name))
        return next((each for each in versions if each.digest() == digest), None)

    def upload(self, name: str, data: bytes, media_type: str, *, imports: bool = False) -> Upload:
        """Bytes as the next version of a profile, for `provstore.validation.lint` to judge."""
        if media_type.partition(";")[0].strip().lower() != "text/turtle":
            raise UnsupportedMedia(f"shapes are published as text/turtle, got {media_type[:60]!r}")
        if len(data) > _MOST_BYTES:
            raise TooLarge(f"the shapes have {len(data):,} bytes; at most {_MOST_BYTES:,} are taken")
        return Upload(self.registry, self.registry.free(name), self._next(name).iri, data, imports)

    def publication(self, name: str, data: bytes, findings: list[dict[str, Any]], actor: str) -> Submission:
        """The record of a new version; Nonconforming, with all findings, where one of them is an error."""
        errors = [each for each in findings if each["level"] == "error"]
        if errors:
            first = "; ".join(filter(None, (f"{e['where']}: {e['message']}".lstrip(": ") for e in errors[:_KEPT])))
            more = f"; and {len(errors) - _KEPT} more" if len(errors) > _KEPT else ""
            raise Nonconforming(f"these shapes cannot be published: {first}{more}", findings)
        version = self._next(name)
        mapped = profile.map_version(data, name, version.number, times.now(), self.registry.base)
        return Submission(data, f'text/turtle; profile="{version.token}"', actor, mapped)

    def _next(self, name: str) -> Version:
        versions = self.registry.versions(name)
        number = versions[0].number + 1 if versions else 1
        return Version(name, number, "", f"{self.registry.base}/shapes/{name}/{number}", False)


def _set(setting: str, registry: Registry) -> dict[str, tuple[str, str]]:
    """What the setting says, by the name of each profile; Misconfigured where it says two things of one."""
    found: dict[str, tuple[str, str]] = {}
    for named, mode in (each.strip().split(":") for each in setting.split(",") if each.strip()):
        version = registry.find(named)
        if version.name in found:
            raise Misconfigured(f"setting 'profiles' names {version.name} twice: one version of it is used at a time")
        found[version.name] = (version.token, mode)
    return found


def _write(path: Path, data: bytes) -> None:
    """A file that is whole or not there, whatever instant a crash comes at."""
    if path.is_file() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    making = path.with_suffix(f".{os.getpid()}")
    making.write_bytes(data)
    making.rename(path)
