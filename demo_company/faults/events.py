"""Faults of what the records say happened: customers, tickets, calls and budgets that contradict or change earlier deliveries."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from demo_company.draws import Draws
from demo_company.faults.entries import Entry
from demo_company.faults.landing import Landing, Row, Table, drawn, key

_FORM = "%Y-%m-%d %H:%M:%SZ"
_ZONE = ZoneInfo("Europe/Berlin")
_HOUR = 3_600


def _instant(text: str) -> datetime:
    return datetime.strptime(text, _FORM).replace(tzinfo=UTC)


def _evening_before(day: str) -> str:
    """Instant at which a version delivered on a day was made."""
    return f"{date.fromisoformat(day) - timedelta(days=1)} 23:00:00Z"


def orphan_accounts(landing: Landing, draws: Draws) -> list[Entry]:
    """Withhold the row of an account that has orders, tickets and contacts: its money and its cost must not be lost."""
    accounts = landing.largest("accounts")
    buyers = {row["account_id"] for delivery in landing.free("orders") for row in landing.read(delivery).rows}
    table = landing.read(accounts)
    known = [row for row in table.rows if row["account_id"] in buyers] or table.rows
    account = known[drawn(draws, len(known))]["account_id"]
    table.rows = [row for row in table.rows if row["account_id"] != account]
    landing.add("accounts", accounts.day, accounts.path.name, table.text())
    return [landing.entry("accounts", accounts.path, "warned", None, "account is known", [account])]


def merged_accounts(landing: Landing, draws: Draws) -> list[Entry]:
    """Merge an account into another on one day and undo it on the last."""
    delivery = landing.smallest("accounts")
    rows = landing.read(delivery).rows
    position = drawn(draws, len(rows))
    account, surviving = rows[position]["account_id"], rows[position - 1]["account_id"]
    entries = []
    for day, name, target in (
        (landing.next_day(delivery.day), "account_merges.csv", surviving),
        (landing.days[-1], "account_merges-undone.csv", account),
    ):
        row = {"from_account_id": account, "to_account_id": target, "merged_at": _evening_before(day), "merge_reason": "duplicate"}
        path = landing.add("account_merges", day, name, Table(list(row), [row]).text())
        entries.append(landing.entry("account_merges", path, "unchanged", None, "totals before = after", [key("account_merges", row)]))
    return entries


def deleted_tickets(landing: Landing, draws: Draws) -> list[Entry]:
    """Delete a solved ticket at the source, and merge another into a third."""
    chosen = _solved_tickets(landing, draws, 3)
    deleted = chosen[0] | {"ticket_state": "deleted", "is_deleted": "true"}
    merged = chosen[1] | {"ticket_state": "merged", "merged_into_ticket_id": chosen[2]["ticket_id"]}
    return [_new_versions(landing, "tickets-deleted.csv", [deleted, merged], "unchanged", "cost stays")]


def merge_cycle(landing: Landing, draws: Draws) -> list[Entry]:
    """Merge two tickets into each other."""
    one, other = _solved_tickets(landing, draws, 2)
    versions = [
        ticket | {"ticket_state": "merged", "merged_into_ticket_id": target["ticket_id"]} for ticket, target in ((one, other), (other, one))
    ]
    return [_new_versions(landing, "tickets-cycle.csv", versions, "warned", "chain of merges ends")]


def _solved_tickets(landing: Landing, draws: Draws, count: int) -> list[Row]:
    tickets = [row for row in landing.read(landing.largest("tickets")).rows if row["ticket_state"] in ("solved", "closed")]
    return [landing.one_of(tickets, draws) for _ in range(count)]


def _new_versions(landing: Landing, name: str, rows: list[Row], outcome: Literal["unchanged", "warned"], rule: str) -> Entry:
    day = landing.days[-1]
    path = landing.add_rows("tickets", day, name, [row | {"source_updated_at": _evening_before(day)} for row in rows])
    return landing.entry("tickets", path, outcome, "D10", rule, [key("tickets", row) for row in rows])


def handle_time_outliers(landing: Landing, draws: Draws) -> list[Entry]:
    """Leave a call open over a weekend: fifty hours of talk."""
    delivery = landing.smallest("interactions", at_least=3)
    table = landing.read(delivery)
    answered = [row for row in table.rows if row["answered_at"]]
    row = landing.one_of(answered, draws)
    row.update(talk_seconds=str(50 * _HOUR), hold_seconds="0")
    row["ended_at"] = (_instant(row["answered_at"]) + timedelta(hours=50)).strftime(_FORM)
    landing.add("interactions", delivery.day, delivery.path.name, table.text())
    return [landing.entry("interactions", delivery.path, "warned", None, "winsorised for the driver of cost", [key("interactions", row)])]


def overlapping_shifts(landing: Landing, draws: Draws) -> list[Entry]:
    """Book each state of an agent's day with twenty hours: together they are more than a day has."""
    delivery = landing.smallest("agent_time", at_least=10)
    table = landing.read(delivery)
    days = Counter((row["agent_id"], row["work_date"]) for row in table.rows)
    model = landing.one_of([row for row in table.rows if days[row["agent_id"], row["work_date"]] > 1], draws)
    rows = [row for row in table.rows if (row["agent_id"], row["work_date"]) == (model["agent_id"], model["work_date"])]
    for row in rows:
        row["state_seconds"] = str(20 * _HOUR)
    landing.add("agent_time", delivery.day, delivery.path.name, table.text())
    names = [key("agent_time", row) for row in rows]
    return [landing.entry("agent_time", delivery.path, "warned", None, "day_has_at_most_24_hours", names)]


