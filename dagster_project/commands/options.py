"""Options that several commands share, and the words that some of them take.

Holds declarations for the command line; no command.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

Home = Annotated[Path | None, typer.Option("--home", help="Folder of the lake, the warehouse and the published copies (ROI_HOME).")]
Landing = Annotated[Path | None, typer.Option("--landing", help="Folder with the delivered files (ROI_LANDING).")]


class Format(StrEnum):
    """How `sql` prints a result."""

    table = "table"
    csv = "csv"
    json = "json"


Output = Annotated[Format, typer.Option("--format", help="How to print the result.")]


class EngineName(StrEnum):
    """What holds the warehouse while it is built."""

    duckdb = "duckdb"
    spark = "spark"


class FiscalCalendar(StrEnum):
    """Kinds of fiscal calendar of the demo company."""

    calendar = "calendar"
    weeks = "4-4-5"
