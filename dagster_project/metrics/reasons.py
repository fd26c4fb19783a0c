"""Why a figure is not known: of several cases the first that applies, as a code or as its word.

Holds the choice only. It must not hold a formula or a word of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

KNOWN = -1
Codes = NDArray[np.int8]


def first_case(cases: Iterable[tuple[pd.Series, str]], words: Sequence[str]) -> Codes:
    """Return, row by row, the position in `words` of the first case that applies, `KNOWN` where none does; a case is flags and a word."""
    flags, named = zip(*cases, strict=True)
    return np.select([flag.to_numpy(bool) for flag in flags], [words.index(word) for word in named], KNOWN).astype(np.int8)


def first_code(codes: Iterable[Codes]) -> Codes:
    """Return, row by row, the first code that names a reason, `KNOWN` where none does."""
    found, *others = codes
    for other in others:
        found = np.where(found == KNOWN, other, found).astype(np.int8)
    return found


def worded(codes: Codes, words: Sequence[str], index: pd.Index) -> pd.Series:
    """Return the words of the codes, NA where `KNOWN`."""
    return pd.Series(pd.Categorical.from_codes(codes, dtype=pd.CategoricalDtype(list(words))), index)
