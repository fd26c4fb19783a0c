"""A bar of the months done on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_LINES = 4
"""Plain lines at most, so that a log stays short."""


@contextmanager
def months_bar(console: Console | None = None) -> Iterator[Callable[[int, int], None]]:
    """Give a function that hears the months done and the months in all."""
    console = console or Console(stderr=True)
    if not console.is_terminal:

        def plain(done: int, total: int) -> None:
            if done == total or done % max(total // _LINES, 1) == 0:
                console.print(f"demo company: {done} of {total} months", highlight=False)

        yield plain
        return
    columns = (TextColumn("demo company"), BarColumn(), MofNCompleteColumn(), TextColumn("months"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("months", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
