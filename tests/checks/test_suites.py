"""Every expectation refuses the data it was written against, and only that.

What breaks if these fail: a bad batch is loaded and published, or a sound one is refused.
"""

from __future__ import annotations

import runpy
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagster_project.contracts.model import feeds, load_contract

if TYPE_CHECKING:
    from dagster_project.checks.validation import SuiteRunner

Row = dict[str, str | None]
MakeRow = Callable[[str, int], Row]
MakeBatch = Callable[..., Path]

AT = "2026-01-05 {}+00"
_TABLES = [runpy.run_path(str(path)) for path in sorted(Path(__file__).with_name("offenders").glob("*.py"))]  # tests are no package
ROW_OFFENDERS: dict[str, dict[str, list[Row]]] = {feed: rules for table in _TABLES for feed, rules in table["ROWS"].items()}
BATCH_OFFENDERS: dict[tuple[str, str], Row] = {rule: change for table in _TABLES for rule, change in table["BATCHES"].items()}

STRUCTURAL_RULES = {"columns_match_contract", "types_match_contract", "has_rows"}


def contract_offenders(feed: str, sound_key: Row) -> dict[str, list[Row]]:
    """Offending changes for the rules that follow from the contract."""
    offenders: dict[str, list[Row]] = {
        "system_columns_are_present": [{"row_hash": None}],
        "key_is_unique_in_batch": [sound_key],
    }
    for column in load_contract(feed).columns:
        if column.required:
            offenders[f"{column.name}_is_present"] = [{column.name: None}]
        if column.valid_values:
            offenders[f"{column.name}_is_in_closed_list"] = [{column.name: "no such value"}]
        if column.pattern:
            offenders[f"{column.name}_matches_pattern"] = [{column.name: "eur"}, {column.name: "EURO"}]
        outside = []
        if column.minimum is not None:
            outside.append(column.minimum - 1)
        if column.exclusive_minimum is not None:
            outside.append(column.exclusive_minimum)
        if column.maximum is not None:
            outside.append(column.maximum + 1)
        if outside:
            offenders[f"{column.name}_is_in_range"] = [{column.name: str(value)} for value in outside]
    if "account_id" in load_contract(feed).names:
        names = ("ACCOUNT_UNKNOWN", "NON_CUSTOMER", "UNALLOCATED", "UNUSED_CAPACITY")
        offenders["account_name_is_not_reserved"] = [{"account_id": name} for name in names]
    return offenders


@pytest.mark.parametrize("feed", feeds())
def test_a_sound_batch_passes_every_expectation(feed: str, runner: SuiteRunner, make_row: MakeRow, make_batch: MakeBatch) -> None:
    result = runner.validate(feed, [make_batch(feed, [make_row(feed, number) for number in range(60)])])
    assert result.failed == ()
    assert result.passed
    assert (result.feed, result.rows) == (feed, 60)


@pytest.mark.parametrize("feed", feeds())
def test_each_row_rule_counts_and_names_exactly_its_own_offenders(
    feed: str, runner: SuiteRunner, make_row: MakeRow, make_batch: MakeBatch
) -> None:
    sound = [make_row(feed, number) for number in range(100)]
    key = {name: sound[0][name] for name in load_contract(feed).primary_key}
    offenders = contract_offenders(feed, key) | ROW_OFFENDERS[feed]
    rows, expected = list(sound), dict[str, set[str]]()
    for rule, changes in offenders.items():
        for change in changes:
            row = make_row(feed, len(rows)) | change
            rows.append(row)
            expected.setdefault(rule, set()).add(str(row["record_number"]))

    result = runner.validate(feed, [make_batch(feed, rows)])

    assert {line.rule for line in result.failed} == set(expected)
    for line in result.failed:
        assert line.unexpected_count == len(offenders[line.rule]), line.rule
        assert {key["record_number"] for key in line.failing_keys} == {None if n == "None" else n for n in expected[line.rule]}, line.rule


@pytest.mark.parametrize(("feed", "rule"), sorted(BATCH_OFFENDERS))
def test_each_batch_rule_fails_alone(feed: str, rule: str, runner: SuiteRunner, make_row: MakeRow, make_batch: MakeBatch) -> None:
    rows = [make_row(feed, number) | BATCH_OFFENDERS[feed, rule] for number in range(3)]
    result = runner.validate(feed, [make_batch(feed, rows)])
    assert [(line.rule, line.unexpected_count) for line in result.failed] == [(rule, 1)]
    assert result.passed, "it is a warning: reported, never blocking"


