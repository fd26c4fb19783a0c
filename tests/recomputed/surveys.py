"""What customers answered and who was asked, computed with pandas from the files of a company: no code of the product is used."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pandas as pd

from tests.recomputed.company import Company
from tests.recomputed.delivered import UNKNOWN

MEASURES = ("csat", "ces", "nps", "acsi")
WEIGHTS = {"acsi_overall": Decimal("0.3885"), "acsi_expectation": Decimal("0.3190"), "acsi_ideal": Decimal("0.2925")}
COUNTS = ["answers", "best", "good", "bad", "total"]
CONTACTS = ["eligible", "asked", "spared"]


class Surveys:
    """The surveys of a company; its scales are the usual ones: 1 to 5, 1 to 7, 0 to 10, 1 to 10."""

    def __init__(self, company: Company) -> None:
        self.company = company

    def answers(self) -> pd.DataFrame:
        """Answers that count, with month, quarter, segment of the account, and where they are on their scale."""
        table = pd.concat([self.company.counted(measure) for measure in MEASURES])
        segments = self.company.latest("accounts").set_index("account_id")["segment"].replace("", None)
        table = table.assign(month=self.company.month(table["responded_at"]), score=pd.to_numeric(table["score"]).astype(int))
        of_acsi, of_nps = table["survey_metric"] == "acsi", table["survey_metric"] == "nps"
        good = {"csat": 4, "ces": 5, "nps": 9}
        # Upper quarter of 1 to 10: 7.75 and more.
        limit = table["survey_metric"].map(good).where(~of_acsi, 8)
        worst = table["survey_metric"].map({"csat": 2, "ces": 3, "nps": 6}).where(~of_acsi, 4)
        assert set(zip(table["survey_metric"], table["scale_min"].astype(float), table["scale_max"].astype(float), strict=True)) == {
            ("csat", 1, 5), ("ces", 1, 7), ("nps", 0, 10), ("acsi", 1, 10)
        }  # fmt: skip
        assert of_nps.any()
        return table.assign(
            quarter=table["month"].map(self.quarters()),
            segment=self.accounts(table).map(segments).fillna("none"),
            best=table["score"] == pd.to_numeric(table["scale_max"]),
            good=table["score"] >= limit,
            bad=table["score"] <= worst,
        )

    def accounts(self, table: pd.DataFrame) -> pd.Series:
        """Who answered: the account or contact that the answer names, else the customer of its ticket; none names an order."""
        tickets = self.company.latest("tickets", with_deleted=True).set_index("ticket_id")
        of_ticket = self.company.account(tickets).where(tickets["ticket_state"] != "spam", "NON_CUSTOMER")
        found = self.company.account(table)
        return found.where(found != UNKNOWN, table["ticket_id"].map(self.company.surviving_ticket).map(of_ticket).fillna(UNKNOWN))

    def quarters(self) -> dict[str, str]:
        """First month of the quarter of each month: every three of a fiscal year of the feed, which here has complete years."""
        table = self.company.latest("fiscal_periods").sort_values("start_date")
        found = {}
        for _, rows in table.groupby("fiscal_year"):
            starts = list(rows["start_date"])
            missing = 12 - len(starts) if starts[0] == table["start_date"].iloc[0] else 0
            places = [(missing + at) // 3 for at in range(len(starts))]
            found.update({start: starts[places.index(place)] for start, place in zip(starts, places, strict=True)})
        return found

    def scores(self, period: str) -> pd.DataFrame:
        """By `month` or `quarter`, question, cut and member: answers, the best, good and bad ones, sum of the scores."""
        table = self.answers().assign(all="all", answers=1).rename(columns={"score": "total"})
        parts = []
        for cut in ("all", "channel", "segment"):
            keys = [table[period], table["question_key"], pd.Series(cut, table.index), table[cut].replace("", "none")]
            parts.append(table.groupby(keys)[COUNTS].sum().astype(int))
        return pd.concat(parts)

    def acsi(self, period: str) -> dict[str, tuple[int, Decimal]]:
        """By `month` or `quarter`: who answered all three items, and the index of their means."""
        items = self.answers().query("survey_metric == 'acsi'").pivot_table(index=["asked", period], columns="question_key", values="score")
        items = items.dropna()
        found = {}
        for key, rows in items.groupby(level=period):
            means = {item: sum(map(Decimal, rows[item].astype(int))) / len(rows) for item in WEIGHTS}
            found[str(key)] = (len(rows), 100 * sum(weight * (means[item] - 1) for item, weight in WEIGHTS.items()) / 9)
        return found

    def _contacts(self) -> Iterator[tuple[str, str, str, str, bool]]:
        """Handled contacts of no deleted ticket: instant known of its end, id, ticket, month, and whether it is a customer's."""
        tickets = self.company.latest("tickets", with_deleted=True).set_index("ticket_id")
        gone = set(tickets[(tickets["is_deleted"] == "true") | (tickets["ticket_state"] == "deleted")].index)
        spam = set(tickets[tickets["ticket_state"] == "spam"].index)
        table = self.company.latest("interactions")
        handled = (table["outcome"] == "answered") | (pd.to_numeric(table["talk_seconds"]).fillna(0) > 0)
        table = table[handled].assign(month=self.company.month(table["started_at"]))
        for row in table.itertuples():
            ticket = self.company.surviving_ticket(row.ticket_id)
            if ticket not in gone:
                yield row.ended_at or row.started_at, row.interaction_id, ticket, row.month, ticket not in spam

    def contacts(self) -> pd.DataFrame:
        """By month of the contact, from that of the first invitation: contacts that could be asked about, were, or had it suppressed."""
        contacts = sorted(self._contacts())
        of_ticket: dict[str, list[tuple[str, str]]] = {}
        for at, name, ticket, _, _ in contacts:
            of_ticket.setdefault(ticket, []).append((at, name))
        invitations = self.company.latest("survey_invitations")
        first = self.company.month(invitations["invited_at"]).min()
        asked, spared = set(), set()
        for row in invitations.itertuples():
            ones = of_ticket.get(self.company.surviving_ticket(row.ticket_id), []) if row.ticket_id else []
            if ones:
                latest = max((at for at, _ in ones if at <= row.invited_at), default=ones[0][0])
                (asked if row.suppressed_reason == "" else spared).add(next(name for at, name in ones if at == latest))
        rows = [(month, 1, name in asked, name in spared - asked) for _, name, _, month, is_customer in contacts if is_customer]
        table = pd.DataFrame(rows, columns=["month", *CONTACTS]).set_index("month").astype(int)
        return table[table.index >= first].groupby(level=0).sum()
