"""A plan as people read it. Holds its wording only."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagster_project.commands.plan import Plan


def report_of(found: Plan) -> str:
    """Return the plan as people read it; the refusals themselves are the error that ends the command."""
    aside = [str(part) for part in found.unread if not part.is_refused]
    unreadable = len(found.refusals) + sum(part.is_refused for part in found.unread)
    if not found.is_new:
        return "\n".join([f"nothing new{' that can be read' if aside or unreadable else ''}", *aside])
    lines = [f"home {found.home} is not there: a run would make it"] if found.home else []
    lines += [] if found.files else ["would read nothing new"]
    if found.files:
        lines += ["would read", f"  {'day':<10}  {'stream':<34}  {'files':>5}  {'records':>10}  {'kept out':>8}  why"]
        for item in found.files:
            late = f", late by {item.late_days} days" if item.late_days else ""
            counts = f"{item.files:>5}  {item.records:>10,}  {item.kept_out:>8,}"
            lines.append(f"  {item.day}  {item.stream:<34}  {counts}  {item.why}{late}")
        lines.append(f"for the feeds {', '.join(found.feeds)}" if found.feeds else "for no feed of its own")
    lines += [f"would take back {count:,} {'row' if count == 1 else 'rows'} of {feed}" for feed, count in found.withdrawn.items()]
    lines += [*aside, *found.warnings, *found.verdict]
    if found.is_stopped or any(part.is_broken for part in found.unread):
        refused = f"{unreadable:,} {'file' if unreadable == 1 else 'files'} refused"
        return "\n".join([*lines, f"would then stop and publish nothing: {refused if found.is_stopped else 'a mapping is wrong'}"])
    if unreadable:
        lines.append(f"would publish without what cannot be read: {unreadable:,}, see below")
    if found.rebuild_all:
        lines.append(f"would rebuild every month, because {found.rebuild_all}")
    elif found.months:
        lines += ["would rebuild these fiscal months", *(f"  {month:%Y-%m}  {why}" for month, why in found.months.items())]
    else:
        lines.append("would rebuild no month")
    if found.tables:
        lines.append(f"in {len(found.tables)} tables: {', '.join(found.tables)}")
    return "\n".join(lines)
