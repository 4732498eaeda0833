"""Profiles: shapes published under a name, in numbered versions that never change.

`shapes/<profile>/<version>.ttl` ships with the code, `shapes/<profile>/examples/<version>.trig` beside it; what users
publish themselves stands in a folder of the same form. `prov-core` names the newest version, `prov-core/1` one of them.
What a file says is read by `provstore.validation.described`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from provstore import resources
from provstore.errors import InvalidInput, NotFound, nearest

#: Under which the profiles that ship with the code are named, for good.
HOME = "https://w3id.org/provstore/shapes"
_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*\Z")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}\Z")
_MOST_NAME = 60


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a profile: where its file stands, and its IRI, that of the profile with `/` and the number."""

    name: str
    number: int
    path: str
    iri: str
    shipped: bool = True

    @property
    def token(self) -> str:
        """The name with the number, `prov-core/1`."""
        return f"{self.name}/{self.number}"

    def read(self) -> bytes:
        """The bytes of its file."""
        return Path(self.path).read_bytes()

    def digest(self) -> str:
        """The SHA-256 of those bytes, in hexadecimal."""
        return hashlib.sha256(self.read()).hexdigest()

    def examples(self) -> bytes:
        """Named graphs that its rules find something in or pass (TriG); empty where there are none."""
        path = Path(self.path).parent / "examples" / f"{self.number}.trig"
        return path.read_bytes() if path.is_file() else b""


@dataclass(frozen=True, slots=True)
class Registry:
    """Every profile there is: those that ship, and those in the folder `own`, whose IRIs begin with `base`.

    `given` is a folder of the same form with shapes for once, or nothing.

    It holds no state, so it can be sent to a worker; a version that was published meanwhile is found at once.
    """

    own: str = ""
    base: str = ""
    given: str = ""

    def names(self) -> list[str]:
        """The names of all profiles, sorted."""
        return sorted({path.parent.name for home in self._homes() for path in home.glob("*/*.ttl")})

    def versions(self, name: str) -> list[Version]:
        """The versions of a profile, the newest first; empty where there is none of the name."""
        if not _NAME.match(name) or len(name) > _MOST_NAME:
            return []
        found = [_version(path, home, self) for home in self._homes() for path in (home / name).glob("*.ttl")]
        return sorted((each for each in found if each), key=lambda each: -each.number)

    def newest(self) -> list[Version]:
        """The newest version of every profile, by name."""
        return [versions[0] for name in self.names() if (versions := self.versions(name))]

    def find(self, named: str) -> Version:
        """The version that `name` (the newest) or `name/number` names; NotFound says what comes nearest."""
        name, _, number = named.partition("/")
        versions = self.versions(name)
        if not versions:
            raise NotFound(self._unknown(name))
        if "/" not in named:
            return versions[0]
        for each in versions:
            if str(each.number) == number:
                return each
        there = ", ".join(each.token for each in versions)
        raise NotFound(f"profile {name} has no version {number[:20]!r}: there are {there}")

    def of_iri(self, iri: str) -> Version | None:
        """The version that an IRI names, `…/shapes/<profile>/<version>`; None where it is none of ours."""
        start, _, token = iri.rpartition("/shapes/")
        name, _, number = token.partition("/")
        wanted = {f"{HOME}/{token}", f"{self.base}/shapes/{token}"}
        found = self.versions(name) if start and iri in wanted else []
        return next((each for each in found if str(each.number) == number and each.iri == iri), None)

    def free(self, name: str) -> str:
        """The name, where users may publish under it; InvalidInput says what a name must be, or that it is taken."""
        if not _NAME.match(name) or len(name) > _MOST_NAME:
            raise InvalidInput(
                f"a profile's name is lower-case letters, digits and single hyphens, begins with a letter and has at"
                f" most {_MOST_NAME} characters, such as credit-risk; got {name[:80]!r}"
            )
        if (resources.folder("shapes") / name).is_dir():
            raise InvalidInput(f"the profile {name} ships with provstore: give yours another name")
        return name

    def _homes(self) -> list[Path]:
        return [resources.folder("shapes"), *(Path(each) for each in (self.own, self.given) if each)]

    def _unknown(self, name: str) -> str:
        known = self.names()
        near = nearest(name, known)
        perhaps = f"; perhaps {' or '.join(near)}" if near else ""
        return f"no validation profile {name[:60]!r}{perhaps}: there are {', '.join(known)}"


@dataclass(frozen=True, slots=True)
class Rule:
    """One named shape: what it asks in plain words, how strongly, and the clause that it comes from.

    `profile` is the version whose file states it. `target` and `asks` are phrases, `path` is a SPARQL property path
    (empty where the node itself is meant). `add` and `remove` are Turtle that mends what it finds; `fails` and `passes`
    are examples in Turtle, `query` is SPARQL that looks for what must not be.
    """

    shape: str
    severity: str
    message: str
    clause: str
    profile: str = ""
    target: tuple[str, ...] = ()
    path: str = ""
    asks: tuple[str, ...] = ()
    add: str = ""
    remove: str = ""
    fails: tuple[str, ...] = ()
    passes: tuple[str, ...] = ()
    query: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One property in a box (`path` '': the thing itself): how many values, of what kind, of which classes.

    `most` is None where there is no bound; `rule` is the shape that asks it, the first one where there are several.
    """

    path: str
    least: int
    most: int | None
    kind: str
    classes: tuple[str, ...]
    rule: str

    @property
    def count(self) -> str:
        """The multiplicity as UML writes it: `0..1`, `1`, `1..*`, `*`."""
        if self.most is None:
            return f"{self.least}..*" if self.least else "*"
        return str(self.most) if self.least == self.most else f"{self.least}..{self.most}"


@dataclass(frozen=True, slots=True)
class Box:
    """What some rules look at: its titles in a few words each, those of them that are classes, and its properties."""

    titles: tuple[str, ...]
    classes: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """One version of a profile: its head, and its rules in the order of the severities, inherited ones included.

    `inherits` are the versions it is directly a profile of, `lineage` all of them; `others` are IRIs of profiles that
    are none of ours. `digest` is the SHA-256 of its file, `prefixes` what its examples stand behind.
    """

    name: str
    version: str
    title: str
    description: str
    rules: tuple[Rule, ...]
    iri: str = ""
    issued: str = ""
    license: str = ""
    digest: str = ""
    shipped: bool = True
    inherits: tuple[str, ...] = ()
    lineage: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    prefixes: str = ""
    boxes: tuple[Box, ...] = ()

    @property
    def token(self) -> str:
        """Name and version, `prov-core/1`."""
        return f"{self.name}/{self.version}"

    @property
    def counts(self) -> dict[str, int]:
        """How many rules it has of each severity, inherited ones included."""
        found = dict.fromkeys(("MUST", "SHOULD", "MAY"), 0)
        for rule in self.rules:
            found[rule.severity] += 1
        return found


@dataclass(frozen=True, slots=True)
class Upload:
    """Turtle on its way to be the next version of a profile; `imports` says that its owl:imports may be ignored."""

    registry: Registry
    name: str
    iri: str
    data: bytes
    imports: bool = False


#: What ships with the code, and nothing else.
SHIPPED = Registry()


def _version(path: Path, home: Path, registry: Registry) -> Version | None:
    if not _NUMBER.match(path.stem):
        return None
    name, number = path.parent.name, int(path.stem)
    shipped = str(home) not in (registry.own, registry.given)
    start = HOME if shipped else f"{registry.base}/shapes" if str(home) == registry.own else "urn:provstore:shapes"
    return Version(name, number, str(path), f"{start}/{name}/{number}", shipped)
