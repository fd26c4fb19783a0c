"""The command `service-roi`: thin commands over the same functions that Dagster's jobs call.

Holds argument parsing, progress lines and exit codes. Heavy modules are imported inside the command that needs them.
"""

from __future__ import annotations

import io
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dagster_project.commands.ending import message_of
from dagster_project.commands.options import EngineName, FiscalCalendar, Format, Home, Landing, Output
from dagster_project.commands.terminal import confirm, note, progress, show
from dagster_project.host.disk import full_disk_reported
from dagster_project.host.temporary import temporary_files_within
from dagster_project.settings import Settings, load_settings, require_home

if TYPE_CHECKING:
    from dagster_project.orchestration.run import RunReport

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help="Customer-service ROI warehouse.")


def _version(*, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        show(f"service-roi {version('service-roi')}")
        raise typer.Exit


@app.callback()
def command_line(
    version: Annotated[
        bool, typer.Option("--version", callback=lambda value: _version(wanted=value), is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Customer-service ROI warehouse."""


@app.command()
def run(
    landing: Landing = None,
    home: Home = None,
    until: Annotated[str | None, typer.Option(help="Ignore deliveries after this day, YYYY-MM-DD.")] = None,
    full_refresh: Annotated[bool, typer.Option("--full-refresh", help="Rebuild the warehouse from the lake.")] = False,
    engine: Annotated[EngineName | None, typer.Option(help="Where models are built (ROI_ENGINE); spark needs its extra.")] = None,
) -> None:
    """Bring everything new in the landing folder through to a published copy and the latest finance extract."""
    from dagster_project.orchestration.run import RanWithoutFiles, run_daily

    settings = load_settings(landing=landing, home=home, until=until, engine=engine)
    for name, given in (("home", home), ("landing", landing)):
        if given is None:
            origin = f"from ROI_{name.upper()}" if name in settings.model_fields_set else "the default"
            note(f"{name} {getattr(settings, name)} ({origin}; another: --{name} DIR)")
    try:
        with temporary_files_within("run"), progress() as report:
            finished = run_daily(settings, full_refresh=full_refresh, report=report)
    except RanWithoutFiles as error:
        _show_report(settings, error.report)
        raise
    _show_report(settings, finished)


def _show_report(settings: Settings, report: RunReport) -> None:
    if report.is_new:
        from dagster_project.reports.summary import summary

        show(summary(settings, report.outcome, report.warnings))
    elif report.sequence is not None:
        every = f"every delivery that can be read; {report.unread:,} files cannot, see above," if report.unread else "every delivery"
        show(f"nothing new: published copy {report.sequence} already holds {every} in {settings.landing}")


@app.command()
def fetch(source: Annotated[str, typer.Argument(help="Name of a source in the file of ROI_CONNECTORS.")], landing: Landing = None) -> None:
    """Deliver what is new at a source (database, object storage, Zendesk, Shopify) into the landing folder."""
    from dagster_project.connectors.fetch import fetch as deliver

    settings = load_settings(landing=landing)
    delivered = deliver(settings, source, report=note)
    show(f"{sum(delivered.values()):,} rows delivered to {settings.landing}" if delivered else f"nothing new at {source}")


@app.command()
def plan(
    landing: Landing = None,
    home: Home = None,
    until: Annotated[str | None, typer.Option(help="Ignore deliveries after this day, YYYY-MM-DD.")] = None,
    full_refresh: Annotated[bool, typer.Option("--full-refresh", help="As if the warehouse were rebuilt from the lake.")] = False,
    engine: Annotated[EngineName | None, typer.Option(help="Where models would be built (ROI_ENGINE).")] = None,
) -> None:
    """Show which feeds, days, tables and months a run would change, and why, without changing anything."""
    from dagster_project.commands.plan import plan as find_out
    from dagster_project.commands.plan_text import report_of

    found = find_out(load_settings(landing=landing, home=home, until=until, engine=engine), full_refresh=full_refresh)
    show(report_of(found))
    found.raise_if_refused()


@app.command("try-mapping")
def try_mapping(
    file: Annotated[Path, typer.Argument(help="One exported file.")],
    system: Annotated[str, typer.Option("--system", help="Name of the mapping, e.g. zendesk.")],
    stream: Annotated[
        str | None, typer.Option("--stream", help="Stream of the file; else found by its path or guessed by its header.")
    ] = None,
) -> None:
    """Show what a mapping makes of one file: rows, refused records with reasons, first typed rows; nothing is written."""
    from dagster_project.assumptions import load_assumptions
    from dagster_project.commands.try_mapping import try_mapping as walk

    settings = load_settings()
    trial = walk(settings, load_assumptions(settings.assumptions), file, system, stream)
    show("\n".join(trial.lines()))
    if trial.is_refused:
        raise SystemExit(3)


@app.command()
def template(
    feeds: Annotated[list[str], typer.Argument(help="Names of feeds, e.g. tickets ledger_actuals.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the files.")] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")] = False,
) -> None:
    """Write FEED.csv (header and one example row) and FEED.md (what the contract says of each column)."""
    from dagster_project.commands.template import write_templates

    show("\n".join(str(path) for path in write_templates(feeds, out.expanduser(), force=force)))


@app.command()
def sql(
    statement: Annotated[str | None, typer.Argument(help="One SQL statement.")] = None,
    home: Home = None,
    output: Output = Format.table,
    tables: Annotated[bool, typer.Option("--tables", help="List the tables with their rows and what a row is.")] = False,
    describe: Annotated[str | None, typer.Option("--describe", help="List the columns of a table with type and meaning.")] = None,
) -> None:
    """Query the published copy: read-only, no access to files from SQL. Exit code 7: the answer is older, the served copy is damaged."""
    from dagster_project.commands.answering import answer, one_question

    answer(_home_of_a_run(home), one_question(statement, tables=tables, describe=describe), output.value)


metrics = typer.Typer(no_args_is_help=True)
app.add_typer(metrics, name="metrics", help="Metrics of the published copy: what there is, and the figures of one.")


@metrics.command("list")
def list_metrics(home: Home = None, output: Output = Format.table) -> None:
    """Show every metric with its unit, its cuts and its formula."""
    from dagster_project.commands.answering import answer
    from dagster_project.commands.metrics import LIST

    answer(_home_of_a_run(home), LIST, output.value)


@metrics.command("query")
def query_metric(
    metric: Annotated[str, typer.Argument(help="A metric of `metrics list`.")],
    by: Annotated[str, typer.Option(help="month and cuts of the metric, by comma; without month the latest complete one.")] = "month",
    period: Annotated[str, typer.Option(help="month, trailing_12 or to_date, where the metric has it.")] = "month",
    home: Home = None,
    output: Output = Format.table,
) -> None:
    """Show the figures of a metric by month and cut; more than one cut together needs the extra `metrics`."""
    from dagster_project.commands.answering import answer
    from dagster_project.commands.metrics import figures_sql

    settings = _home_of_a_run(home)
    answer(settings, figures_sql(settings.home, metric, by, period), output.value)


@app.command()
def demo(
    landing: Landing = None,
    accounts: Annotated[int, typer.Option(help="Number of accounts.")] = 400,
    months: Annotated[int, typer.Option(help="Number of fiscal months.")] = 27,
    seed: Annotated[int, typer.Option(help="Seed; the same seed gives the same bytes.")] = 7,
    concentration: Annotated[str, typer.Option(help="80/20: 80 % of the value comes from 20 % of the accounts.")] = "80/20",
    calendar: Annotated[FiscalCalendar, typer.Option(help="Fiscal calendar.")] = FiscalCalendar.calendar,
    faults: Annotated[str, typer.Option(help="Faults to do to the files, by comma, or all (docs/demo-company-faults.md).")] = "",
    systems: Annotated[str, typer.Option(help="Systems to export as, by comma: zendesk, shopify, quickbooks, qualtrics.")] = "",
) -> None:
    """Write the demo company's landing files, its truth.json and its truth tables."""
    from dagster_project.commands.demo import write_demo

    show(
        write_demo(
            load_settings(landing=landing).landing, accounts, months, seed,
            concentration=concentration, calendar=calendar.value, faults=_names(faults), systems=_names(systems),
        )
    )  # fmt: skip


def _names(listed: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in listed.split(",") if name.strip())


def _home_of_a_run(home: Path | None, **others: object) -> Settings:
    """Return the settings where a run has made the home; only `run` makes one."""
    settings = load_settings(home=home, **others)
    require_home(settings)
    return settings


@app.command()
def rollback(sequence: Annotated[int, typer.Argument(help="Number of an older published copy.")], home: Home = None) -> None:
    """Publish the content of an older copy again, as a new copy: history stays a line."""
    from dagster_project.host.lock import warehouse_lock
    from dagster_project.publish.rollback import rollback as publish_again
    from dagster_project.reports.page import write_page

    settings = _home_of_a_run(home)
    with warehouse_lock(settings.ops, f"rollback {sequence}"):
        done = publish_again(settings.home, sequence, run_id=f"rollback-{sequence}")
        write_page(settings.home)
    if done.is_new:
        show(f"published copy {done.pointer.seq} holds the content of copy {sequence}")
    else:
        show(f"copy {sequence} is the one that is served already; nothing was published")


@app.command()
def doctor(home: Home = None, landing: Landing = None) -> None:
    """Find and repair what a crash left; verify the published copy against its pointer."""
    from dagster_project.commands.doctor import examine

    settings = _home_of_a_run(home, landing=landing)
    with full_disk_reported(settings.home):
        findings = examine(settings)
    show("\n".join(findings.lines))
    if not findings.is_healthy:
        raise SystemExit(5)


@app.command()
def extract(period: Annotated[str, typer.Argument(help="Fiscal month: its own name, or YYYY-MM.")], home: Home = None) -> None:
    """Write the finance extract of a complete month from the published copy; what differs becomes its next version."""
    from dagster_project.finance.extract import extract as write_extract

    written = write_extract(_home_of_a_run(home).home, period)
    show(f"extract {'written to' if written.is_new else 'unchanged:'} {written.folder}")


@app.command()
def forget(
    account_id: Annotated[str, typer.Argument(help="The account as the source names it.")],
    landing: Landing = None,
    home: Home = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show which delivered records would be erased, and erase nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Erase without asking.")] = False,
) -> None:
    """Erase an account from the landing folder and from HOME; its sums stay under a pseudonym. Writes a certificate."""
    from dagster_project.privacy.forget import forget as erase
    from dagster_project.privacy.forget import preview

    settings = load_settings(landing=landing, home=home)
    if dry_run or not yes:
        found = preview(settings, account_id)
        show("\n".join(found.lines()))
        if dry_run:
            return
        confirm("erase these records for good?", "--yes")
    kept = "what was erased stays erased, and forgetting the account again goes on from there"
    with full_disk_reported(settings.home, kept), temporary_files_within("forget"), progress() as report:
        certificate = erase(settings, account_id, report=report)
    records = sum(certificate.content["records_removed"].values())
    show(f"forgotten: {records:,} delivered records removed, nothing found in {certificate.content['proof']['bytes']:,} bytes")
    show(f"certificate {certificate.path}")


def main() -> None:
    """Run the command line; an error ends it with one line and its exit code, and with a stack trace only if --debug is given."""
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names and values that the terminal cannot show end no command
            stream.reconfigure(errors="backslashreplace")
    try:
        app(args=arguments, prog_name="service-roi")
    except Exception as error:
        message, code = message_of(error)
        note("".join(traceback.format_exception(error)) if debug else message)
        raise SystemExit(code) from None


if __name__ == "__main__":
    main()
