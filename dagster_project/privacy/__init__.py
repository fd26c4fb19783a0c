"""The right to be forgotten: one account erased from the landing folder and from HOME, with a certificate.

Holds the operation over both folders: who is meant, which delivered records speak of them, rewriting files, purging what follows from
them, proof. What ingest does with personal values, and with forgotten ids that come again, is in `ingest`.
"""

__all__ = ["forget"]
