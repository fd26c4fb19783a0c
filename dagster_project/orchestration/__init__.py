"""Orchestration: what Dagster runs, and one daily run from the command line.

Holds the run's context, the assets, jobs, schedules, sensors and alerts. An asset reads, calls its room, writes and reports; no formula, no
SQL of a mart and no parsing of arguments belongs here. This is the only room that imports Dagster; `run` decides without it.
"""

__all__ = ["definitions", "instance", "run"]
