"""The finance extract of the latest complete month as a Dagster asset."""

from collections.abc import Iterator

import dagster as dg

from dagster_project.finance.extract import extract
from dagster_project.finance.periods import latest_complete, over_but_waiting
from dagster_project.orchestration.runtime import Runtime
from dagster_project.publish.reader import served


@dg.asset(key=["finance", "roi_extract"], deps=[["published", "current"]], group_name="finance", kinds={"csv", "parquet"}, pool="warehouse")
def roi_extract(runtime: dg.ResourceParam[Runtime]) -> Iterator[dg.MaterializeResult[None]]:
    """Write the extract of the latest complete month that has figures; a company without one gets none.

    It is the last step of a run, so a run that could not read some files ends here, with their names.
    """
    home = runtime.settings.home
    with runtime.stage("extract"):
        with served(home) as (connection, _):
            period = latest_complete(connection)
            runtime.outcome["waiting"] = over_but_waiting(connection)
        if period is not None:
            runtime.outcome["extract"] = extract(home, period.label).folder
    yield dg.MaterializeResult(metadata={"extract": str(runtime.outcome.get("extract", "no complete month yet"))})
    if runtime.unread is not None:
        runtime.error = runtime.unread
        raise dg.Failure(str(runtime.unread), allow_retries=False)
