"""Faults of deliveries: what real sources do wrong, done on purpose to the clean files of a company, each recorded in its truth.

Holds one module per subject of fault, the files they work on (`landing`), what is recorded (`entries`) and the word list
(`catalogue`). It works on the text of files that are already written and knows nothing of the simulation; like the whole
demo company it must not import ingest or anything else that reads the files.
"""

__all__ = ["catalogue"]
