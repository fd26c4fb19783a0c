"""What many companies have today, well written: one pandas script per subject over the same canonical files.

Holds reading and facts, cost, and accounts, in vectorised pandas and numpy. It must not import the product.
"""
