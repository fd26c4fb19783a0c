"""Contracts: what each feed holds, read from the ODCS files in `expectations/contracts`.

Holds the model of a contract and its loader. It must not read a delivered file or know a source system; every layer may import it.
"""

__all__ = ["currencies", "model"]
