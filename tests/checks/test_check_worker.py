"""The worker process: its protocol survives noise, bad requests and its own death.

What breaks if these fail: a run hangs, or takes the silence of a dead checker for a passed check.
"""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dagster_project.checks.results import ExpectationResult, SuiteResult
from dagster_project.checks.worker import ValidationWorker, serve
from dagster_project.errors import InfrastructureError


@pytest.fixture(scope="module")
def worker() -> Iterator[ValidationWorker]:
    with ValidationWorker() as client:
        yield client


def test_the_client_imports_neither_great_expectations_nor_duckdb(project_dir: Path) -> None:
    heavy = "{'great_expectations', 'duckdb', 'pandas'}"
    code = f"import sys, dagster_project.checks.worker; sys.exit(', '.join({heavy} & set(sys.modules)) or 0)"
    finished = subprocess.run([sys.executable, "-c", code], cwd=project_dir, check=False, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr


def test_it_answers_one_feed_after_another_with_full_results(worker: ValidationWorker, make_row: Any, make_batch: Any) -> None:
    good = worker.validate("payments", [make_batch("payments", [make_row("payments", 1)])])
    assert (good.feed, good.rows, good.passed, good.failed) == ("payments", 1, True, ())
    bad = worker.validate("refunds", [make_batch("refunds", [make_row("refunds", 7) | {"refund_amount": "-1"}])])
    assert not bad.passed
    assert [(line.rule, line.column, line.unexpected_count) for line in bad.failed] == [("refund_amount_is_in_range", "refund_amount", 1)]
    assert bad.failed[0].failing_keys == ({"batch_id": "b2", "record_number": "7", "refund_id": "K7"},)
    assert bad.failed[0].found == "record_number=7 refund_id=K7"


def test_a_request_that_cannot_run_is_an_error_and_the_worker_lives_on(
    worker: ValidationWorker, make_row: Any, make_batch: Any, tmp_path: Path
) -> None:
    with pytest.raises(InfrastructureError, match=r"checks of payments could not run: .*missing\.parquet"):
        worker.validate("payments", [tmp_path / "missing.parquet"])
    assert worker.validate("payments", [make_batch("payments", [make_row("payments", 1)])]).passed


def test_noise_on_stdout_does_not_reach_the_protocol_and_the_worker_ends_with_its_input(
    project_dir: Path, make_row: Any, make_batch: Any
) -> None:
    request = {"feed": "payments", "files": [str(make_batch("payments", [make_row("payments", 1)]))]}
    noisy = (
        "import os, sys; sys.argv = ['worker', '1', '1GB'];"
        "from dagster_project.checks import worker, results;"
        "import dagster_project.checks.validation as validation;"
        "real = validation.SuiteRunner.validate\n"
        "def loud(self, feed, files):\n"
        "    print('noise from python'); os.write(1, b'noise from C\\n'); sys.stdout.flush()\n"
        "    return real(self, feed, files)\n"
        "validation.SuiteRunner.validate = loud; worker.main()"
    )
    finished = subprocess.run(
        [sys.executable, "-c", noisy], cwd=project_dir, check=True, capture_output=True, text=True, input=json.dumps(request) + "\n"
    )
    (line,) = finished.stdout.splitlines()
    assert SuiteResult.from_json(json.loads(line)["result"]).passed
    assert "noise from python" in finished.stderr
    assert "noise from C" in finished.stderr


def test_a_killed_worker_is_an_infrastructure_error_and_never_a_passed_check(make_row: Any, make_batch: Any) -> None:
    file = make_batch("payments", [make_row("payments", 1)])
    with ValidationWorker() as client:
        os.kill(client._process.pid, signal.SIGKILL)
        for _ in range(2):  # the first hears of the death, the second finds a worker that is gone
            with pytest.raises(InfrastructureError, match=r"check worker (died|is gone) before payments was checked \(exit -9\)"):
                client.validate("payments", [file])


@pytest.fixture
def a_worker_that_runs(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Start another program in place of the worker."""

    def start(code: str, **options: Any) -> ValidationWorker:
        real = subprocess.Popen
        monkeypatch.setattr(subprocess, "Popen", lambda command, **given: real([sys.executable, "-c", code], **given))
        return ValidationWorker(**options)

    return start


def test_the_last_words_of_a_dead_worker_are_shown(a_worker_that_runs: Any, tmp_path: Path) -> None:
    with (
        a_worker_that_runs("import sys; sys.stdin.readline(); sys.exit('x' * 5000 + ' out of memory')") as client,
        pytest.raises(InfrastructureError) as caught,
    ):
        client.validate("tickets", [tmp_path / "x.parquet"])
    assert str(caught.value).endswith("out of memory")
    assert len(str(caught.value)) < 2_500


def test_half_an_answer_is_no_answer(a_worker_that_runs: Any, tmp_path: Path) -> None:
    code = """import sys; sys.stdin.readline(); sys.stdout.write('{"result": {"feed": "tickets"'); sys.stdout.flush()"""
    with a_worker_that_runs(code) as client, pytest.raises(InfrastructureError, match="died before tickets was checked"):
        client.validate("tickets", [tmp_path / "x.parquet"])


def test_a_worker_that_hangs_is_ended_after_its_time(a_worker_that_runs: Any, tmp_path: Path) -> None:
    with (
        a_worker_that_runs("import time; time.sleep(60)", timeout_seconds=0.2) as client,
        pytest.raises(InfrastructureError, match=r"did not answer within 0\.2 s and was ended before tickets"),
    ):
        client.validate("tickets", [tmp_path / "x.parquet"])


def test_closing_does_not_wait_for_the_import_and_may_be_repeated() -> None:
    client = ValidationWorker()
    client.close()
    client.close()
    assert client._process.returncode == -signal.SIGKILL


def test_a_closed_worker_says_so(tmp_path: Path) -> None:
    client = ValidationWorker()
    client.close()
    with pytest.raises(InfrastructureError, match="check worker is gone before tickets was checked"):
        client.validate("tickets", [tmp_path / "x.parquet"])


def test_the_protocol_answers_each_line_even_one_that_is_no_json(validation: Any, make_row: Any, make_batch: Any) -> None:
    good = json.dumps({"feed": "payments", "files": [str(make_batch("payments", [make_row("payments", 1)]))]})
    answers = io.StringIO()
    serve(io.StringIO(f"not json\n{good}\n"), answers, threads=1, memory_limit="1GB")
    first, second = (json.loads(line) for line in answers.getvalue().splitlines())
    assert first["error"].startswith("JSONDecodeError")
    assert second["result"]["rows"] == 1


def test_a_result_survives_the_trip_through_text() -> None:
    line = ExpectationResult(
        rule="has_rows", expectation="x", column=None, severity="warning", success=False, notes="n", failing_keys=({"batch_id": "1"},)
    )
    result = SuiteResult(feed="tickets", rows=3, seconds=0.5, expectations=(line,))
    assert SuiteResult.from_json(json.loads(json.dumps(result.to_json()))) == result
    assert result.passed
    assert result.failed == (line,)
    assert line.sentence() == "warning: has_rows (0 offenders): n"
