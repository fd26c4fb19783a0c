"""Analytics: final assets in pandas. One module a subject: read a frame, call a formula of `metrics`, write schema `analytics`.

A subject is a module with a `SUBJECT` (see `subject`), found by that name; `inputs` is what each is handed, `account_windows` the SQL of
months and trailing twelve months, `frames` the way between engine and pandas. Holds reading, writing and column lists; it does not know
which engine it has. It must not hold a formula (see `metrics`).
"""

__all__ = ["subject", "tables"]
