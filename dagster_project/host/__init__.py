"""Host: what the machine gives a process: disk space, locks, processes and their memory, temporary folders, safe terminal text, YAML files.

Holds no word of the domain and imports nothing of the project but its errors; every other room may use it.
"""

__all__ = ["disk", "escaping", "lock", "process_memory", "temporary", "yaml_files"]