def dst_nights(landing: Landing, _: Draws) -> list[Entry]:
    """Move a call into each European night in which the clocks change, its instants written in local time with their offset."""
    entries = []
    for night in _clock_changes(landing.days[0], landing.days[-1]):
        for delivery in landing.free("interactions", after=night.date().isoformat()):
            table = landing.read(delivery)
            calls = [row for row in table.rows if row["channel"] == "phone" and not row["ticket_id"] and _same_month(row, night)]
            if calls:
                _move(calls[0], night - timedelta(seconds=90))
                landing.add("interactions", landing.take(delivery).day, delivery.path.name, table.text())
                records = [key("interactions", calls[0])]
                entries.append(landing.entry("interactions", delivery.path, "unchanged", "F15", "instant with its offset", records))
                break
    if not entries:
        landing.too_small("a call without a ticket in a month in which the European clocks change")
    return entries


def _clock_changes(first: str, last: str) -> list[datetime]:
    """Instants between two days at which the offset of central Europe changes: 01:00 UTC on the last Sunday of March and October."""
    found = []
    for year in range(int(first[:4]) - 1, int(last[:4]) + 1):
        for month in (3, 10):
            end = date(year, month, 31)
            sunday = end - timedelta(days=(end.weekday() + 1) % 7)
            if sunday.isoformat() < last:
                found.append(datetime(year, month, sunday.day, 1, tzinfo=UTC))
    return found


def _same_month(row: Row, night: datetime) -> bool:
    return row["started_at"][:7] == f"{night:%Y-%m}"


def _move(row: Row, start: datetime) -> None:
    by = start - _instant(row["started_at"])
    for name in ("started_at", "queued_at", "answered_at", "ended_at"):
        if row[name]:
            row[name] = (_instant(row[name]) + by).astimezone(_ZONE).isoformat(sep=" ")


def restated_budget(landing: Landing, _: Draws) -> list[Entry]:
    """Restate the rest of the last year in the middle of its last month: a third version, 7 % higher."""
    budgets = [row for delivery in landing.free("budgets") for row in landing.read(delivery).rows]
    version = max(row["budget_version_id"] for row in budgets)
    day = landing.days[-1]
    month = _evening_before(day)[:7]
    restated = {"budget_version_id": f"{version[:-1]}3", "version_state": "restated", "source_updated_at": _evening_before(day)}
    rows = [
        row | restated | {"version_effective_at": f"{month}-15 00:00:00Z", "budget_amount": _raised(row["budget_amount"])}
        for row in budgets
        if row["budget_version_id"] == version and row["fiscal_period"] >= month
    ]
    path = landing.add_rows("budgets", day, "budgets-restated.csv", rows)
    return [landing.entry("budgets", path, "unchanged", "D9", "version by its effective date", [key("budgets", row) for row in rows])]


def _raised(amount: str) -> str:
    return str((Decimal(amount) * 107 / 100).quantize(Decimal("0.01")))
