"""Mapping: the YAML and the SELECTs of a source system, the sandbox they run in, and how a header differs from what is expected.

It must not open a delivered file or write into the lake.
"""

__all__ = ["drift", "limits", "sandbox", "streams", "systems"]
