"""Questions to the published copy and their printed answers, as `sql` and `metrics` give them."""

from __future__ import annotations

from dagster_project.commands.terminal import note
from dagster_project.errors import UsageError
from dagster_project.publish.contents import Question, columns_of, every_table
from dagster_project.publish.limits import Limits
from dagster_project.publish.reader import query
from dagster_project.settings import Settings

OLDER_FIGURES = 7
"""Exit code of an answer from an older copy, given because the served one is damaged."""


def one_question(statement: str | None, *, tables: bool, describe: str | None) -> str | Question:
    """Return the one thing that is asked: a statement, the list of tables, or the columns of one.

    Raises
    ------
    UsageError
        Nothing is asked, or more than one thing.
    """
    asked = [statement, every_table if tables else None, None if describe is None else columns_of(describe)]
    questions = [question for question in asked if question is not None]
    if len(questions) != 1:
        raise UsageError('sql takes one of: a statement, --tables, --describe TABLE; example: service-roi sql "select 1"')
    return questions[0]


def answer(settings: Settings, question: str | Question, output_format: str) -> None:
    """Print what the published copy answers; exit code 7 when an older one did."""
    older = list[str]()
    limits = Limits(settings.sql_seconds, settings.sql_memory_limit, settings.sql_disk_limit)
    query(settings.home, question, output_format, warn=older.append, limits=limits, is_own_process=True)
    if older:
        note("\n".join(f"older figures: {message}" for message in older))
        raise SystemExit(OLDER_FIGURES)
