"""`HOME/reports/index.html`: the first page to look at, of the served copy. One file without script, font or reference.

The same copy gives the same bytes. What draws it is imported only where a page is written, since most commands write none.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project.errors import InfrastructureError, ServiceRoiError
from dagster_project.host.disk import full_disk, no_room
from dagster_project.host.escaping import escaped
from dagster_project.publish.versions import Pointer, sync

if TYPE_CHECKING:
    from dagster_project.reports.charts import Chart
    from dagster_project.reports.reading import Contents

_TEMPLATE = "page.html.j2"
_HEAD_BYTES = 1_000


def path_of(home: Path) -> Path:
    """Return the path of the page."""
    return home / "reports" / "index.html"


def shows(home: Path, pointer: Pointer) -> bool:
    """Tell whether the page is there and of this published copy."""
    try:
        with path_of(home).open("rb") as file:
            return _mark(pointer).encode() in file.read(_HEAD_BYTES)
    except OSError:
        return False


def write_page(home: Path) -> Path:
    """Write the page of the served copy, in one atomic replacement, and return its path.

    Raises
    ------
    UsageError
        Nothing is published yet.
    InfrastructureError
        The copy is damaged or lacks a table, or the file cannot be drawn or written. The copy stays served, an older page stays as it is.
    """
    from dagster_project.publish.reader import served
    from dagster_project.reports.reading import read_contents

    path = path_of(home)
    with served(home) as (connection, pointer):
        try:
            _replace(path, render(read_contents(connection, pointer)))
        except Exception as error:
            if (words := full_disk(error)) is not None:
                raise no_room(home, words, f"{path} was not written, published copy {pointer.seq} stays served") from error
            raise InfrastructureError(
                f"{path} was not written: {_cause(error)}; published copy {pointer.seq} stays served; remedy: make {path.parent} a folder"
                " that this user may write, then run again (--debug shows where it ended)"
            ) from error
    return path


def render(contents: Contents) -> str:
    """Return the page as HTML; every text of the copy in it is escaped, control characters too."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    from dagster_project.reports import wording

    def safe(value: Any) -> Any:
        return escaped(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, finalize=safe, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.globals.update(
        mark=_mark(contents.pointer),
        drawn={name: (Markup(chart.svg), chart.legend) for name, chart in _charts(contents).items()},  # noqa: S704  escaped by vl-convert
        **{name: getattr(wording, name) for name in wording.__all__},
    )
    return environment.get_template(_TEMPLATE).render(page=contents)


def _charts(contents: Contents) -> dict[str, Chart]:
    from dagster_project.reports import charts, wording

    months = [wording.month_in_short(month) for month in contents.months]

    def values(*metrics: str) -> dict[str, Any]:
        return {contents.labels.get(name, name): [contents.figure(name, month).value for month in contents.months] for name in metrics}

    return {
        "money": charts.lines("Service cost and margin by month", months, values("service_cost", "contribution_margin"), "money"),
        "units": charts.lines("Unit costs by month", months, values("cost_per_ticket", "cost_per_call", "cost_per_interaction"), "money"),
        "retention": charts.lines("Retention by month", months, values("customer_retention_rate", "customer_retention_90_rate"), "percent"),
        "curve": charts.curve("Share of net revenue that the best customers bring", contents.curve),
    }


def _mark(pointer: Pointer) -> str:
    return f"{pointer.stem} of {pointer.published_at}"


def _cause(error: Exception) -> str:
    if isinstance(error, OSError):
        return str(error.strerror)
    return str(error) if isinstance(error, ServiceRoiError) else f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}"


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.tmp")
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as handle:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync(path.parent)
