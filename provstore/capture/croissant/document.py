"""Croissant 1.1 (1.0, 0.8): a dataset, its files, what its records hold, where all is from, what it may be used for.

Terms are read under the names of the recommended context, those of other vocabularies with their usual prefix, whatever
the document itself calls them (`terms`); JSON pointers are into the document so told.
"""

from __future__ import annotations

import re
import uuid
from typing import Final

from provstore import iris, rdf
from provstore.capture.croissant.reading import Reader, address_of, identifier_of, pair
from provstore.capture.croissant.records import Records
from provstore.capture.croissant.terms import Names, usual
from provstore.capture.described import Described, iri_of, located, text
from provstore.capture.draft import Object
from provstore.capture.facets import kind_of
from provstore.model import Mapped
from provstore.vocab import CR, DCAT, DCT, PROV, PS, RAI, SCHEMA

#: Name and version of the mapping; also what the member `provstore` of an envelope says.
ADAPTER: Final = "croissant/1"
_SHA256: Final = re.compile(r"[0-9a-fA-F]{64}\Z")
_MD5: Final = re.compile(r"[0-9a-fA-F]{32}\Z")
_HOST: Final = re.compile(r"https?://[^/?#\s]+/?\Z")
_SIZE: Final = re.compile(r"(\d{1,18})\s*(?:B|bytes?)?\Z", re.IGNORECASE)
#: Member → predicate, of words about the dataset.
_WORDS: Final = {
    "name": DCT.title,
    "description": DCT.description,
    "citeAs": DCT.bibliographicCitation,
    "inLanguage": DCT.language,
    "keywords": DCAT.keyword,
}


def map_croissant(value: Object, *, base: str) -> Mapped:
    """One document as a record: the dataset, the version that it describes, its files with their bytes, its columns.

    Unmappable where nobody could say which dataset it is about.
    """
    draft = Described(base, value, ADAPTER)
    pointer, told = draft.enclosed("croissant")
    _Sheet(draft, told, pointer).say()
    return draft.mapped()


