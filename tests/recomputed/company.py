"""The figures of a company that delivers canonical files, computed with pandas from these files: no code of the product is used.

Written from the domain specification, the contracts and the pages under docs/. Money is in whole minor units of its currency. What it
leaves out: several systems, currencies without a rate. Cost of single tickets and customers: `allocated.py`.
"""

from __future__ import annotations

from decimal import Decimal
from functools import cached_property
from typing import Any

import pandas as pd

from tests.recomputed.delivered import UNKNOWN, Delivered, minor, rounded

ENDED = ("solved", "closed")
TAKEN_BACK_DAYS, ACTIVE_DAYS, SHORT_DAYS, BEST = 30, 365, 90, Decimal("0.20")
INVITED = ["sent", "delivered", "answered", "of_contact", "same_channel", "timed", "at_once"]
FAMILIES = {"phone": "voice", "chat": "chat", "messaging": "chat", "app": "chat", "web_form": "web", "portal": "web"}
CUSTOMERS = ["ordering", "active", "kept", "kept_of", "kept_90", "kept_90_of"]


class Company(Delivered):
    """The figures made of what was delivered."""

    @cached_property
    def orders(self) -> pd.DataFrame:
        """Orders that count: no test, not cancelled; with account, month and day."""
        table = self.latest("orders")
        gone = (table["is_test"] == "true") | (table["cancelled_at"] != "") | table["financial_state"].isin(["cancelled", "voided"])
        table = table[~gone]
        return table.assign(account=self.account(table), month=self.month(table["ordered_at"]), day=table["ordered_at"].str[:10])

    @cached_property
    def lines(self) -> pd.DataFrame:
        """Lines of orders that count, in minor units; what was sold has a quantity and a price above 0 and is part of a sale."""
        table = self.latest("order_lines").merge(self.orders[["order_id", "account", "month", "day", "order_kind", "currency_code"]])
        rows = list(table.itertuples())
        quantities = [Decimal(row.quantity) for row in rows]
        cost = [
            rounded(Decimal(row.unit_cost) * quantity, row.currency_code) for row, quantity in zip(rows, quantities, strict=True)
        ]  # every line of the demo company has a unit cost
        return table.assign(
            net=[self.converted(Decimal(row.net_amount), row.currency_code, row.month) for row in rows],
            own_net=[minor(Decimal(row.net_amount), row.currency_code) for row in rows],
            cost=[self.converted(amount, row.currency_code, row.month) for amount, row in zip(cost, rows, strict=True)],
            is_sold=[
                row.order_kind == "sale" and quantity > 0 and Decimal(row.unit_price) > 0
                for row, quantity in zip(rows, quantities, strict=True)
            ],
        )

    @cached_property
    def refunds(self) -> pd.DataFrame:
        """Refunds of orders that count or were never delivered, in minor units, in the month of the refund.

        What is in the order's currency has the rate of the order's month, so that a full return leaves nothing; else of its own month. Cost
        comes back (`back`) with goods that went back to the shelf, in the order's currency at its rate; None where nobody knows how much.
        """
        orders = self.orders.rename(columns={"currency_code": "order_currency", "month": "order_month"})
        table = self.latest("refunds").merge(orders[["order_id", "account", "order_currency", "order_month"]], how="left")
        is_orphan = ~table["order_id"].isin(self.latest("orders", with_deleted=True)["order_id"])
        table = table[is_orphan | table["account"].notna()]
        table = table.assign(
            account=table["account"].fillna(UNKNOWN), month=self.month(table["refunded_at"]), day=table["refunded_at"].str[:10]
        )
        costs = {(row.order_id, row.line_id): Decimal(row.unit_cost) for row in self.latest("order_lines").itertuples()}
        rows = list(table.itertuples())

        def back(row: Any) -> int | None:
            if row.is_restocked != "true":
                return 0
            cost = costs.get((row.order_id, row.line_id))
            if cost is None or not row.returned_quantity:
                return None
            goods = rounded(cost * Decimal(row.returned_quantity), row.order_currency)
            return self.converted(goods, row.order_currency, row.order_month)

        months = [row.order_month if row.currency_code == row.order_currency else row.month for row in rows]
        return table.assign(
            amount=[self.converted(Decimal(row.refund_amount), row.currency_code, month) for row, month in zip(rows, months, strict=True)],
            own_amount=[minor(Decimal(row.refund_amount), row.currency_code) for row in rows],
            back=pd.array([back(row) for row in rows], "Int64"),
        )

    def sales(self) -> pd.DataFrame:
        """By account and month: orders that sold something, gross sales, credits, refunds, net revenue, contribution margin.

        The margin is <NA> where the cost of goods that came back is not known.
        """
        lines, refunds, keys = self.lines, self.refunds, ["account", "month"]
        sold = lines[lines["is_sold"]]
        of_lines, of_refunds = lines.groupby(keys), refunds.groupby(keys)
        table = pd.DataFrame({
            "orders": sold.groupby(keys)["order_id"].nunique(),
            "gross": sold.groupby(keys)["net"].sum(),
            "credit": lines[lines["net"] < 0].groupby(keys)["net"].sum(),
            "net_lines": of_lines["net"].sum(),
            "cost": of_lines["cost"].sum(),
            "refund": of_refunds["amount"].sum(),
            "back": of_refunds["back"].sum(),
        }).fillna(0).astype(int)  # fmt: skip
        net = table["net_lines"] - table["refund"]
        is_known = ~table.index.isin(refunds[refunds["back"].isna()].set_index(keys).index)
        margin = (net - table["cost"] + table["back"]).astype("Int64").where(is_known)
        return table.assign(net=net, margin=margin)[["orders", "gross", "credit", "refund", "net", "margin"]]

    def ledger(self) -> pd.DataFrame:
        """Lines of the ledger in scope."""
        table = self.latest("ledger_actuals")
        table = table.assign(line="ledger|" + table["book_id"] + "|" + table["journal_id"] + "|" + table["line_number"])
        return self._placed(table, "ledger_amount")

    def budget(self) -> pd.DataFrame:
        """Lines of the budget in force: an approved version is the whole of its entity and month, a restated one replaces its lines."""
        table = self.latest("budgets")
        table = table[table["version_state"].isin(["approved", "restated"])].sort_values("version_effective_at", kind="stable")
        table = table.assign(line="budget|" + table["budget_version_id"] + "|" + table["line_id"] + "|" + table["fiscal_period"])
        force: dict[tuple[str, str], dict[str, Any]] = {}
        for (_, entity, period, state), lines in table.groupby(
            ["version_effective_at", "legal_entity", "fiscal_period", "version_state"], sort=True
        ):
            standing = force.setdefault((entity, period), {})
            if state == "approved":
                standing.clear()
            standing.update({row["line_id"]: row for _, row in lines.iterrows()})
        return self._placed(pd.DataFrame([row for lines in force.values() for row in lines.values()]), "budget_amount")

    def _placed(self, table: pd.DataFrame, amount: str) -> pd.DataFrame:
        table = table[table["is_in_scope"] != "false"]
        months = [self.month_of_period(period) for period in table["fiscal_period"]]
        worth = zip(table[amount], table["currency_code"], months, strict=True)
        names = {
            "legal_entity": "entity",
            "cost_category": "category",
            "department_id": "department",
            "pool_id": "pool",
            "cost_behaviour": "behaviour",
        }
        table = table.rename(columns=names).assign(month=months, amount=[self.converted(Decimal(text), *of) for text, *of in worth])
        return table[["line", "month", *names.values(), "amount"]]

    @cached_property
    def cost_lines(self) -> pd.DataFrame:
        """Lines that are the cost of their month.

        By entity and category: the ledger's where it has posted something, else the budget's, up to the last month of the ledger. In a
        month that is not closed a ledger with less than half of the budget has only begun, so that the budget holds.
        """
        ledger, budget, keys = self.ledger(), self.budget(), ["entity", "month", "category"]
        closed = {
            self.month_of_period(row.fiscal_period) for row in self.latest("fiscal_periods").itertuples() if row.close_state == "closed"
        }
        sums = ledger.groupby(keys)["amount"].sum().to_frame("posted").join(budget.groupby(keys)["amount"].sum(), how="outer")
        is_open = ~sums.index.get_level_values("month").isin(closed)
        is_budgeted = sums["posted"].isna() | (is_open & (2 * sums["posted"] < sums["amount"].fillna(0)))
        provisional = is_budgeted[is_budgeted].index
        lines = pd.concat([
            ledger[~pd.MultiIndex.from_frame(ledger[keys]).isin(provisional)].assign(is_budget=False),
            budget[pd.MultiIndex.from_frame(budget[keys]).isin(provisional)].assign(is_budget=True),
        ])  # fmt: skip
        return lines[lines["month"] <= ledger["month"].max()]

    def cost(self) -> pd.DataFrame:
        """Cost by month and category, and the part of it that is the budget's."""
        lines = self.cost_lines.rename(columns={"amount": "cost"})
        return lines.assign(of_budget=lines["cost"] * lines["is_budget"]).groupby(["month", "category"])[["cost", "of_budget"]].sum()

    @cached_property
    def tickets(self) -> pd.DataFrame:
        """Tickets that count: neither deleted, nor spam, nor merged into another one."""
        table = self.latest("tickets")
        survives = table["ticket_id"].map(self.surviving_ticket) == table["ticket_id"]
        return table[survives & ~table["ticket_state"].isin(["deleted", "spam"])]

    def tickets_created(self) -> pd.Series:
        """By month and channel."""
        return self.tickets.groupby([self.month(self.tickets["created_at"]), "channel"]).size()

    def tickets_closed(self) -> pd.Series:
        """By the month in which they were solved last, or closed, and channel."""
        ended = self.tickets[self.tickets["ticket_state"].isin(ENDED)]
        at = ended["last_solved_at"].where(ended["last_solved_at"] != "", ended["closed_at"])
        return ended[at != ""].groupby([self.month(at[at != ""]), "channel"]).size()

    def csat(self) -> pd.DataFrame:
        """By month: answers with a score, and those among the top two of five.

        Of an invitation the last answer within seven days of the first counts, of a ticket or contact and who answered the latest.
        """
        table = self.counted("csat")
        top = table["score"].map(Decimal) >= table["scale_max"].map(Decimal) - 1
        return (
            table.assign(month=self.month(table["responded_at"]), top=top)
            .groupby("month")
            .agg(satisfied=("top", "sum"), answers=("top", "size"))
        )

    def counted(self, metric: str) -> pd.DataFrame:
        """Answers that count, of one measure."""
        table = self.latest("survey_responses").query(f"survey_metric == '{metric}' and score != ''")
        table = table.assign(at=pd.to_datetime(table["responded_at"], utc=True)).sort_values(["at", "response_id"])
        asked = table["invitation_id"].where(table["invitation_id"] != "", table["response_id"])
        first = table.groupby([asked, table["question_key"]])["at"].transform("min")
        table = table[table["at"] - first <= pd.Timedelta(days=7)].assign(asked=asked)
        table = table.drop_duplicates(["asked", "question_key"], keep="last")
        who = table["contact_id"].where(table["contact_id"] != "", table["account_id"])
        about = table["ticket_id"].where(table["ticket_id"] != "", table["asked"])
        return table.assign(who=who, about=about).drop_duplicates(["who", "about", "question_key"], keep="last")

    def answered(self) -> set[str]:
        """Invitations that an answer names; none of the demo company is partial."""
        return set(self.latest("survey_responses").query("score != ''")["invitation_id"]) - {""}

    def invited(self) -> pd.DataFrame:
        """By month: invitations sent, delivered, answered; whose contact's channel is known, in its family; whose lag is known, at once.

        A ticket was asked about by its last handled contact that ended before the invitation, else its first, else by its own solving.
        """
        table = self.latest("survey_invitations").query("suppressed_reason == ''")
        tickets = self.latest("tickets", with_deleted=True).set_index("ticket_id")
        tickets = tickets[(tickets["is_deleted"] != "true") & (tickets["ticket_state"] != "deleted")]
        contacts = self.latest("interactions")
        contacts = contacts.assign(bearer=[self.surviving_ticket(name) for name in contacts["ticket_id"]])
        talked = pd.to_numeric(contacts["talk_seconds"]).fillna(0) > 0
        contacts = contacts[((contacts["outcome"] == "answered") | talked) & contacts["bearer"].isin(tickets.index)]
        contacts = contacts.sort_values(["ended_at", "interaction_id"])
        of_ticket = {name: list(zip(rows["ended_at"], rows["channel"], strict=True)) for name, rows in contacts.groupby("bearer")}
        answered, rows = self.answered(), []
        for row in table.itertuples():
            name = self.surviving_ticket(row.ticket_id)
            ends = of_ticket.get(name, [])
            latest = max((end for end, _ in ends if end <= row.invited_at), default=ends[0][0] if ends else "")
            ended_at, channel = next((one for one in ends if one[0] == latest), ("", ""))
            if not ends and name in tickets.index and tickets.loc[name, "ticket_state"] != "spam":
                ticket = tickets.loc[name]
                solved = (ticket["last_solved_at"] or ticket["closed_at"]) if ticket["ticket_state"] in ENDED else ""
                ended_at = solved if solved and solved <= row.invited_at else ticket["first_solved_at"] or solved
                channel = ticket["channel"]
            seconds = (pd.Timestamp(row.invited_at) - pd.Timestamp(ended_at)).total_seconds() if ended_at else -1
            own, other = (FAMILIES.get(one, one) for one in (row.channel, channel))
            is_answered = row.invitation_id in answered
            is_delivered = is_answered or bool(row.delivered_at or row.opened_at or row.started_at)
            is_soon = 0 <= seconds <= (900 if other in ("voice", "chat") else 86_400)
            rows.append((True, is_delivered, is_answered, bool(channel), own == other, seconds >= 0, is_soon))
        return pd.DataFrame(rows, index=self.month(table["invited_at"]), columns=INVITED).astype(int).groupby(level=0).sum()

    def opinions(self) -> pd.DataFrame:
        """By month: promoters, detractors and answers of the one question that asks whether customers would recommend the company."""
        table = self.counted("nps")
        score = pd.to_numeric(table["score"])
        found = pd.DataFrame({"promoters": score >= 9, "detractors": score <= 6, "answers": True}).astype(int)
        return found.groupby(self.month(table["responded_at"])).sum()

    @cached_property
    def purchases(self) -> pd.DataFrame:
        """Orders of known customers that sold something and were not taken back: refunded in full, in their currency, within 30 days."""
        sold = self.lines[self.lines["is_sold"] & (self.lines["account"] != UNKNOWN)]
        orders = sold.groupby(["order_id", "account", "month", "day"], as_index=False)["own_net"].sum()
        soon = self.refunds.merge(orders[["order_id", "day"]], on="order_id", suffixes=("", "_ordered"))
        age = (pd.to_datetime(soon["day"]) - pd.to_datetime(soon["day_ordered"])).dt.days
        back = soon[age <= TAKEN_BACK_DAYS].groupby("order_id")["own_amount"].sum()
        return orders[orders["order_id"].map(back).fillna(0) < orders["own_net"]]

    def customers(self, months: dict[str, str]) -> pd.DataFrame:
        """By month (first day -> last day): customers that ordered in it, that are active at its end, and those kept of a window ago.

        Active: the last order is at most `days` old. <NA> where the orders do not reach back far enough: active customers need a whole
        window before the month, retention two windows up to its end.
        """
        begin = pd.Timestamp(self.latest("orders")["ordered_at"].min()[:10])
        days, accounts, rows = pd.to_datetime(self.purchases["day"]), self.purchases["account"], {}

        def active(end: pd.Timestamp, width: int) -> set[str]:
            return set(accounts[(days <= end) & (days > end - pd.Timedelta(days=width))])

        for month, last in months.items():
            end, row = pd.Timestamp(last), [accounts[self.purchases["month"] == month].nunique()]
            row.append(len(active(end, ACTIVE_DAYS)) if (pd.Timestamp(month) - begin).days >= ACTIVE_DAYS else None)
            for width in (ACTIVE_DAYS, SHORT_DAYS):
                base = active(end - pd.Timedelta(days=width), width)
                known = (end - begin).days + 1 >= 2 * width
                row += [len(base & active(end, width)), len(base)] if known else [None, None]
            rows[month] = row
        return pd.DataFrame.from_dict(rows, orient="index", columns=CUSTOMERS).astype("Int64")

    def top_share(self, months: list[str]) -> float:
        """Share of the gross sales of these months that the best fifth of the buyers made; a part of one buyer counts in proportion."""
        sold = self.lines[self.lines["is_sold"] & (self.lines["account"] != UNKNOWN) & self.lines["month"].isin(months)]
        best = sorted(sold.groupby("account")["net"].sum().loc[lambda amounts: amounts > 0], reverse=True)
        number = BEST * len(best)
        whole = int(number)
        return float((sum(best[:whole]) + (number - whole) * (best[whole] if whole < len(best) else 0)) / Decimal(sum(best)))
