"""The profiles of laws and the clauses they cite: each known, told in few words, honest about how it was read."""

from __future__ import annotations

import re

import pytest
from rdflib import Graph
from rdflib.namespace import DCTERMS, OWL, RDF, XSD, Namespace
from rdflib.term import Literal, URIRef

from provstore import rdf, resources
from provstore.validation.checking import validate
from provstore.validation.clauses import HOME, cited, clauses, known
from provstore.validation.profiles import Version
from tools import policies

PS, ELI = Namespace("https://w3id.org/provstore/ns#"), Namespace("http://data.europa.eu/eli/ontology#")
FILES = [path.stem for path in resources.files("ontology", "clauses/*.ttl")]
PROFILES = policies.policies()


def graph_of(law: str) -> Graph:
    return Graph().parse(data=resources.read("ontology", f"clauses/{law}.ttl"), format="turtle")


def test_there_are_as_many_as_we_think() -> None:
    assert [version.name for version in PROFILES] == [
        "bcbs-239",
        "eu-ai-act",
        "gdpr",
        "iso-42001",
        "part-11",
        "sr-26-2",
    ]
    assert {clause.law.iri.removeprefix(HOME) for clause in clauses().values()} == set(FILES)
    assert sum(len(policies.rules(version)) for version in PROFILES) == 130
    assert len(clauses()) == 148


@pytest.mark.parametrize("law", FILES)
def test_a_law_says_what_it_is_and_since_when(law: str) -> None:
    graph, node = graph_of(law), URIRef(HOME + law)
    assert (node, RDF.type, DCTERMS.Standard) in graph
    for wanted in (DCTERMS.title, DCTERMS.identifier, DCTERMS.description, OWL.versionInfo):
        assert str(graph.value(node, wanted) or "").strip(), wanted
    assert all(
        str(source).startswith(("https://", "http://data.europa.eu/")) for source in graph[node : DCTERMS.source]
    )
    assert list(graph[node : DCTERMS.source])
    for wanted in (DCTERMS.issued, DCTERMS.valid):
        (date,) = graph[node:wanted]
        assert isinstance(date, Literal)
        assert date.datatype in (XSD.date, XSD.gYearMonth)


@pytest.mark.parametrize("law", FILES)
def test_a_clause_is_told_whole_and_short(law: str) -> None:
    graph = graph_of(law)
    found = list(graph[: RDF.type : PS.Clause])
    assert found
    for clause in found:
        assert str(clause).startswith(f"{HOME}{law}/")
        assert graph.value(clause, DCTERMS.isPartOf) == URIRef(HOME + law)
        for wanted in (
            DCTERMS.title,
            DCTERMS.identifier,
            OWL.versionInfo,
            DCTERMS.source,
            DCTERMS.issued,
            DCTERMS.valid,
        ):
            assert len(list(graph[clause:wanted])) == 1, (clause, wanted)
        (asks,) = graph[clause : DCTERMS.description]
        assert 20 <= len(asks) <= 300, clause  # our own few words; the text itself is at its source
        assert str(asks).endswith("."), clause


@pytest.mark.parametrize("law", FILES)
def test_a_clause_says_how_it_was_established(law: str) -> None:
    graph = graph_of(law)
    for clause in graph[: RDF.type : PS.Clause]:
        (status,), (day,) = graph[clause : PS.textStatus], graph[clause : PS.checkedOn]
        assert isinstance(day, Literal)
        assert day.datatype == XSD.date
        sources = list(graph[clause : PS.checkedAgainst])
        if status == PS.Unread:
            assert sources == [], clause
        else:
            assert status in (PS.Reproduction, PS.OfficialText), clause
            assert len(sources) == 1, clause


def test_what_was_read_in_an_official_text_is_by_its_issuer() -> None:
    for law in FILES:
        graph = graph_of(law)
        for clause in graph[: PS.textStatus : PS.OfficialText]:
            assert re.match(
                r"https?://[\w.]*(gpo\.gov|ecfr\.gov|europa\.eu|bis\.org)/", str(graph.value(clause, PS.checkedAgainst))
            )


def test_each_clause_has_a_rule_or_a_reason_why_not() -> None:
    cited = {rule.clause for version in PROFILES for rule in policies.rules(version)}
    assert cited <= set(clauses())
    for iri, clause in clauses().items():
        assert bool(clause.why_not) != (iri in cited), iri


@pytest.mark.parametrize("version", PROFILES, ids=lambda version: version.name)
def test_a_profile_says_what_it_cannot_show(version: Version) -> None:
    text = version.read().decode()
    graph = Graph().parse(data=text, format="turtle")
    said = " ".join(map(str, graph.objects(None, DCTERMS.description)))
    assert "need not be true" in said
    assert "never that a duty is met" in said
    assert re.findall(r"complian|comply|complies|legally required", text) == []