def test_one_row_in_fifty_may_lack_a_customer_and_not_more(runner: SuiteRunner, make_row: MakeRow, make_batch: MakeBatch) -> None:
    rows = [make_row("tickets", number) for number in range(100)]
    for number in (0, 1):
        rows[number]["account_id"] = None
    assert runner.validate("tickets", [make_batch("tickets", rows)]).failed == ()
    rows[2]["account_id"] = None
    (line,) = runner.validate("tickets", [make_batch("tickets", rows)]).failed
    assert line.failing_keys == ({"batch_id": "b2", "nameless_share": "0.03"},)


def test_the_first_offenders_are_the_same_in_every_run(runner: SuiteRunner, make_row: MakeRow, make_batch: MakeBatch) -> None:
    """Each of thirty batches lacks its customer; an engine hands their groups over in an order of its own."""
    batches = [make_batch("tickets", [make_row("tickets", number) | {"account_id": None}]) for number in range(30)]
    (line,) = runner.validate("tickets", batches).failed
    assert line.unexpected_count == len(batches)
    assert [key["batch_id"] for key in line.failing_keys] == sorted(path.stem for path in batches)[:10]


@pytest.mark.parametrize("feed", feeds())
def test_structure_is_refused_before_anyone_reads_it(feed: str, runner: SuiteRunner, make_row: MakeRow, make_batch: MakeBatch) -> None:
    row = make_row(feed, 1)
    extra = runner.validate(feed, [make_batch(feed, [row], types={"not_agreed": "varchar"})])
    assert [line.rule for line in extra.failed] == ["columns_match_contract"]
    assert not extra.passed

    flag = runner.validate(feed, [make_batch(feed, [row], types={"is_deleted": "varchar"})])
    assert [(line.rule, line.unexpected_count) for line in flag.failed] == [("types_match_contract", 1)]
    assert flag.failed[0].failing_keys == ({"column_name": "is_deleted", "column_type": "VARCHAR"},)
    assert not flag.passed

    empty = runner.validate(feed, [make_batch(feed, [])])
    assert [(line.rule, line.observed) for line in empty.failed] == [("has_rows", "0")]
    assert empty.passed, "an empty day is no fault"


def test_a_column_that_a_file_lacks_is_null_in_its_rows(
    runner: SuiteRunner, make_row: MakeRow, make_batch: MakeBatch, tmp_path: Path
) -> None:
    whole, cut = make_batch("payments", [make_row("payments", 1)]), tmp_path / "cut.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"copy (select * exclude (payment_amount) from '{whole}') to '{cut}'")
    result = runner.validate("payments", [cut])
    failed = {line.rule: line for line in result.failed}
    assert set(failed) == {"payment_amount_is_present"}
    assert not result.passed
    assert failed["payment_amount_is_present"].unexpected_count == 1
    assert runner.validate("payments", [whole]).failed == (), "the runner is as good as before"


def test_money_that_became_a_float_is_refused(runner: SuiteRunner, make_row: MakeRow, make_batch: MakeBatch) -> None:
    result = runner.validate("refunds", [make_batch("refunds", [make_row("refunds", 1)], types={"refund_amount": "double"})])
    assert [line.rule for line in result.failed] == ["types_match_contract"]


@pytest.mark.parametrize("feed", feeds())
def test_every_expectation_of_the_suite_has_an_offender(feed: str, validation: Any) -> None:
    rules = [expectation.meta["rule"] for expectation in validation.load_expectations(feed)]
    proven = set(contract_offenders(feed, {})) | set(ROW_OFFENDERS[feed]) | STRUCTURAL_RULES
    proven |= {rule for other, rule in BATCH_OFFENDERS if other == feed}
    assert set(rules) == proven
    assert len(rules) == len(set(rules)), "a rule name names one expectation"


@pytest.mark.parametrize("feed", feeds())
def test_every_expectation_says_what_breaks_downstream(feed: str, validation: Any) -> None:
    for expectation in validation.load_expectations(feed):
        assert len(str(expectation.notes)) > 40, expectation.meta["rule"]


