"""Landing: the delivered files as they are found, whether each is complete, and the manifest next to it.

It must not read a file's records or know a feed.
"""

__all__ = ["inventory", "manifests", "stability", "walking"]
