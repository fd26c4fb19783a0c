"""The ingest of the tests of ingest, for accounts that are to be forgotten."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_SPEC = importlib.util.spec_from_file_location("ingest_conftest", Path(__file__).parents[1] / "ingest" / "conftest.py")
assert _SPEC is not None
assert _SPEC.loader is not None
_INGEST = importlib.util.module_from_spec(_SPEC)
sys.modules[_SPEC.name] = _INGEST
_SPEC.loader.exec_module(_INGEST)
make_ingest, ingest = _INGEST.make_ingest, _INGEST.ingest
