"""Columns that several feeds share."""

from __future__ import annotations

from demo_company.codes import CHANNELS, CURRENCIES, DEPARTMENTS, LANGUAGES, SCHEDULES, SITES
from demo_company.files import Code, Column, Day, Decimals, Flag, Identifier, Instant, Whole

ACCOUNT, CONTACT = Identifier("A", 7), Identifier("C", 8)
TICKET, INTERACTION, ORDER = Identifier("T", 9), Identifier("I", 9), Identifier("O", 9)
AGENT, OFFER, PRODUCT, INVITATION = Identifier("AG", 5), Identifier("F", 8), Identifier("P", 4), Identifier("V", 9)
CURRENCY, CHANNEL, DEPARTMENT, SITE, LANGUAGE = Code(CURRENCIES), Code(CHANNELS), Code(DEPARTMENTS), Code(SITES), Code(LANGUAGES)
SCHEDULE = Code(SCHEDULES)
MONEY, PRICE, QUANTITY, SCORE = Decimals(2), Decimals(4), Decimals(3), Decimals(4)
AT, DATE, FLAG, WHOLE = Instant(), Day(), Flag(), Whole()
UPDATED: dict[str, Column] = {"source_updated_at": AT}
