"""The finance extract of the latest complete month as a Dagster asset."""

import dagster as dg

from dagster_project.finance.extract import extract
from dagster_project.finance.periods import latest_complete
from dagster_project.publish.reader import served
from dagster_project.resources import Runtime


@dg.asset(key=["finance", "roi_extract"], deps=[["published", "current"]], group_name="finance", kinds={"csv", "parquet"}, pool="warehouse")
def roi_extract(runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult[None]:
    """Write the extract of the latest complete month that has figures; a company without one gets none."""
    home = runtime.settings.home
    with runtime.stage("extract"):
        with served(home) as (connection, _):
            period = latest_complete(connection)
        if period is None:
            return dg.MaterializeResult(metadata={"extract": "no complete month yet"})
        runtime.outcome["extract"] = extract(home, period.label)
    return dg.MaterializeResult(metadata={"extract": str(runtime.outcome["extract"])})
