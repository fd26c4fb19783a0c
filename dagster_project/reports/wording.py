"""How a page writes a figure, a month and the reason why a figure is unknown. Rounding happens here and nowhere before.

Holds words and number formats. It must not know HTML: the template escapes what it shows.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from dagster_project.contracts.currencies import decimals_of
from dagster_project.finance.periods import Period

__all__ = ["day_name", "instant_name", "month_name", "number", "reason_in_full", "reason_in_short", "what_would_tell"]
MONTHS = "January February March April May June July August September October November December".split()
REASONS = {
    "source_absent": ("source not delivered", "What it is made of was not delivered."),
    "fx_missing": ("no exchange rate", "An amount in it has no exchange rate."),
    "unit_cost_absent": ("no unit cost", "A line that was sold has no unit cost."),
    "not_qualified": ("a cost line unqualified", "A cost line does not say whether it varies with volume."),
    "zero_denominator": ("nothing to divide by", "There was nothing to divide by."),
    "zero_cost": ("no cost to divide by", "The service cost is 0, and nothing can be divided by it."),
    "no_service_cost": ("no cost to divide by", "The account has no service cost, and nothing can be divided by it."),
    "not_mature": ("too early to know", "It needs days that have not come, or orders from before the first delivered day."),
    "not_built": ("not measured yet", "This product does not measure it yet."),
    "not_measured": ("nobody measured it", "The source delivers the event, and not this measure of it."),
    "no_rows": ("nothing in the month", "The month has no row of it."),
    "no_history": ("no history of the ticket", "The desk delivered no events of the ticket."),
    "no_states": ("no states in the history", "The history of the ticket names no state."),
    "no_reply": ("no reply", "Nobody replied, so there is no time of a reply."),
    "unsolved": ("not solved", "It is not solved, so there is no time to a solution."),
    "schedule_absent": ("no opening hours", "No opening hours hold for it, so business time is unknown."),
    "agent_unknown": ("agent unknown", "The source of agents has no row of the agent."),
    "hire_date_absent": ("no first day employed", "The source of agents does not say when the agent began."),
    "hourly_cost_absent": ("no hourly cost", "An agent within the ramp has no hourly cost, or it has no exchange rate."),
    "pool_unknown": ("no cost pool", "The source does not say which cost pool carries it."),
    "n_below_30": ("fewer than 30", "It is of fewer than 30, too few to say anything."),
    "scale_unknown": ("scale of the answers unknown", "The answers do not say between which ends they are."),
    "no_responses": ("nobody answered", "Nobody answered in the period."),
    "weights_absent": ("no weights", "The assumptions have no weights of the ACSI."),
    "delivery_not_reported": ("delivery not reported", "The source does not say of any survey of the month when it was delivered."),
    "negative_values": ("some customers below zero", "Some customers brought less than nothing, and this measure needs positive values."),
    "total_not_positive": ("total not above zero", "The total is not above zero, so it has no shares."),
}
"""For each reason of the tables: the words of a cell, and a sentence."""
NO_REASON = ("not in the copy", "The published copy has no row of it.")
_REMEDIES = {
    "fx_missing": "fx_rates, with a rate for every currency and month",
    "unit_cost_absent": "order_lines, with the unit cost of every line",
    "not_mature": "orders from earlier days, or time",
    "not_built": "no source: it has to be built",
    "not_qualified": "ledger_actuals or budgets, with the cost_behaviour of every line",
    "not_measured": "a source that reports the measure, such as waits or rings",
    "schedule_absent": "business_hours, with a schedule that holds",
    "agent_unknown": "agents, with a row of each agent",
    "hire_date_absent": "agents, with the hire_date of every agent",
    "hourly_cost_absent": "agents, with the hourly cost of every agent",
    "pool_unknown": "tool_usage, with the pool_id of every tool",
    "no_states": "ticket_events, with the changes of state",
    "zero_denominator": "no source: there was nothing to count",
    "scale_unknown": "survey_responses, with both ends of the scale",
    "no_responses": "no source: nobody answered",
    "weights_absent": "assumptions, with the weights of the ACSI",
    "delivery_not_reported": "survey_invitations, with delivered_at",
}
_NOTHING = "no source"


def number(value: Decimal | float, unit: str, currency: str) -> str:
    """Write a value with its unit: money with the decimals of its currency, rates and shares in percent, ratios with two decimals."""
    if unit.startswith("money"):
        return f"{currency}\u00a0{_rounded(value, decimals_of(currency))}"
    if unit in ("rate", "share", "percent"):
        return f"{_rounded(100 * Decimal(str(value)), 1)}\u00a0%"
    if unit == "seconds":
        return f"{_rounded(value, 0)}\u00a0s"
    return _rounded(value, 0 if unit == "count" else 2)


def _rounded(value: Decimal | float, decimals: int) -> str:
    rounded = Decimal(str(value)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    return f"{rounded:,f}".replace("-", "\u2212") if rounded else f"{abs(rounded):,f}"


def reason_in_short(reason: str | None) -> str:
    """Return a few words for a cell; a reason that nobody gave words keeps its own."""
    return NO_REASON[0] if reason is None else REASONS.get(reason, (reason.replace("_", " "),))[0]


def reason_in_full(reason: str | None) -> str:
    """Return a sentence."""
    return NO_REASON[1] if reason is None else REASONS.get(reason, ("", f"Reason: {reason.replace('_', ' ')}."))[1]


def what_would_tell(reason: str | None, sources: str, present: Collection[str]) -> str:
    """Name what would make a figure known. `sources` as the registry has them: all of those by comma, any of those by `|`."""
    if reason != "source_absent":
        return _REMEDIES.get(reason or "", _NOTHING)
    needed = [feed.split("|") for feed in sources.split(",") if feed]
    missing = [choice for choice in needed if not set(choice) & set(present)]
    return "; ".join(" or ".join(choice) for choice in missing or needed) or _NOTHING


def month_name(period: Period) -> str:
    """Return `October 2026` for a calendar month; another fiscal month keeps its own name, with its days."""
    first, last = period.start_date, period.end_date
    if _is_calendar_month(period):
        return f"{MONTHS[first.month - 1]} {first.year}"
    return f"{period.label} ({day_name(first)} to {day_name(last)})"


def month_in_short(period: Period) -> str:
    """Return `Oct 26` for an axis, or `28 Sep 26`, its first day, of another fiscal month: no text of strangers, see `charts`."""
    first = period.start_date
    short = f"{MONTHS[first.month - 1][:3]} {first:%y}"
    return short if _is_calendar_month(period) else f"{first.day} {short}"


def day_name(day: date | str | None) -> str:
    """Return `1 November 2026`, also of a day in ISO 8601."""
    if isinstance(day, str):
        day = date.fromisoformat(day)
    return "no day" if day is None else f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def instant_name(instant: str) -> str:
    """Return `29 November 2026, 19:09 UTC` of an ISO 8601 instant."""
    at = datetime.fromisoformat(instant).astimezone(UTC)
    return f"{day_name(at.date())}, {at:%H:%M} UTC"


def _is_calendar_month(period: Period) -> bool:
    first, last = period.start_date, period.end_date
    return first.day == 1 and (first.year, first.month) == (last.year, last.month) and (last + timedelta(1)).day == 1
