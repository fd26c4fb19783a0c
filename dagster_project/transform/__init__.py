"""The dbt project as one Dagster definition: parse once per change of its files, build in process.

Holds the bridge to dbt and nothing else; SQL lives in `dbt/`.
"""

__all__ = ["increment", "preview", "project"]
