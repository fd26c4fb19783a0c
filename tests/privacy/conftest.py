"""The door of the tests of the door, for accounts that are to be forgotten."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_SPEC = importlib.util.spec_from_file_location("door_conftest", Path(__file__).parents[1] / "ingest" / "conftest.py")
assert _SPEC is not None
assert _SPEC.loader is not None
_DOOR = importlib.util.module_from_spec(_SPEC)
sys.modules[_SPEC.name] = _DOOR
_SPEC.loader.exec_module(_DOOR)
make_door, door = _DOOR.make_door, _DOOR.door
