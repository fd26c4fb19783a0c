"""Every macro, every construct the models use, and our way around every known difference: one answer on both engines."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from dagster_project.transform.project import DBT_DIR

CASES = yaml.safe_load(Path(__file__).with_name("portable_cases.yml").read_text(encoding="utf-8"))
AGREED = [case for cases in CASES["macros"].values() for case in cases] + CASES["constructs"]
IN_A_RUN = {"strict_arithmetic"}  # it decides how a connection opens: held by tests/warehouse/test_spark_parity.py
DATED = """{{ business_date(instant('2025-01-01 14:30:00+00:00'), "'Europe/Berlin'") }}"""
WIDE = "cast(1 as decimal(29, 2)) * cast(0.12499999 as decimal(18, 8))"
WALK = "with recursive walk as (select 1 as n union all select n + 1 from walk where n < 150) select max(n) from walk"
Ask = Callable[[str], dict[str, Any]]


def text(answer: Any) -> Any:
    """Write values with their scale, since 1.0 and 1.00 are not the same knowledge; the type of an expression goes apart."""
    if isinstance(answer, list):
        return [[text(value) for value in row] for row in answer]
    return text(answer[0]) if isinstance(answer, tuple) else None if answer is None else str(answer)


def test_every_dispatched_macro_has_cases() -> None:
    files = {file.stem: file.read_text(encoding="utf-8") for file in (DBT_DIR / "macros").glob("*.sql")}
    dispatched = {name for name, text in files.items() if "adapter.dispatch" in text}
    assert len(dispatched) >= 7
    assert dispatched - IN_A_RUN - CASES["macros"].keys() == set()
    assert [name for name, cases in CASES["macros"].items() if not all(f"{name}(" in case["sql"] for case in cases)] == []


def test_every_dispatched_macro_says_what_it_is_on_both_engines_in_a_file_of_its_own() -> None:
    for file in sorted((DBT_DIR / "macros").glob("*.sql")):
        text = file.read_text(encoding="utf-8")
        named = {re.sub("^(default|spark)__", "", name) for name in re.findall(r"macro (\w+)\(", text)}
        assert named == {file.stem}
        if "adapter.dispatch" in text:
            assert [engine for engine in ("default", "spark") if f"macro {engine}__{file.stem}(" not in text] == [], file.name


@pytest.mark.spark
@pytest.mark.parametrize("case", AGREED, ids=lambda case: case["sql"][:80])
def test_the_answer_is_the_same_and_right(case: dict[str, Any], answers: Ask) -> None:
    found = answers(case["sql"])
    assert found["duckdb"] == found["spark"]
    assert text(found["duckdb"]) == text(found["spark"]) == case["gives"]


@pytest.mark.spark
@pytest.mark.parametrize("name", CASES["differences"])
def test_the_difference_is_real_and_our_way_closes_it(name: str, answers: Ask) -> None:
    case = CASES["differences"][name]
    found = answers(case["bare"])
    assert {engine: text(answer) for engine, answer in found.items()} == {"duckdb": case["duckdb"], "spark": case["spark"]}
    found = answers(case["ours"])
    assert found["duckdb"] == found["spark"]
    assert text(found["duckdb"]) == text(found["spark"]) == case["gives"]


@pytest.mark.spark
@pytest.mark.parametrize(
    ("setting", "otherwise", "sql", "unlike"),
    [
        ("spark.sql.ansi.enabled", "false", f"cast({2**63 - 1} as bigint) + cast(1 as bigint)", str(-(2**63))),
        ("spark.sql.decimalOperations.allowPrecisionLoss", "true", WIDE, "0.125000"),
        ("spark.sql.session.timeZone", "Asia/Tokyo", DATED, "2025-01-02"),
        ("spark.sql.cteRecursionLevelLimit", "100", f"({WALK})", "error"),
    ],
)  # fmt: skip
def test_a_setting_of_spark_is_needed(setting: str, otherwise: str, sql: str, unlike: str, answers: Ask, spark_session: Any) -> None:
    agreed = answers(sql)
    assert text(agreed["duckdb"]) == text(agreed["spark"]) != unlike
    ours = spark_session.conf.get(setting)
    spark_session.conf.set(setting, otherwise)
    try:
        assert text(answers(sql)["spark"]) == unlike
    finally:
        spark_session.conf.set(setting, ours)


@pytest.mark.spark
def test_the_order_of_nulls_is_a_setting_of_duckdb(answers: Ask) -> None:
    sql = "select n from (select 1 as n union all select null) as t order by n"
    with duckdb.connect() as plain:
        assert plain.execute(sql).fetchall() == [(1,), (None,)]
    assert answers(sql) == {"duckdb": [(None,), (1,)], "spark": [(None,), (1,)]}
