"""Writes the mapping of a small system, as a user would lay it out."""

from __future__ import annotations

from pathlib import Path


def write_system(mappings: Path, name: str, yml: str, **selects: str) -> Path:
    """Write `<name>.yml` and one `.sql` for each SELECT below MAPPINGS/<name>; return MAPPINGS."""
    folder = mappings / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.yml").write_text(yml, encoding="utf-8")
    for feed, sql in selects.items():
        (folder / f"{feed}.sql").write_text(sql, encoding="utf-8")
    return mappings
