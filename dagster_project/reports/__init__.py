"""Reports: pages for people, drawn from the published copy and from nothing else.

Holds the first page, `HOME/reports/index.html`: what it reads, the words for figures and reasons, the charts and the template. It must
not compute a figure that no published table states; rounding, titles and layout are its own. No page loads a script, a font or a file.
"""

__all__ = ["page", "summary"]
