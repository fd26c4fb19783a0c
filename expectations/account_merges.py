"""Checks of the batch of `account_merges`, grain one merge of two accounts, or its undoing."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import RESERVED_ACCOUNTS, from_contract, no_result, no_row

FEED = "account_merges"
_RESERVED = ", ".join(f"'{name}'" for name in RESERVED_ACCOUNTS)


def expectations() -> list[Expectation]:
    """Return the suite of the feed."""
    return [
        *from_contract(FEED),
        no_row(
            FEED,
            "accounts_are_real",
            f"from_account_id in ({_RESERVED}) or to_account_id in ({_RESERVED})",
            "a merge with a pseudo-account would move customers into unallocated cost, or the reverse",
            column="from_account_id",
        ),
        no_result(
            "merges_make_no_circle",
            "with recursive latest as (select batch_id, from_account_id, arg_max(to_account_id, merged_at) as to_account_id, "
            "arg_max(record_number, merged_at) as record_number from {batch} "
            "where is_deleted is distinct from true group by batch_id, from_account_id), "
            "steps as (select * from latest where to_account_id <> from_account_id), "
            "walk as (select * from steps union select walk.batch_id, walk.from_account_id, steps.to_account_id, walk.record_number "
            "from walk join steps on steps.batch_id = walk.batch_id and steps.from_account_id = walk.to_account_id) "
            "select batch_id, record_number, from_account_id from walk where from_account_id = to_account_id",
            "the latest merge of a circle holds and the account it leads to survives; if two are the latest, each account stays itself",
            severity="warning",
            column="to_account_id",
        ),
    ]
