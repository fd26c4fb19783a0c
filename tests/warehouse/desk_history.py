"""A desk made at random over a change of the clock, and its figures reckoned event by event in Python: shares no code with the models."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

Row = dict[str, Any]
HOURS = {
    "default": ("Europe/Berlin", {day: [(480, 720), (780, 1020)] for day in range(1, 6)}),
    "billing": ("America/New_York", {day: [(540, 1140)] for day in range(1, 7)}),
    "night": ("Asia/Kolkata", {day: [(0, 120), (1320, 1440)] for day in range(1, 8)}),
}
HOLIDAYS = {("default", date(2025, 4, 1)), ("billing", date(2025, 3, 28))}
DEPARTMENTS = ("support", "billing", "shipping")
STATES = ("open", "pending", "on_hold", "solved", "closed")
OPEN = ("new", "open", "on_hold")


def feeds(seed: int, count: int = 60) -> dict[str, list[Row]]:
    """Make tickets of late March 2025, when the clocks of Europe change, with histories of up to 14 events."""
    random = Random(seed)
    tickets, events = [], []
    for number in range(count):
        created = datetime(2025, 3, 27, tzinfo=UTC) + timedelta(seconds=random.randrange(4 * 86400))
        name, at = f"T{number}", created
        tickets.append(
            {"ticket_id": name, "account_id": "a", "created_at": created.isoformat(), "ticket_state": "open", "channel": "email"}
        )
        events.append(_event(name, 0, created, "created", actor_role="customer", new_value="new", department_id="support"))
        for at_number in range(1, random.randrange(1, 15)):
            at += timedelta(seconds=random.choice([1, 60, 3600, 30_000, 90_000]) * random.randrange(1, 4))
            events.append(_event(name, at_number, at, **_what(random)))
    hours = [
        # Hours of 2015 without an end are replaced by those of 2020, which reach into them; a second shift of 2021 replaces nothing.
        {"schedule_id": schedule, "valid_from_date": since, "weekday": day, "start_minutes": opens, "end_minutes": end, "time_zone": zone}
        for schedule, (zone, week) in HOURS.items() for day, spans in week.items() for shift, (start, end) in enumerate(spans)
        for since, opens in (("2015-01-01", start - 30), ("2021-01-01" if shift else "2020-01-01", start))
    ]  # fmt: skip
    days = [{"schedule_id": schedule, "holiday_date": day.isoformat()} for schedule, day in sorted(HOLIDAYS)]
    return {"accounts": [{"account_id": "a"}], "tickets": tickets, "ticket_events": events, "business_hours": hours, "holidays": days}


def _event(ticket: str, number: int, at: datetime, event_type: str, **more: Any) -> Row:
    return {"ticket_id": ticket, "event_number": number, "event_at": at.isoformat(), "event_type": event_type, **more}


def _what(random: Random) -> Row:
    kind = random.choice(["status_change"] * 3 + ["department_change"] * 3 + ["assignment", "public_comment", "public_comment", "blocked",
                         "unblocked", "info_rerequested", "internal_note", "field_change"])  # fmt: skip
    role = random.choice(["agent", "agent", "customer", "bot"])
    if kind == "status_change":
        return {"event_type": kind, "actor_role": role, "new_value": random.choice(STATES)}
    if kind == "department_change":
        return {"event_type": kind, "actor_role": role, "new_value": random.choice(DEPARTMENTS)}
    if kind == "assignment":
        return {"event_type": kind, "actor_role": role, "new_value": random.choice(["anna", "ben", None])}
    if kind == "blocked":
        return {"event_type": kind, "actor_role": role, "blocked_reason": random.choice(["parts", None])}
    if kind == "field_change":
        return {"event_type": kind, "actor_role": role, "field_name": "schedule_id", "new_value": random.choice(["night", "nowhere"])}
    return {"event_type": kind, "actor_role": role}


def opened(schedule: str, start: datetime, end: datetime) -> int:
    """Count the business seconds of a schedule between two instants, day by day."""
    zone, week = HOURS[schedule]
    total, day = 0.0, start.astimezone(ZoneInfo(zone)).date() - timedelta(days=1)
    while day <= end.astimezone(ZoneInfo(zone)).date():
        for first, last in week.get(day.isoweekday(), []):
            if (schedule, day) in HOLIDAYS:
                continue
            edges = [_instant(day, minutes, ZoneInfo(zone)) for minutes in (first, last)]
            total += max(0.0, (min(edges[1], end) - max(edges[0], start)).total_seconds())
        day += timedelta(days=1)
    return int(total)


def _instant(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    local = datetime.combine(day + timedelta(days=minutes // 1440), time(minutes % 1440 // 60, minutes % 60), zone)
    return local.astimezone(UTC)


def reckon(rows: dict[str, list[Row]]) -> dict[str, Row]:
    """Figures of each ticket, by walking through its events."""
    return {
        ticket["ticket_id"]: _ticket([e for e in rows["ticket_events"] if e["ticket_id"] == ticket["ticket_id"]])
        for ticket in rows["tickets"]
    }


def _ticket(events: list[Row]) -> Row:
    now = {"state": "new", "department": "support", "agent": None, "blocked": None, "named": None}
    steps: list[tuple[datetime, dict[str, Any]]] = []
    messages = [(datetime.fromisoformat(events[0]["event_at"]), "customer")]
    asked_again = []
    for event in events:
        at, kind, value = datetime.fromisoformat(event["event_at"]), event["event_type"], event.get("new_value")
        if kind == "status_change":
            now["state"] = value
        elif kind == "department_change":
            now["department"] = value
        elif kind == "assignment":
            now["agent"] = value
        elif kind in ("blocked", "unblocked"):
            now["blocked"] = None if kind == "unblocked" else event.get("blocked_reason") or "unknown"
        elif kind == "field_change":
            now["named"] = value
        elif kind == "public_comment":
            messages.append((at, event["actor_role"]))
        elif kind == "info_rerequested":
            asked_again.append(at)
        if not steps or dict(now) != steps[-1][1]:
            steps.append((at, dict(now)))
    last = datetime.fromisoformat(events[-1]["event_at"])
    ends = [*(at for at, _ in steps[1:]), last]
    spans = [(at, end, state, _schedule(state)) for (at, state), end in zip(steps, ends, strict=True)]
    return {
        "intervals": [(s["state"], s["department"], s["agent"], s["blocked"], sch, int((e - a).total_seconds()), opened(sch, a, e))
                      for a, e, s, sch in spans],
        **_sums(spans), **_moves(steps, asked_again), **_replies(messages, spans),
    }  # fmt: skip


def _schedule(state: dict[str, Any]) -> str:
    return next(name for name in (state["named"], state["department"], "default") if name in HOURS)


def _sums(spans: list[Any]) -> Row:
    def total(states: tuple[str, ...]) -> tuple[int, int]:
        chosen = [(a, e, sch) for a, e, s, sch in spans if s["state"] in states]
        return int(sum((e - a).total_seconds() for a, e, _ in chosen)), sum(opened(sch, a, e) for a, e, sch in chosen)

    states = [s["state"] for _, _, s, _ in spans]
    solved = [n for n, state in enumerate(states) if state in ("solved", "closed")]
    starts = [n for n in solved if n == 0 or states[n - 1] not in ("solved", "closed")]

    def until(number: int | None) -> tuple[int | None, int | None]:
        if number is None:
            return None, None
        before = spans[:number]
        return int(sum((e - a).total_seconds() for a, e, _, _ in before)), sum(opened(sch, a, e) for a, e, _, sch in before)

    return {
        "requester_wait": total(OPEN), "agent_wait": total(("pending",)), "on_hold": total(("on_hold",)),
        "blocked": int(sum((e - a).total_seconds() for a, e, s, _ in spans if s["blocked"])),
        "first_resolution": until(starts[0] if starts else None),
        "cycle": until(starts[-1] if solved and solved[-1] == len(spans) - 1 else None),
        "reopens": sum(1 for n in range(1, len(states)) if states[n - 1] in ("solved", "closed") and states[n] in (*OPEN, "pending")),
    }  # fmt: skip


def _moves(steps: list[Any], asked_again: list[datetime]) -> Row:
    moved = [(at, before["department"], state["department"]) for (_, before), (at, state) in pairwise(steps)
             if before["department"] != state["department"]]  # fmt: skip
    lost = 0
    for number, (at, _, _) in enumerate(moved):
        limit = min([at + timedelta(days=1), *([moved[number + 1][0] - timedelta(seconds=1)] if number + 1 < len(moved) else [])])
        lost += any(at < again <= limit for again in asked_again)
    ping_pongs = sum(1 for one, other in pairwise(moved) if other[2] == one[1])
    agents = [state["agent"] for _, state in steps]
    stations = sum(1 for n, agent in enumerate(agents) if agent and (n == 0 or agents[n - 1] != agent))
    return {"handoffs": len(moved), "ping_pongs": ping_pongs, "lost": lost, "stations": stations}


def _replies(messages: list[tuple[datetime, str]], spans: list[Any]) -> Row:
    def business(start: datetime, end: datetime) -> int:
        ends = [*(e for _, e, _, _ in spans[:-1]), datetime.max.replace(tzinfo=UTC)]
        return sum(
            opened(sch, max(a, start), min(e, end)) for (a, _, _, sch), e in zip(spans, ends, strict=True) if max(a, start) < min(e, end)
        )

    created = messages[0][0]
    first = next((at for at, role in messages if role == "agent"), None)
    waiting, total, total_business = None, 0, 0
    for at, role in messages:
        if role == "customer" and waiting is None:
            waiting = at
        elif role == "agent" and waiting is not None:
            total, total_business, waiting = total + int((at - waiting).total_seconds()), total_business + business(waiting, at), None
    replied = None if first is None else (int((first - created).total_seconds()), business(created, first))
    return {"first_reply": replied, "total_reply": None if first is None else (total, total_business)}
