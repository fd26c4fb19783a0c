"""The first page to look at as a Dagster asset."""

import dagster as dg

from dagster_project.orchestration.runtime import Runtime
from dagster_project.reports.page import write_page
from dagster_project.reports.summary import headline


@dg.asset(key=["reports", "index"], deps=[["published", "current"]], group_name="reports", kinds={"html"}, pool="warehouse")
def report_page(runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult[None]:
    """Write the page of the published copy; where that fails the run says so, and the copy stays served."""
    with runtime.stage("report"):
        path = runtime.outcome["report"] = write_page(runtime.settings.home)
    return dg.MaterializeResult(metadata={"page": dg.MetadataValue.path(path), **headline(runtime.settings.home)})
