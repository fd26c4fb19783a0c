"""What each account brought and cost: account months, cost per unit, ROI per month, customer 360, 80/20 and tiers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks.pandas_script.cost import Allocation
from benchmarks.pandas_script.facts import Facts

DAYS = "datetime64[D]"
OPEN = ("new", "open", "pending", "on_hold")


def service_month(facts: Facts, allocation: Allocation) -> pd.DataFrame:
    """Contacts, tickets and cents of cost per account and month."""
    keys = ["account", "month"]
    calls, tickets = facts.interactions.assign(is_call=facts.interactions["channel"] == "phone"), facts.tickets
    csat = facts.surveys[facts.surveys["survey_metric"] == "csat"].assign(is_top=lambda frame: frame["score"] >= 4)
    solved = tickets.drop(columns="month").rename(columns={"solved_month": "month"}).dropna(subset=["month"])
    parts = [
        calls.groupby(keys).agg(contacts=("interaction_id", "size"), calls=("is_call", "sum"), handle_seconds=("handle_seconds", "sum")),
        tickets.groupby(keys).agg(tickets_created=("ticket_id", "size"), complaints=("is_complaint", "sum")),
        solved.groupby(keys).agg(tickets_solved=("ticket_id", "size")),
        allocation.objects.groupby(keys).sum(),
        csat.groupby(keys).agg(csat_num=("is_top", "sum"), csat_responses=("is_top", "size")),
    ]
    return pd.concat(parts, axis=1).fillna(0).astype("int64").reset_index()


def sales_month(facts: Facts) -> pd.DataFrame:
    """Orders and cents of sales, margin and payments per account and month."""
    keys = ["account", "month"]
    orders, contacts = facts.orders, facts.interactions
    offers = orders[orders["offer_id"].notna()]
    started = contacts["started_at"].take(pd.Index(contacts["interaction_id"]).get_indexer(offers["interaction_id"])).array
    waited = offers["ordered_at"] - started
    of_offer = np.zeros(len(orders) + 1, dtype=bool)
    of_offer[offers.index[(waited >= pd.Timedelta(0)) & (waited <= pd.Timedelta(days=30))]] = True
    lines = facts.lines[facts.lines["is_counted"].astype(bool)]
    lines = lines.assign(
        gross=lines["net"].where(lines["is_gross_sale"], 0),
        credit=lines["net"].clip(upper=0),
        hard=lines["margin"].where(of_offer[lines["order"]], 0),
    )
    refunds = facts.refunds[facts.refunds["is_counted"].astype(bool)]
    lost = refunds["refund"] - refunds["recovered"]
    refunds = refunds.assign(margin=-lost, hard=-lost.where(of_offer[refunds["order"]], 0))
    sold = lines[lines["is_gross_sale"]].drop_duplicates("order")
    parts = [
        sold.groupby(keys).agg(orders=("order", "size")),
        lines.groupby(keys)[["gross", "credit", "net", "margin", "hard"]].sum(),
        refunds.groupby(keys)[["refund", "margin", "hard"]].sum(),
        facts.payments[facts.payments["is_counted"].astype(bool)].groupby(keys)[["payment"]].sum(),
    ]
    summed = pd.concat(parts, axis=1).fillna(0).astype("int64").T.groupby(level=0).sum().T
    return summed.assign(net_revenue=summed["net"] - summed["refund"]).reset_index()


def cost_per_unit(facts: Facts, allocation: Allocation) -> pd.DataFrame:
    """Cents and four decimals of cost per ticket, contact and call, by month and channel."""
    total = allocation.objects.groupby("month")["cost"].sum()
    handled = facts.interactions[facts.interactions["is_handled"]]
    counted = facts.tickets[~facts.tickets["ticket_state"].isin(["spam", "merged"])]
    closed = counted.drop(columns="month").rename(columns={"solved_month": "month"})
    volumes = pd.concat([
        counted.groupby("month").size().reset_index(name="volume").assign(unit_kind="ticket_created", channel="all"),
        closed.groupby("month").size().reset_index(name="volume").assign(unit_kind="ticket_closed", channel="all"),
        handled.groupby("month").size().reset_index(name="volume").assign(unit_kind="interaction", channel="all"),
        handled.groupby(["month", "channel"]).size().reset_index(name="volume").assign(unit_kind="interaction"),
    ])  # fmt: skip
    volumes = volumes.merge(allocation.channels, on=["month", "channel"], how="left")
    volumes["cost"] = volumes["cost"].fillna(volumes["month"].map(total)).astype("int64")
    return volumes.assign(unit_cost=(volumes["cost"] / 100 / volumes["volume"]).round(4))


def roi_month(service: pd.DataFrame, sales: pd.DataFrame) -> pd.DataFrame:
    """Company ROI per month: what service cost, what its customers brought, what is proved."""
    sums = pd.concat([service.groupby("month")[["cost"]].sum(), sales.groupby("month")[["margin", "hard", "net_revenue"]].sum()], axis=1)
    sums = sums.fillna(0).astype("int64")
    return sums.assign(
        gross_roi=(sums["margin"] - sums["cost"]) / sums["cost"], roi=(sums["hard"] - sums["cost"]) / sums["cost"]
    ).reset_index()


def customer_360(facts: Facts, service: pd.DataFrame, sales: pd.DataFrame) -> pd.DataFrame:
    """Latest facts of each account, the last 365 days up to the last day of the data."""
    year, quarter = (facts.as_of - pd.Timedelta(days=days) for days in (365, 90))
    lines = facts.lines[facts.lines["is_counted"].astype(bool)]
    lines = lines.assign(day=lines["ordered_at"].dt.tz_convert(None).dt.normalize())
    days = lines[lines["is_gross_sale"]].groupby(["account", "day"]).agg(orders=("order", "nunique"), gross=("net", "sum")).reset_index()
    days["gap"] = days["day"].diff().dt.days.where(days["account"].eq(days["account"].shift()))
    answers = facts.surveys.sort_values("responded_at").drop_duplicates(["account", "survey_metric"], keep="last")
    tickets, calls = facts.tickets, facts.interactions
    parts = [
        days.groupby("account").agg(
            first_order=("day", "min"),
            last_order=("day", "max"),
            orders=("orders", "sum"),
            order_days=("day", "size"),
            gross=("gross", "sum"),
            gap_median=("gap", "median"),
        ),
        lines[lines["day"] > year].groupby("account").agg(revenue_365=("net", "sum"), margin_365=("margin", "sum")),
        calls.groupby("account").agg(contacts=("interaction_id", "size")),
        calls[calls["started_at"].dt.tz_convert(None) >= quarter + pd.Timedelta(days=1)]
        .groupby("account")
        .agg(contacts_90=("interaction_id", "size")),
        tickets[tickets["ticket_state"].isin(OPEN)].groupby("account").agg(tickets_open=("ticket_id", "size")),
        answers.pivot(index="account", columns="survey_metric", values="score").add_suffix("_latest"),
        service[service["month"] > year].groupby("account").agg(cost_to_serve_365=("cost", "sum")),
        sales.groupby("account")[["payment"]].sum(),
    ]
    return facts.accounts.join(pd.concat(parts, axis=1))


def concentration(facts: Facts, service: pd.DataFrame, sales: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """80/20 of five measures in three windows, and the tier of each account in each month, over trailing twelve months."""
    months = np.sort(pd.unique(pd.concat([service["month"], sales["month"]])))
    accounts = len(facts.accounts)

    def grid(frame: pd.DataFrame, name: str) -> np.ndarray:
        own = frame[frame["account"] < accounts]
        values = np.zeros((len(months), accounts), dtype="int64")
        values[np.searchsorted(months, own["month"]), own["account"]] = own[name]
        return values

    monthly = {name: grid(sales, name) for name in ("gross", "net_revenue", "payment")} | {"contacts": grid(service, "contacts")}
    monthly["margin_after_service"] = grid(sales, "margin") - grid(service, "cost")
    shares, tiers = [], []
    for measure, values in monthly.items():
        to_date = values.cumsum(axis=0)
        trailing = to_date - np.concatenate([np.zeros((min(12, len(months)), accounts), dtype="int64"), to_date[:-12]])
        for window, rows in (("month", values), ("trailing_12", trailing), ("to_date", to_date)):
            for at, row in zip(months, rows, strict=True):
                best = np.sort(row[row != 0])[::-1]
                if len(best) and best.sum() > 0:
                    shares.append((at, window, measure, *_share(best)))
    for at, row in zip(months, trailing, strict=True):  # the last measure is margin after service
        order = np.argsort(-row, kind="stable")
        value = row[order]
        before = np.cumsum(np.maximum(value, 0)) - np.maximum(value, 0)
        total = max(int(np.maximum(value, 0).sum()), 1)
        tier = np.select([value < 0, value == 0, before < 0.80 * total, before < 0.95 * total], ["D", "N", "A", "B"], "C")
        tiers.append(pd.DataFrame({"account": order, "month": at, "amount": value, "tier": pd.Categorical(tier)}))
    columns = ["month", "window_kind", "measure_kind", "customers", "top20_share", "customers_for_80", "gini"]
    return pd.DataFrame(shares, columns=columns), pd.concat(tiers, ignore_index=True)


def _share(best: np.ndarray) -> tuple[int, float, int, float]:
    """Return customers, share of the best fifth, customers for 80 percent, Gini; values best first, their sum above 0."""
    n, running = len(best), np.cumsum(best)
    whole = int(0.2 * n)
    top = (running[whole - 1] if whole else 0) + (0.2 * n - whole) * (best[whole] if whole < n else 0)
    gini = float((n + 1 - 2 * np.arange(1, n + 1)) @ best / (n * running[-1])) if best[-1] >= 0 else float("nan")
    return n, float(top / running[-1]), int(np.searchsorted(running, 0.8 * running[-1]) + 1), gini
