"""The demo company as known systems export it: one SELECT per stream over the company's canonical files of a day.

Holds, per system, a folder of `<stream>.sql`, the true header of each stream (`headers.txt`) and the feeds that the system takes
over. It must not simulate anything, and it must not import ingest: a mapping that reads these files is written without it.
"""

__all__ = ["systems"]
