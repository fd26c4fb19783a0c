"""Engines behind one small interface: read frames in bounded chunks, write whole tables.

Holds connections and data movement only. It must not hold a formula, a path decision or Dagster.
"""
