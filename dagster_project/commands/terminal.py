"""What the command line shows: lines and the progress of a run.

On the way addresses and numbers of persons are masked (names of files have them), and control characters are escaped.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

from dagster_project.errors import UsageError
from dagster_project.host.escaping import escaped_lines
from dagster_project.masking import masked

STAGES = 13
"""Stages of a run, for the progress bar."""


def _shown(text: object) -> str:
    return escaped_lines(masked(str(text), "message"))


def show(text: object) -> None:
    """Print the result of a command."""
    typer.echo(_shown(text))


def note(text: object) -> None:
    """Print to stderr what is no result: progress, warnings, errors."""
    typer.echo(_shown(text), err=True)


def confirm(question: str, option: str) -> None:
    """Go on only when who sits at the terminal says yes.

    Raises
    ------
    UsageError
        The answer is no, or there is no terminal to ask on; `option` is what says yes beforehand.
    """
    if not sys.stdin.isatty():
        raise UsageError(f"nothing was done: there is no terminal to ask on; remedy: add {option} to go on without being asked")
    if not typer.confirm(question, err=True):
        raise UsageError(f"nothing was done: the answer was no; remedy: answer y, or add {option}")


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Show a bar on a terminal, plain lines with seconds elsewhere; a run tells lines that are masked already."""
    start = time.perf_counter()
    if not sys.stderr.isatty():
        yield lambda message: typer.echo(escaped_lines(f"{time.perf_counter() - start:6.1f} s  {message}"), err=True)
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("run", total=STAGES)

        def report(message: str) -> None:
            text = escaped_lines(message)
            if len(text) < 40:
                bar.update(task, description=escape(text), advance=1)
            else:
                bar.console.print(text, markup=False)

        yield report
