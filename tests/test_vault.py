"""Commitments: they open to one value, say nothing without their key, and stay when what opens them is erased."""

from __future__ import annotations

import multiprocessing
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provstore import record
from provstore.record.vault import Opening, Vault, committed, verify


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "inner" / "vault.db")


def opened(vault: Vault, commitment: object) -> Opening:
    found = vault.opened(str(commitment))
    assert found
    return found


@pytest.mark.parametrize("value", [6.9, "Müller", None, {"b": [1, True], "a": "x"}])
def test_a_commitment_opens_to_its_value(vault: Vault, value: object) -> None:
    made = vault.commit(value, subject="p-7")
    opening = opened(vault, made)
    assert verify(opening)
    assert (opening.subject, len(opening.key), len(opening.nonce)) == ("p-7", 64, 32)
    assert not verify(replace(opening, value='"other"'))
    assert not verify(replace(opening, key="0" * 64))
    assert not verify(replace(opening, nonce="no hex"))


def test_equal_values_have_unequal_commitments(vault: Vault) -> None:
    made = {str(vault.commit(6.9, subject="p-7")) for _ in range(20)}
    assert len(made) == 20
    assert len({opened(vault, each).key for each in made}) == 1
    assert opened(vault, vault.commit(6.9, subject="p-8")).key != opened(vault, made.pop()).key


def test_many_values_at_once(vault: Vault) -> None:
    made = vault.commit_each([(number, f"p-{number % 3}") for number in range(500)])
    assert [opened(vault, each).value for each in made] == [str(number) for number in range(500)]
    assert all(verify(opened(vault, each)) for each in made[:20])
    assert vault.erase(subject="p-0") == 167
    with pytest.raises(ValueError, match="not JSON compliant"):
        vault.commit_each([(1, "p"), (float("inf"), "p")])
    assert vault.erase(subject="p") == 0  # all or none
    assert vault.commit_each([]) == []


def test_an_erased_subject_leaves_commitments_that_nobody_can_open(vault: Vault, tmp_path: Path) -> None:
    gone = [vault.commit(f"value-{number}-of-seven", subject="p-7") for number in range(5)]
    kept = vault.commit("value-of-eight", subject="p-8")
    key = bytes.fromhex(opened(vault, gone[0]).key)
    assert vault.erase(subject="p-7") == 5
    assert [vault.opened(each) for each in gone] == [None] * 5
    assert verify(opened(vault, kept))
    assert vault.erase(subject="p-7") == 0
    left = b"".join(path.read_bytes() for path in (tmp_path / "inner").iterdir())
    assert b"of-seven" not in left
    assert key not in left
    assert b"of-eight" in left


def test_one_commitment_is_erased_without_the_others(vault: Vault) -> None:
    one, two = vault.commit(1, subject="p"), vault.commit(2, subject="p")
    assert vault.erase(commitment=one) == 1
    assert vault.opened(one) is None
    assert opened(vault, two).value == "2"
    with pytest.raises(ValueError, match="name the subject"):
        vault.erase()


def test_only_its_owner_reads_the_vault(vault: Vault, tmp_path: Path) -> None:
    vault.commit(1)
    assert os.stat(tmp_path / "inner" / "vault.db").st_mode & 0o777 == 0o600
    assert os.stat(tmp_path / "inner").st_mode & 0o777 == 0o700


def test_what_is_no_json_is_refused(vault: Vault) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        vault.commit(float("nan"))
    with pytest.raises(TypeError):
        vault.commit(object())


def test_processes_share_a_vault(vault: Vault, tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_commit, args=(tmp_path, first)) for first in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 4
    made = [line for path in tmp_path.glob("*.txt") for line in path.read_text().split()]
    assert sorted(int(opened(vault, each).value) for each in made) == list(range(40))


def _commit(folder: Path, first: int) -> None:
    vault = Vault(folder / "inner" / "vault.db")
    made = [str(vault.commit(number)) for number in range(first, 40, 4)]
    (folder / f"{first}.txt").write_text(" ".join(made))


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=16, max_size=16), st.text())
def test_a_commitment_is_a_function_of_all_three(key: bytes, nonce: bytes, value: str) -> None:
    text = value.encode("utf-8", "replace").decode()
    made = committed(key, nonce, text)
    assert made == committed(key, nonce, text)
    assert made not in (
        committed(nonce + nonce, nonce, text) if key != nonce * 2 else "",
        committed(key, nonce, f"{text} "),
    )


def test_a_commitment_stands_for_the_value_in_a_step(tmp_path: Path) -> None:
    recorder = record.configure(file=tmp_path / "steps.ndjson", spool=tmp_path / "spool", namespace="lab")
    record.vault(tmp_path / "vault.db")
    with record.step("measure") as step:
        made = record.commit(6.9, subject="p-7")
        step.generated(record.item("glucose-77", value=made, subject="p-7"))
    text = (tmp_path / "steps.ndjson").read_text()
    assert f'"value":{{"commitment":"{made}"}}' in text
    opening = record.opened(made)
    assert opening
    assert record.verify(opening)
    assert record.erase(subject="p-7") == 1
    assert record.opened(made) is None
    recorder.close()
