"""What Dagster loads: the one Definitions object of the project, put together in `orchestration.definitions`."""

from dagster_project.orchestration.definitions import defs

__all__ = ["defs"]