def test_amendments_and_dates_of_the_ai_act() -> None:
    graph, law = graph_of("eu-ai-act"), URIRef(f"{HOME}eu-ai-act")
    assert graph.value(law, ELI.amended_by) == URIRef("http://data.europa.eu/eli/reg/2026/1744/oj")
    starts = {str(each) for each in graph.objects(None, URIRef("http://www.w3.org/ns/dcat#startDate"))}
    assert {"2027-12-02", "2028-08-02"} <= starts
    logs = URIRef(f"{HOME}eu-ai-act/article-26/6")
    assert str(graph.value(logs, DCTERMS.valid)) == "2027-12-02"


def test_a_clause_is_cited_as_people_do() -> None:
    iri = f"{HOME}gdpr/article-30/1/b"
    clause = known(iri)
    assert clause
    assert clause.source == "https://eur-lex.europa.eu/eli/reg/2016/679/oj/eng#art_30"
    assert (clause.title, clause.applies, clause.read) == ("Purposes", "2018-05-25", "Reproduction")
    assert clause.law.applies == (("2018-05-25", "the whole Regulation"),)
    assert cited(iri) == f"Article 30(1)(b), Regulation (EU) 2016/679 <{iri}>"
    assert cited("https://www.w3.org/TR/prov-o/#used") == "https://www.w3.org/TR/prov-o/#used"
    assert cited(f"{HOME}gdpr/article-999") == f"{HOME}gdpr/article-999"
    assert cited("") == ""


def test_clauses_come_in_the_order_of_their_text() -> None:
    names = [clause.name for clause in clauses().values() if clause.law.name == "Regulation (EU) 2016/679"]
    assert names[:3] == ["Article 5(1)(a)", "Article 5(1)(b)", "Article 5(1)(c)"]
    assert names[-1] == "Article 30(5)"


# --- time limits are reckoned to the day -----------------------------------------------------------------------------

_XSD, _PROV = "http://www.w3.org/2001/XMLSchema#", "http://www.w3.org/ns/prov#"
_AIACT = "https://w3id.org/dpv/legal/eu/aiact#"


def _found(profile: str, *lines: str) -> set[str]:
    quads = "".join(f"{line} .\n" for line in sorted(lines)).encode()
    return {result.shape.rpartition("#")[2] for result in validate(quads, profile)}


def _time(day: str) -> str:
    return f'"{day}T00:00:00Z"^^<{_XSD}dateTime>'


@pytest.mark.parametrize(
    ("placed", "until", "kept"),
    [
        ("2028-01-10", "2038-01-10", True),
        ("2028-01-10", "2038-01-09", False),
        ("2028-02-29", "2038-02-28", False),
        ("2028-02-29", "2038-03-01", True),
        ("2028-12-31", "2039-01-01", True),
    ],
)
def test_papers_are_kept_ten_years(placed: str, until: str, kept: bool) -> None:
    found = _found(
        "eu-ai-act",
        f"<urn:doc> <{rdf.RDF}type> <{_AIACT}TechnicalDocumentation>",
        f"<urn:doc> <{PS}concerns> <urn:system>",
        f"<urn:doc> <{PS}retainUntil> {_time(until)}",
        f"<urn:system> <{PS}placedOnMarket> {_time(placed)}",
    )
    assert found == (set() if kept else {"documentation-is-kept-ten-years"})


@pytest.mark.parametrize(
    ("closed", "until", "kept"),
    [
        ("2028-03-31", "2028-09-30", False),  # there is no 31 September: the day after is asked for
        ("2028-03-31", "2028-10-01", True),
        ("2028-08-15", "2029-02-15", True),
        ("2028-08-15", "2029-02-14", False),
        ("2028-12-01", "2029-06-01", True),
    ],
)
def test_logs_are_kept_six_months(closed: str, until: str, kept: bool) -> None:
    found = _found(
        "eu-ai-act",
        f"<urn:log> <{rdf.RDF}type> <{PS}Log>",
        f"<urn:log> <{_PROV}generatedAtTime> {_time(closed)}",
        f"<urn:log> <{PS}retainUntil> {_time(until)}",
    )
    assert found == (set() if kept else {"log-is-kept-six-months"})


@pytest.mark.parametrize(
    "value", ['"soon"', f'"2038-13-40T00:00:00Z"^^<{_XSD}dateTime>', f'"2038"^^<{_XSD}gYear>', '""']
)
def test_what_is_no_time_is_no_limit(value: str) -> None:
    found = _found("eu-ai-act", f"<urn:log> <{rdf.RDF}type> <{PS}Log>", f"<urn:log> <{PS}retainUntil> {value}")
    assert found == {"time-limit-is-a-date-time"}


def test_a_point_of_an_annex_makes_a_system_one_of_high_risk() -> None:
    found = _found("eu-ai-act", f"<urn:system> <{rdf.RDF}type> <{_AIACT}HighRiskAISystem-AnnexIII-5-b>")
    assert {"system-has-an-intended-purpose", "system-has-instructions-for-use", "system-names-its-provider"} <= found
