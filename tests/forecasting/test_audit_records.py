"""What is kept of the audit of a model."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from marketsim.forecasting.audit_records import VERSION, AuditRecord, AuditRecords, Evidence

RECORD = AuditRecord("ab", "mine", symbol="TEST", origins=6)


EVIDENCE = Evidence("looks ahead", "TEST", "2020-01-01", "the close forecast for 2020-01-02 is +1 %, but +2 %")


@pytest.mark.parametrize("evidence", [None, EVIDENCE])
def test_a_record_that_is_damaged_or_of_another_audit_is_none(tmp_path: Path, evidence: Evidence | None) -> None:
    records, record = (
        AuditRecords(tmp_path, "readwrite"),
        AuditRecord("ab", "mine", VERSION, "TEST", 6, evidence, {"TEST": "implausible"}),
    )
    records.put(record)
    (path,) = (tmp_path / "audits").iterdir()
    whole = path.read_bytes()
    assert records.get("ab") == record
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert records.get("ab") in (None, record)
    for length in (0, 10, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert records.get("ab") is None
    records.put(record)
    path.rename(path.with_name("cd.json"))
    assert records.get("cd") is None
    records.put(AuditRecord("ef", "mine", VERSION + 1, "TEST", 6, evidence))
    assert records.get("ef") is None


def test_the_modes_of_the_cache_hold_for_records_too(tmp_path: Path) -> None:
    AuditRecords(tmp_path, "readonly").put(RECORD)
    assert not list(tmp_path.iterdir())
    AuditRecords(tmp_path, "refresh").put(RECORD)
    assert AuditRecords(tmp_path, "refresh").get("ab") is None
    assert AuditRecords(tmp_path, "readonly").get("ab") is not None
    (tmp_path / "file").write_text("")
    AuditRecords(tmp_path / "file", "readwrite").put(RECORD)  # cannot be kept


def test_what_is_known_of_a_model_stays_whatever_another_process_finds(tmp_path: Path) -> None:
    records = AuditRecords(tmp_path, "readwrite")
    records.put(replace(RECORD, evidence=EVIDENCE, doubts={"A": None}))
    records.put(replace(RECORD, doubts={"B": "implausible"}))
    kept = replace(RECORD, evidence=EVIDENCE, doubts={"A": None, "B": "implausible"})
    assert records.get("ab") == kept and kept.doubt == "implausible"
    AuditRecords(tmp_path, "refresh").put(RECORD)
    assert records.get("ab") == RECORD
    records.put(replace(RECORD, fingerprint="cd", model="a"))
    assert [record.fingerprint for record in records.all()] == ["cd", "ab"]
    assert records.clear() == 2
    assert records.all() == []
