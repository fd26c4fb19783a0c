"""What Zendesk's records need before they are tables: an event of a ticket is split into changed fields and comments.

Declarations of the tables: `zendesk.yml`. It must not send a request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

_ABOUT = {
    *("id", "via", "via_reference_id", "type", "event_type", "previous_value", "comment_present", "comment_public"),
    *("added_tags", "removed_tags", "created_at", "metadata", "attachments", "author_id", "audit_id"),
}
"""Keys of a change that say where it came from; each other key is a field that got a value."""


def prepare(endpoint: str, record: dict[str, Any], _: Callable[[str], Any]) -> list[dict[str, Any]]:
    """Return the records that one record of an endpoint becomes.

    An event gets `fields` (field_name, value; one entry a field that was set) and `comments`.
    """
    if endpoint != "ticket_events":
        return [record]
    children = record.get("child_events") or []
    fields = [
        {"field_name": name, "value": value}
        for child in children
        if child.get("event_type") in {"Create", "Change"}
        for name, value in _fields(child)
    ]
    comments = [
        {**child, "is_voice": "true" if child.get("type") == "VoiceComment" else "false"}
        for child in children
        if child.get("event_type") == "Comment" and "body" in child
    ]
    return [{**record, "fields": fields, "comments": comments}]


def _fields(change: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in change.items():
        if name == "custom_ticket_fields" and isinstance(value, dict):
            yield from value.items()
        elif name not in _ABOUT:
            yield name, value
