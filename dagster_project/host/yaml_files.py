"""YAML that people write: read as plain values, within bounds, and whatever is wrong with it named by file and line.

Holds the reader. It must not know what a file says.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from dagster_project.errors import UsageError

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Reads plain values only, like `yaml.safe_load`, in the library's fast form where it has one."""
_DEEPEST = 50


def read_yaml(path: Path, what: str, remedy: str) -> Any:
    """Return the values of a file; `what` names its kind in messages. Values of the file are never in a message.

    Raises
    ------
    UsageError
        The file cannot be read, is not UTF-8 or no YAML, or is nested too deeply; names file, line and remedy.
    """
    try:
        text = path.read_text(encoding="utf-8")
        depth = 0
        for event in yaml.parse(text, LOADER):
            line = event.start_mark.line + 1 if event.start_mark else 1
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST:
                raise UsageError(f"{what} {path}:{line}: nested more than {_DEEPEST} deep; remedy: {remedy}")
        return yaml.load(text, LOADER)  # noqa: S506 - a safe loader either way
    except OSError as error:
        raise UsageError(f"{what} {path}: {error.strerror}; remedy: put a file there that this user can read") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{what} {path}: not UTF-8 at byte {error.start:,}; remedy: {remedy}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        at = "" if mark is None else f":{mark.line + 1}"
        raise UsageError(f"{what} {path}{at}: no YAML ({getattr(error, 'problem', None) or 'unreadable'}); remedy: {remedy}") from error
