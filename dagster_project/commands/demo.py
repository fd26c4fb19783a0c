"""The command that writes the demo company. Its package is next to the product in the repository and in no wheel."""

from __future__ import annotations

from pathlib import Path

from dagster_project.errors import UsageError


def write_demo(
    landing: Path,
    accounts: int,
    months: int,
    seed: int,
    *,
    concentration: str,
    calendar: str,
    faults: tuple[str, ...],
    systems: tuple[str, ...],
) -> str:
    """Write the company's landing files and its truth, with a progress bar; return the sentence that says so.

    Raises
    ------
    UsageError
        The package is not there, a fault or a system has no such name, or the numbers fit no company.
    """
    try:
        from demo_company.behaviour import behaviour_of
        from demo_company.company import write_company
        from demo_company.progress import months_bar
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "demo_company":
            raise
        raise UsageError(
            "the demo company is not part of the installed package; remedy: run service-roi demo in a clone of the repository,"
            " or set PYTHONPATH to one"
        ) from None
    with months_bar() as report:
        write_company(
            landing,
            accounts,
            months,
            seed,
            calendar=calendar,
            behaviour=behaviour_of(concentration),
            report=report,
            faults=faults,
            systems=systems,
        )
    return f"demo company of {accounts} accounts over {months} months written to {landing}"
