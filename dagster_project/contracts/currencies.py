"""How many decimals the minor unit of a currency has (ISO 4217): money is a whole number of minor units."""

from __future__ import annotations

from decimal import Decimal

WITHOUT_DECIMALS = (
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF",
)  # fmt: skip
WITH_THREE_DECIMALS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
DECIMALS = dict.fromkeys(WITHOUT_DECIMALS, 0) | dict.fromkeys(WITH_THREE_DECIMALS, 3)
"""Decimals of the currencies that do not have two."""


def decimals_of(currency_code: str) -> int:
    """Return the decimals of the minor unit of a currency."""
    return DECIMALS.get(currency_code, 2)


def as_money(amount: Decimal, currency_code: str) -> Decimal:
    """Write an amount with the decimals of its currency; one that has more keeps them."""
    written = amount.quantize(Decimal(1).scaleb(-decimals_of(currency_code)))
    return written if written == amount else amount