class _Sheet:
    """One document while it is read: the dataset, its state, and the two activities that made it and handed it out."""

    __slots__ = ("dataset", "draft", "maker", "node", "pointer", "published", "reader", "state", "told")

    def __init__(self, draft: Described, told: Object, pointer: str) -> None:
        names = Names(told.get("@context"))
        for each in names.strangers:
            draft.note(f"{pointer}/@context", f"of the context {each[:80]} nothing is known; it was passed over")
        self.draft, self.told, self.pointer = draft, usual(told, names), pointer
        told = self.told
        self.dataset = self._dataset()
        self.node = f"<{self.dataset}>"
        self.reader = Reader(draft, names, self.dataset)
        self.published = draft.moment(told, "datePublished", pointer)
        created = draft.moment(told, "dateModified", pointer) or draft.moment(told, "dateCreated", pointer)
        self.maker = self._activity("making")
        self.state = draft.write(self.maker[1], self.maker[0], self.dataset)
        when = created or self.published
        # nothing is handed out before it is there
        self.published = max(filter(None, (when, self.published)), default=None)
        draft.head(when, self.node)
        if when:
            draft.say(self.state, PROV.generatedAtTime, when)
        if self.published:
            draft.say(self.state, DCT.issued, self.published)

    def _dataset(self) -> str:
        """The dataset: what the envelope says, else the first address; of one that is a host alone, by name there."""
        draft, place, told = self.draft, self.pointer, self.told
        if said := draft.addressed():
            return said
        addresses = [
            address
            for member in ("@id", "url", "identifier", "sameAs")
            for _, each in draft.several(told, member, place)
            if not (address := address_of(each)).startswith("/")
        ]
        found = next(filter(None, map(draft.named, addresses)), None)
        host = next((address.rstrip("/") for address in addresses if _HOST.match(address)), None)
        if found is None and host and (name := text(told.get("name"))):
            return draft.dataset(host, name)
        if found is None:
            wanted = "'url' must be the URL of the dataset, or an envelope must name the dataset"
            draft.refuse(wanted, told.get("url"), f"{place}/url")
        draft.say(f"<{found}>", DCT.identifier, rdf.literal(next(each for each in addresses if draft.named(each))))
        return found

    def _activity(self, name: str) -> tuple[str, str]:
        """An activity of this version; all documents about one version speak of the same."""
        version = text(self.told.get("version"))
        key = f"{ADAPTER} {name} {self.dataset} {version or self.told.get('datePublished')}"
        return self.draft.run(str(uuid.uuid5(uuid.NAMESPACE_URL, key)))

    # --- the dataset -------------------------------------------------------------------------------------------------

    def say(self) -> None:
        """All that the document says."""
        self._words()
        self._people()
        self._version()
        self._rai()
        self._usage()
        for where, each in self.draft.each_object(self.told, "distribution", self.pointer):
            self._file(each, where)
        self.reader.provenance(self.told, self.pointer, self.state, self.maker)
        Records(self.reader, self.dataset, self.state, self.maker[1]).say(self.told, self.pointer)

    def _words(self) -> None:
        draft, told = self.draft, self.told
        for member, predicate in _WORDS.items():
            for where, each in self.draft.several(told, member, self.pointer):
                words = text(each.get("name")) if isinstance(each, dict) else text(each)
                if words:
                    draft.say(self.node, predicate, rdf.literal(words))
                else:
                    draft.note(where, f"ignored: {member!r} must be text, got {kind_of(each)}")
        for _, each in self.draft.several(told, "license", self.pointer):
            if sent := text(each) or address_of(each) or text(each.get("name") if isinstance(each, dict) else None):
                draft.license(self.node, sent)
        for _, each in draft.several(told, "url", self.pointer):
            if page := iri_of(address_of(each)):
                draft.say(self.node, DCAT.landingPage, page)
        for _, each in draft.several(told, "sameAs", self.pointer):
            other = draft.named(address_of(each)) if located(address_of(each)) else None
            if other and other != self.dataset:
                draft.say(self.node, PS.symlink, f"<{other}>")
        if type(told.get("isLiveDataset")) is bool:
            draft.say(self.node, CR.isLiveDataset, rdf.boolean(told["isLiveDataset"]))

    def _people(self) -> None:
        for member, predicate in (("creator", PROV.wasAttributedTo), ("publisher", DCT.publisher)):
            for where, each in self.draft.several(self.told, member, self.pointer):
                if agent := self.reader.agent(each, where):
                    self.draft.say(self.node, predicate, agent)
                    if member == "creator":
                        self.draft.associate(self.maker[1], agent)

    def _version(self) -> None:
        version = text(self.told.get("version"))
        if not version:
            return
        node = f"<{iris.version(self.dataset, version)}>"
        self.draft.type(node, PROV.Entity, PS.Version)
        self.draft.say(node, PROV.specializationOf, self.node)
        self.draft.say(node, PS.version, rdf.literal(version))
        self.draft.say(self.state, PROV.specializationOf, node)

    def _rai(self) -> None:
        """What the RAI vocabulary says in words, under its own names."""
        for member in sorted(name for name in self.told if name.startswith("rai:")):
            if member[4:] not in RAI.names:
                self.draft.note(f"{self.pointer}/{member}", f"ignored: {member[:60]!r} is none of the members of RAI")
                continue
            for where, each in self.draft.several(self.told, member, self.pointer):
                if text(each):
                    self.draft.say(self.node, RAI[member[4:]], rdf.literal(text(each)))
                else:
                    self.draft.note(where, f"ignored: {member!r} must be text, got {kind_of(each)}")
        if method := text(self.told.get("rai:dataCollection")):
            self.draft.say(self.node, PS.collectionMethod, rdf.literal(method))

    def _usage(self) -> None:
        """Conditions of use: terms such as DUO's as links, policies by their name."""
        for where, each in self.draft.several(self.told, "usageInfo", self.pointer):
            said = each if isinstance(each, dict) else {"url": text(each)}
            address = self.reader.expanded(text(said.get("url")) or text(said.get("@id")))
            term = iri_of(address)
            if term:
                self.draft.say(self.node, SCHEMA.usageInfo, term)
                if name := text(said.get("name")):
                    self.draft.say(term, DCT.title, rdf.literal(name))
            elif name := text(said.get("name")):
                self.draft.say(self.node, DCT.rights, rdf.literal(name))
                self.draft.note(where, "of a policy only its name was taken")
            else:
                self.draft.note(where, "ignored: 'usageInfo' must be a URL or have a 'url' or a 'name'")

    # --- files -------------------------------------------------------------------------------------------------------

    def _file(self, each: Object, where: str) -> None:
        """A file that the dataset is handed out as, or, where it has a making of its own, that it is made of."""
        draft, dataset = self.draft, self._place(each, where)
        if dataset is None:
            return
        own = any(True for _ in self.draft.several(each, "prov:wasGeneratedBy", where))
        identifier, activity = self._activity(f"file {dataset}" if own else "publication")
        state = draft.write(activity, identifier, dataset, self._digests(each, where))
        self.reader.files[identifier_of(each)] = state
        draft.say(self.state, PROV.hadMember, state)
        draft.say(self.node, DCAT.distribution, f"<{dataset}>")
        if own:
            draft.say(self.maker[1], PROV.used, state)
            draft.derive(self.state, [state])
        else:
            draft.derive(state, [self.state])
            draft.say(activity, PROV.used, self.state)
            if self.published:
                draft.say(state, PROV.generatedAtTime, self.published)
        self._described(each, where, f"<{dataset}>", state)
        self.reader.provenance(each, where, state, (identifier, activity))

    def _described(self, each: Object, where: str, node: str, state: str) -> None:
        """What is said of a file or a set of files."""
        draft = self.draft
        for member, predicate in (("name", DCT.title), ("description", DCT.description)):
            if words := draft.words(each, member, where):
                draft.say(node, predicate, rdf.literal(words))
        if identifier := identifier_of(each):
            draft.say(node, DCT.identifier, rdf.literal(identifier))
        for _, form in self.draft.several(each, "encodingFormat", where):
            if text(form):
                draft.say(state, DCT.format, rdf.literal(text(form)))
        if size := _SIZE.match(text(each.get("contentSize")).strip()):
            draft.say(state, PS.byteSize, rdf.integer(int(size[1])))
        if url := iri_of(text(each.get("contentUrl"))):
            draft.say(node, DCAT.downloadURL, url)
        for member in ("includes", "excludes"):
            for _, pattern in self.draft.several(each, member, where):
                if text(pattern):
                    draft.say(node, PS.filter, rdf.literal(f"{member} {text(pattern)}"))
        for _, holder in self.draft.several(each, "containedIn", where):
            container = self.reader.files.get(address_of(holder))
            if container:
                draft.say(state, DCT.isPartOf, container)

    def _place(self, each: Object, where: str) -> str | None:
        """The dataset that a file is: by its address, else by its place in what holds it, else by its name here."""
        address, name = text(each.get("contentUrl")), identifier_of(each)
        kinds = " ".join(text(kind) for _, kind in self.draft.several(each, "@type", where))
        container = next((address_of(one) for _, one in self.draft.several(each, "containedIn", where)), "")
        if not container and address and (found := self.draft.named(address)):
            return found
        if not name and not address:
            self.draft.note(where, "ignored: a file needs an '@id' or a 'contentUrl'")
            return None
        within = address if container and address else name or address
        base = pair(self.dataset)
        part = f"{container}/{within}" if container and "FileSet" not in kinds else within
        return self.draft.dataset(base[0], f"{base[1]}/{part}")

    def _digests(self, each: Object, where: str) -> dict[str, str]:
        found = {}
        for name, form in (("sha256", _SHA256), ("md5", _MD5)):
            digest = text(each.get(name))
            if form.match(digest):
                found[name] = digest.lower()
            elif digest:
                self.draft.note(f"{where}/{name}", f"ignored: {digest[:70]!r} is no {name} in hexadecimal digits")
        return found
