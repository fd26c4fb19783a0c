"""The sensor starts the daily job once for each state of the landing folder, and never while a file still grows."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from dagster_project.orchestration.automation import daily, new_deliveries

FILE = "canonical/refunds/2026-11-05/refunds.csv"


def deliver(house: Path, relative: str = FILE, text: str = "refund_id,order_id\nR1,O1\n") -> Path:
    path = house / "landing" / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


class Sensor:
    """Checks again and again, as the daemon does: the cursor of one check is given to the next."""

    def __init__(self, instance: dg.DagsterInstance, repository: dg.RepositoryDefinition) -> None:
        self.instance, self.repository, self.cursor = instance, repository, None

    def check(self) -> tuple[list[str], str]:
        """Return the run keys that were asked for and the reason why there are none."""
        context = dg.build_sensor_context(self.instance, cursor=self.cursor, repository_def=self.repository)
        ticked = new_deliveries.evaluate_tick(context)
        self.cursor = ticked.cursor
        return [str(request.run_key) for request in ticked.run_requests or ()], ticked.skip_message or ""


@pytest.fixture
def sensor(instance: dg.DagsterInstance, repository: dg.RepositoryDefinition, house: Path) -> Sensor:
    return Sensor(instance, repository)


def test_an_empty_landing_folder_starts_nothing(sensor: Sensor) -> None:
    assert sensor.check() == ([], "nothing new")


@pytest.mark.fault("D4")
def test_a_file_is_taken_when_two_looks_see_the_same_size_and_not_while_it_grows(sensor: Sensor, house: Path) -> None:
    path = deliver(house)
    keys, reason = sensor.check()
    assert keys == []
    assert "1 new file of 2026-11-05; the next check" in reason
    path.write_text(path.read_text() + "R2,O2\n")
    assert sensor.check()[0] == []
    assert len(sensor.check()[0]) == 1


def test_one_state_starts_one_run_and_a_changed_one_another(sensor: Sensor, house: Path, instance: dg.DagsterInstance) -> None:
    path = deliver(house)
    sensor.check()
    ((first,), _) = sensor.check()
    instance.create_run_for_job(_job(), status=dg.DagsterRunStatus.FAILURE, tags={"dagster/run_key": first})
    keys, reason = sensor.check()
    assert keys == []
    assert "repair them" in reason
    path.write_text("refund_id,order_id\nR1,O2,\n")
    sensor.check()
    ((second,), _) = sensor.check()
    assert second != first


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED])
def test_nothing_starts_while_a_run_is_starting_or_works(
    sensor: Sensor, house: Path, instance: dg.DagsterInstance, status: dg.DagsterRunStatus
) -> None:
    deliver(house)
    sensor.check()
    run = instance.create_run_for_job(_job(), status=status)
    assert sensor.check() == ([], f"run {run.run_id} is {status.value.lower()}")
    instance.report_run_failed(run)
    assert len(sensor.check()[0]) == 1


def test_a_file_outside_the_layout_stops_no_other(sensor: Sensor, house: Path) -> None:
    deliver(house, "canonical/refunds/yesterday/refunds.csv")
    assert sensor.check()[0] == [], "nothing that a run would read"
    deliver(house, "canonical/refunds/2026-01-02/refunds.csv")
    sensor.check()
    assert len(sensor.check()[0]) == 1


def _job() -> dg.JobDefinition:
    @dg.op
    def nothing() -> None:
        pass

    @dg.job(name=daily.name)
    def job() -> None:
        nothing()

    return job
