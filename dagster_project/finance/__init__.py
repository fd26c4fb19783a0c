"""Finance: the monthly ROI extract, drawn from the published copy and from nothing else.

Holds fiscal months, the lines a controller reads, and the files with their hashes. It must not compute a figure that no
published table states, and no clock, path, host or run id may enter a file: the same copy gives the same bytes.
"""

__all__ = ["extract", "periods"]
