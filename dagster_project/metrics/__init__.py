"""The maths: functions of arrays and frames, named in and named out.

Holds formulas, their registry entry and their sources. It must not hold I/O, a clock, a global that changes,
SQL, Dagster or any other package of this project; numpy, pandas, pydantic and the standard library only.
Money is int64 minor units (thousandths of the reporting currency); float64 appears only where a ratio is meant.
"""

__all__ = ["concentration", "reasons", "registry", "retention", "roi", "tiers"]