@pytest.mark.parametrize("feed", feeds())
def test_the_suite_says_what_the_contract_file_says(feed: str, validation: Any, project_dir: Path) -> None:
    document = yaml.safe_load((project_dir / "expectations" / "contracts" / f"{feed}.odcs.yaml").read_text(encoding="utf-8"))
    properties = document["schema"][0]["properties"]
    suite = {expectation.meta["rule"]: expectation for expectation in validation.load_expectations(feed)}
    system = ["batch_id", "row_hash", "record_number"]
    assert suite["columns_match_contract"].column_list == [entry["name"] for entry in properties] + system
    for entry in properties:
        name, options = entry["name"], entry.get("logicalTypeOptions", {})
        lists = [item["arguments"]["validValues"] for item in entry.get("quality", [])]
        assert (f"{name}_is_present" in suite) == entry.get("required", False)
        assert (f"{name}_matches_pattern" in suite) == ("pattern" in options)
        assert (f"{name}_is_in_range" in suite) == bool({"minimum", "exclusiveMinimum", "maximum"} & set(options))
        assert (f"{name}_is_in_closed_list" in suite) == bool(lists)
        if lists:
            assert suite[f"{name}_is_in_closed_list"].value_set == lists[0]


def test_two_seconds_between_two_clocks_are_no_error(runner: SuiteRunner, make_row: MakeRow, make_batch: MakeBatch) -> None:
    call = make_row("interactions", 1) | {"started_at": AT.format("10:00:02"), "ended_at": AT.format("10:00:00")}
    ticket = make_row("tickets", 1) | {"first_solved_at": AT.format("09:59:58")}
    assert runner.validate("interactions", [make_batch("interactions", [call])]).failed == ()
    assert runner.validate("tickets", [make_batch("tickets", [ticket])]).failed == ()


def test_the_same_key_may_come_again_in_another_batch(runner: SuiteRunner, make_row: MakeRow, make_batch: MakeBatch) -> None:
    first = make_row("tickets", 1)
    files = [make_batch("tickets", [first]), make_batch("tickets", [first])]
    result = runner.validate("tickets", files)
    assert (result.rows, result.failed) == (2, ())


def test_values_of_people_stay_out_of_the_report(runner: SuiteRunner, make_row: MakeRow, make_batch: MakeBatch) -> None:
    secret = "call me on 030 1234567"
    answer = make_row("survey_responses", 1) | {"comment": secret, "channel": secret, "score": "9", "scale_min": "1", "scale_max": "5"}
    result = runner.validate("survey_responses", [make_batch("survey_responses", [answer])])
    assert {line.rule for line in result.failed} == {"channel_is_in_closed_list", "score_is_on_its_scale"}
    assert secret not in str(result.to_json())


def test_at_most_ten_offenders_are_named_and_all_are_counted(runner: SuiteRunner, make_row: MakeRow, make_batch: MakeBatch) -> None:
    rows = [make_row("payments", number) | {"payment_amount": "-1", "currency_code": None} for number in range(25)]
    result = runner.validate("payments", [make_batch("payments", rows)])
    assert [(line.rule, line.unexpected_count, len(line.failing_keys)) for line in result.failed] == [
        ("currency_code_is_present", 25, 10),
        ("payment_is_not_negative", 25, 10),
    ]


cents = st.decimals(min_value=-1000, max_value=1000, places=2)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.tuples(st.integers(-9, 9), st.decimals(0, 100, places=4), cents, cents), min_size=1, max_size=12))
def test_the_control_sum_agrees_with_exact_arithmetic(
    lines: list[tuple[int, Decimal, Decimal, Decimal]], runner: SuiteRunner, make_row: MakeRow, make_batch: MakeBatch
) -> None:
    rows = [
        make_row("order_lines", number)
        | {"quantity": str(quantity), "unit_price": str(price), "discount_amount": str(discount), "net_amount": str(net)}
        for number, (quantity, price, discount, net) in enumerate(lines)
    ]
    wrong = sum(abs(net - (quantity * price - discount)) > Decimal("0.01") for quantity, price, discount, net in lines)
    result = runner.validate("order_lines", [make_batch("order_lines", rows)])
    counts = {line.rule: line.unexpected_count for line in result.failed}
    assert counts.get("net_is_quantity_times_price_less_discount", 0) == wrong


@pytest.mark.spec("B10")
def test_more_seats_in_use_than_paid_for_is_an_alert_and_as_many_is_none(
    runner: SuiteRunner, make_row: MakeRow, make_batch: MakeBatch
) -> None:
    rows = [make_row("tool_usage", number) | {"used_seats_count": used, "licensed_seats_count": "5"} for number, used in enumerate("456")]
    result = runner.validate("tool_usage", [make_batch("tool_usage", rows)])
    assert [(line.rule, line.unexpected_count) for line in result.failed] == [("seats_used_are_paid", 1)]
    assert result.passed, "it is a warning: reported, never blocking"
