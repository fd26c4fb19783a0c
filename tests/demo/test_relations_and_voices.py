"""Touches, referrals, feedback, changes, rights, surveys of staff: truth is their recount, and rows agree with the other feeds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.demo.company_files import by_month, said

COUNTS = {
    "touches_planned": ("account_touches where touch_kind <> 'glitch'", "planned_at"),
    "touches_done": ("account_touches where touch_kind <> 'glitch' and done_at is not null", "planned_at"),
    "touches_missed": ("account_touches where touch_state = 'missed'", "planned_at"),
    "glitches_opened": ("account_touches where touch_kind = 'glitch'", "planned_at"),
    "glitches_closed": ("account_touches where touch_kind = 'glitch' and touch_state = 'done'", "done_at"),
    "referrals": ("referrals", "referred_at"),
    "referred_accounts": ("referrals where referred_account_id is not null", "referred_at"),
    "organic_referred_accounts": ("referrals where referred_account_id is not null and incentive_amount is null", "referred_at"),
    "testimonials": ("referrals where testimonial_url is not null", "referred_at"),
    "feedback_received": ("feedback_items", "received_at"),
    "feedback_routed": ("feedback_items where routed_at is not null", "received_at"),
    "feedback_accepted": ("feedback_items where accepted_at is not null", "received_at"),
    "changes_shipped": ("product_changes where shipped_at is not null", "shipped_at"),
    "answered_before_third_ring": ("interactions where channel = 'phone' and answered_at is not null and ring_count <= 2", "started_at"),
}
LAWS = {
    "a touch is of an account that had joined": "account_touches join accounts using (account_id) where created_at > planned_at",
    "a glitch says what went wrong": "account_touches where (touch_kind = 'glitch') <> (glitch_kind is not null)",
    "a touch is done at an instant": "account_touches where (touch_state = 'done') <> (done_at is not null)",
    "a referred account came by referral after the word": (
        "referrals r join accounts a on a.account_id = r.referred_account_id "
        "where a.acquisition_source <> 'referral' or a.created_at < r.referred_at"
    ),
    "nobody refers himself, and an account is won once": (
        "(select referred_account_id, count(*) as times, bool_or(referrer_account_id = referred_account_id) as self from referrals "
        "where referred_account_id is not null group by 1) where self or times > 1"
    ),
    "feedback is about a ticket of the same product": (
        "feedback_items f left join tickets t using (ticket_id) where t.ticket_id is null or f.product_id <> t.product_id"
    ),
    "feedback goes its way in order": "feedback_items where routed_at < received_at or accepted_at < coalesce(routed_at, received_at)",
    "what is accepted has a change of its product": (
        "feedback_items f left join product_changes c using (product_change_id) "
        "where f.accepted_at is not null and (c.product_id is null or c.product_id <> f.product_id)"
    ),
    "a right is of a tier or of an account": "entitlements where (account_id is null) = (customer_tier is null)",
    "a score is on its scale": "reputation_scores where reputation_score not between scale_min and scale_max",
    "a mean is on its scale": "staff_surveys where mean_score not between scale_min and scale_max",
    "quartiles are in order": "benchmarks where not (lower_quartile_value < median_value and median_value < upper_quartile_value)",
    "a country of an account has a ring cadence": "accounts left join ring_cadence using (country_code) where ring_cycle_seconds is null",
}


@pytest.mark.parametrize("name", COUNTS)
def test_counts_are_those_of_the_files(name: str, company: tuple[Path, dict[str, Any]], files: duckdb.DuckDBPyConnection) -> None:
    rest, at = COUNTS[name]
    found = by_month(files, f"select strftime({at}, '%Y-%m'), count(*) from {rest} group by 1")
    assert found == said(company[1], "counts", name)
    assert found


@pytest.mark.parametrize("law", LAWS)
def test_rows_agree_with_the_other_feeds(law: str, files: duckdb.DuckDBPyConnection) -> None:
    assert files.execute(f"select count(*) from {LAWS[law]}").fetchone() == (0,)


def test_rights_change_once(files: duckdb.DuckDBPyConnection) -> None:
    """Tier B is promised an answer in half the time from the middle on, and its first row ends on that day."""
    rows = files.execute("""select valid_to_date = lead(valid_from_date) over (order by valid_from_date), response_target_minutes
        from entitlements where customer_tier = 'B' order by valid_from_date""").fetchall()
    assert rows == [(True, 240), (None, 120)]


def test_answers_of_staff_are_their_sums(company: tuple[Path, dict[str, Any]], files: duckdb.DuckDBPyConnection) -> None:
    found = files.execute("""
        select quarter_start_date::varchar, item_key, sum(answers_count), coalesce(sum(answers_count) filter (answers_count >= 5), 0),
            coalesce(sum(answers_count * mean_score * 10000) filter (answers_count >= 5), 0)
        from staff_surveys group by all""").fetchall()
    rows = {(quarter, item): tuple(int(value) for value in values) for quarter, item, *values in found}
    truth = company[1]["staff_answers"]
    assert rows == {
        (quarter, item): (sums["answers"], sums["shown_answers"], sums["shown_score"])
        for quarter, items in truth.items()
        for item, sums in items.items()
    }
    assert list(truth) == ["2026-04-01", "2026-07-01"] or list(truth) == ["2026-07-01"]
