"""One account of a company of several systems forgotten, from run to certificate. Breaks: a sum moves, or something of the person stays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dagster_project.ledger.store import Ledger
from dagster_project.orchestration.run import run_daily
from dagster_project.privacy.forget import forget, left_of
from dagster_project.privacy.person import Lake
from dagster_project.publish.reader import query
from dagster_project.settings import load_settings
from demo_company.company import write_company
from tests.privacy.landing_files import texts


@pytest.mark.fault("S8")
@pytest.mark.slow
@pytest.mark.nightly
def test_a_certificate_is_given_and_sums_stay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    landing, home = tmp_path / "landing", tmp_path / "home"
    write_company(landing, 40, 2, 23, systems=("zendesk", "shopify"))
    settings = load_settings(landing=landing, home=home, hash_key="k" * 40)
    run_daily(settings)

    def first(sql: str) -> dict[str, str]:
        capsys.readouterr()
        query(home, sql, "json")
        found: dict[str, str] = json.loads(capsys.readouterr().out)[0]
        return found

    busiest = "select account_id from marts.fct_ticket where account_id is not null group by 1 order by count(*) desc, 1 limit 1"
    account = first(busiest)["account_id"]
    sums = (
        "select count(*) as tickets, (select count(*) from marts.fct_order) as orders,"
        " (select sum(net_amount)::decimal(18, 2)::varchar from marts.fct_order_line_net) as net,"
        " (select count(*) from marts.fct_interaction) as contacts from marts.fct_ticket"
    )
    before = first(sums)
    ledger = Ledger(settings.ops)
    person = Lake(settings, ledger, b"k" * 40).person(account)
    certificate = forget(settings, account)
    assert first(sums) == before
    assert first(f"select count(*) as n from marts.dim_account where account_id = '{account}'") == {"n": 0}
    assert certificate.content["proof"]["hits"] == []
    assert left_of(settings, ledger, person) == []
    pattern = person.pattern()
    assert [path for path, text in texts(home).items() if pattern.search(text)] == []
