"""Records as the systems document them, shortened to what is read."""

from __future__ import annotations

from typing import Any

Record = dict[str, Any]


def ticket(number: int, **more: Any) -> Record:
    return {
        "url": f"https://acme.zendesk.com/api/v2/tickets/{number}.json",
        "id": number,
        "external_id": None,
        "via": {"channel": "email", "source": {"from": {"address": "a@example.com", "name": "A"}, "to": {"name": "Help"}, "rel": None}},
        "created_at": "2026-11-20T08:00:00Z",
        "updated_at": f"2026-11-20T09:00:{number % 60:02d}Z",
        "type": "incident",
        "subject": "Printer",
        "description": "It burns.\nBadly.",
        "priority": "high",
        "status": "open",
        "recipient": "",
        "requester_id": 20978392,
        "submitter_id": 76872,
        "assignee_id": 235323,
        "organization_id": 509974,
        "group_id": 98738,
        "due_at": None,
        "has_incidents": False,
        "is_public": True,
        "tags": ["enterprise", "other_tag"],
        "custom_fields": [{"id": 27642, "value": "745"}],
        "followup_ids": [],
        "brand_id": 123,
        "allow_channelback": False,
        **more,
    }


def ticket_event(number: int, **more: Any) -> Record:
    return {
        "id": number,
        "ticket_id": 35436,
        "timestamp": 1_795_165_200 + number,
        "created_at": f"2026-11-20T09:00:{number:02d}Z",
        "updater_id": 235323,
        "via": "Web form",
        "system": {"client": "Mozilla/5.0"},
        "event_type": "Audit",
        "child_events": [
            {"id": 1, "via": "Web form", "via_reference_id": None, "status": "solved", "previous_value": "open", "event_type": "Change"},
            {"id": 2, "via": "Web form", "custom_ticket_fields": {"27642": "746"}, "event_type": "Change"},
            {"id": 3, "via": "Rule", "tags": ["a", "b"], "added_tags": ["b"], "removed_tags": [], "event_type": "Change"},
            {"id": 4, "comment_present": True, "comment_public": True, "event_type": "Comment"},
            {
                "id": 91048994488,
                "via": {"channel": "api"},
                "type": "Comment",
                "author_id": 5031726587,
                "body": "This is a comment",
                "public": True,
                "attachments": [],
                "audit_id": 91048994468,
                "created_at": "2026-11-20T09:00:01Z",
                "event_type": "Comment",
            },
        ],
        **more,
    }


def rating(number: int, **more: Any) -> Record:
    return {
        "id": number,
        "url": f"https://acme.zendesk.com/api/v2/satisfaction_ratings/{number}.json",
        "assignee_id": 135,
        "group_id": 44,
        "requester_id": 7881,
        "ticket_id": 208,
        "score": "offered",
        "comment": None,
        "reason": None,
        "created_at": "2026-11-19T10:00:00Z",
        "updated_at": "2026-11-19T10:00:00Z",
        **more,
    }


def call(number: int, **more: Any) -> Record:
    return {
        "id": number,
        "created_at": "2026-11-20T10:00:00Z",
        "updated_at": f"2026-11-20T10:05:{number:02d}Z",
        "agent_id": 3158,
        "call_charge": "0.003",
        "completion_status": "completed",
        "customer_id": 5614,
        "direction": "inbound",
        "duration": 61,
        "minutes_billed": 2,
        "talk_time": 40,
        "ticket_id": 31,
        "time_to_answer": 9,
        "voicemail": False,
        "wait_time": 12,
        "wrap_up_time": 5,
        **more,
    }


def order(number: int, **more: Any) -> Record:
    money = {"shop_money": {"amount": "9.50", "currency_code": "EUR"}, "presentment_money": {"amount": "9.50", "currency_code": "EUR"}}
    return {
        "id": number,
        "name": f"#{number}",
        "email": "bob@example.com",
        "created_at": "2026-11-20T10:00:00-05:00",
        "updated_at": f"2026-11-20T10:01:{number % 60:02d}-05:00",
        "processed_at": "2026-11-20T10:00:00-05:00",
        "cancelled_at": None,
        "currency": "EUR",
        "taxes_included": False,
        "subtotal_price": "190.00",
        "total_tax": "0.10",
        "total_price": "190.10",
        "total_line_items_price": "199.50",
        "total_discounts": "9.50",
        "financial_status": "partially_refunded",
        "fulfillment_status": None,
        "source_name": "web",
        "test": False,
        "tags": "vip, first order ",
        "note_attributes": [{"name": "channel", "value": "radio"}],
        "customer": {"id": 207119551, "email": "bob@example.com"},
        "billing_address": {"address1": "Chestnut Street 92", "country_code": "US", "latitude": 45.41634},
        "landing_site": "http://www.example.com?source=abc",
        "shipping_lines": [{"id": 369256396, "code": "Free", "discounted_price": "0.00", "price": "0.00", "title": "Free"}],
        "line_items": [
            {
                "id": 466157049,
                "product_id": 632910392,
                "variant_id": 39072856,
                "name": "IPod Nano - green",
                "title": "IPod Nano",
                "price": "199.00",
                "quantity": 1,
                "sku": "IPOD",
                "gift_card": False,
                "taxable": True,
                "total_discount": "0.00",
                "tax_lines": [{"price": "0.05", "rate": 0.06, "title": "State"}, {"price": "0.05", "rate": 0.06, "title": "City"}],
                "discount_allocations": [{"amount": "9.50", "discount_application_index": 0, "amount_set": money}],
            },
            {"id": 466157050, "product_id": None, "variant_id": None, "price": "0.50", "quantity": 1, "tax_lines": []},
        ],
        "refunds": [
            {
                "id": 509562969,
                "order_id": number,
                "created_at": "2026-11-21T00:30:00+01:00",
                "processed_at": "2026-11-21T00:30:00+01:00",
                "note": "it broke",
                "restock": True,
                "user_id": 799407056,
                "refund_line_items": [
                    {
                        "id": 104689539,
                        "line_item_id": 466157050,
                        "location_id": 487838322,
                        "quantity": 1,
                        "restock_type": "return",
                        "subtotal": 0.5,
                        "total_tax": 0.0,
                    }
                ],
                "order_adjustments": [
                    {
                        "id": 7,
                        "order_id": number,
                        "refund_id": 509562969,
                        "amount": "-1.00",
                        "tax_amount": "0.00",
                        "kind": "shipping_refund",
                    }
                ],
                "transactions": [
                    {"id": 179259969, "order_id": number, "kind": "refund", "gateway": "bogus", "status": "success", "amount": "0.50"}
                ],
            }
        ],
        **more,
    }


def product(number: int, **more: Any) -> Record:
    return {
        "id": number,
        "title": "IPod",
        "product_type": "Cult Products",
        "handle": "ipod",
        "vendor": "Apple",
        "created_at": "2026-11-01T00:00:00-05:00",
        "updated_at": "2026-11-01T00:00:00-05:00",
        "variants": [{"id": number * 10, "product_id": number, "inventory_item_id": number * 100, "price": "199.00", "sku": "IPOD"}],
        **more,
    }
