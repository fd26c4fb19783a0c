"""What ingest does with every fault of the demo company, against what truth says a correct one does."""

from __future__ import annotations

import pytest

from demo_company.faults.catalogue import FEEDS
from tests.truth.faulty_company import (
    AFTER_INGEST,
    Company,
    documented,
    is_handled_by_ingest,
)


def test_the_document_lists_every_fault_with_its_ids_and_what_a_correct_warehouse_does() -> None:
    assert documented() == list(FEEDS)


@pytest.mark.fault("D1", "D2", "D5", "D6", "D7", "D8", "F1", "F2", "F3", "F4", "F6", "F10", "F12", "F13", "F16", "F17")
@pytest.mark.parametrize("fault", FEEDS)
def test_ingest_does_what_truth_says(fault: str, company: Company) -> None:
    for entry in company.of(fault):
        if entry["rule"] not in AFTER_INGEST:
            assert is_handled_by_ingest(company, entry), (entry, company.file(entry))


def test_only_files_that_truth_names_are_refused_or_lose_records(company: Company) -> None:
    named = {entry["file"] for entry in company.truth["faults"]}
    touched = {file.path for file in company.report.files if file.status == "refused" or file.quarantined}
    assert touched <= named
    assert all(
        file.physical == file.loaded + file.superseded + file.quarantined for file in company.report.files if file.status == "staged"
    )
