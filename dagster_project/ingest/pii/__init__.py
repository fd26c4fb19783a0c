"""Personal data: keyed hashes, masked text, and the register of forgotten persons as ingest applies it.

The key of the hashes never leaves this room except as bytes in memory. It must not read delivered files.
"""

__all__ = ["hash_key", "ids", "masking", "register"]
