"""Commands: the command line, and what it runs that is no layer of the pipeline, one module a command.

`cli` parses arguments, shows lines and sets the exit code; the others are functions that it calls. No layer may import this room.
"""

__all__ = ["cli", "documentation"]
