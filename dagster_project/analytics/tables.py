"""The tables of schema `analytics`, as the subjects declare them: their columns, and which of them hold rows of a month."""

from dagster_project.analytics.subject import SCHEMA, subjects

TABLES = {name: table.columns for subject in subjects() for name, table in subject.writes.items()}
"""Tables of schema `analytics`."""
MONTHLY = tuple(f"{SCHEMA}.{name}" for subject in subjects() for name, table in subject.writes.items() if table.is_monthly)
"""Those whose rows belong to a month and stay when nothing from that month on has changed."""
