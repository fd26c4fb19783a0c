"""What a published copy depends on, as one hash: accepted batches, assumptions, code and models.

Equal fingerprints mean that a run would change nothing. Standard library, the ledger and the assumptions only.
"""

from __future__ import annotations

import hashlib

from dagster_project.assumptions import load_assumptions
from dagster_project.ledger.store import Ledger
from dagster_project.settings import PROJECT_DIR, Settings

_ACCEPTED = """
select system, stream, delivery_date, sha256, reader_hash, status from deliveries
where status in ('accepted', 'duplicate') order by 1, 2, 3, 4, 5, 6
"""
_CODE = frozenset({".py", ".sql", ".yml", ".yaml", ".md", ".csv"})


def code_hash() -> str:
    """SHA-256 of the code and models that turn inputs into marts; a changed definition is a reason to run again."""
    digest = hashlib.sha256()
    for folder in ("dagster_project", "dbt", "expectations"):
        for path in sorted((PROJECT_DIR / folder).rglob("*")):
            if path.suffix in _CODE and "target" not in path.parts:
                digest.update(str(path.relative_to(PROJECT_DIR)).encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def inputs_hash(settings: Settings, ledger: Ledger) -> str:
    """SHA-256 over the accepted deliveries, the assumptions and the code."""
    digest = hashlib.sha256()
    for row in ledger.rows(_ACCEPTED):
        digest.update(("\t".join(map(str, row)) + "\n").encode())
    digest.update(load_assumptions(settings.assumptions).content_hash().encode())
    digest.update(code_hash().encode())
    return digest.hexdigest()
