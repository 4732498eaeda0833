"""Text as words: where names are put together, and what is folded."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from provstore.views.words import joined, row, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("analytics.customer_risk_score", "analytics customer risk score"),
        ("customerRiskScore", "customer risk score"),
        ("HTTPServerID2 iPhone", "http server id2 i phone"),
        ("s3://bucket/path-2024", "s3 bucket path 2024"),
        ("0193b1a0-00FE", "0193b1a0 00 fe"),
        ("Éco\u0301leNationale ﬁn ß", "ecole nationale fin ss"),
        ("顧客リスクX", "顧 客 リ ス ク x"),
        ("مُعَدَّل", "معدل"),
        ("प्रलेख सूची", "प्रलेख सूची"),
        ("a\0b\u200cc\U0001f389", "a b c"),
        ('"OR" NEAR( col: *', "or near col"),
        (" \t_-./", ""),
    ],
)
def test_words(text: str, expected: str) -> None:
    assert row(text) == expected
    assert [each.text for each in words(text)] == expected.split()


@given(st.text())
@example("İ")
@example("Ǆa")
def test_words_are_plain_and_where_they_are_said_to_be(text: str) -> None:
    end = 0
    for word in words(text):
        assert word.text
        assert not set(word.text) & set(' "*()^:+-\0\n')
        assert end <= word.start < word.end <= len(text)
        assert row(text[word.start : word.end]) == word.text
        end = word.end


def test_compound_names_are_words_run_together_too() -> None:
    assert joined("analytics.customer_risk_score") == "customerriskscore riskscore"
    assert joined("plain") == joined("a_b_c_d_e_f_g_h_i") == joined("顧客") == ""
