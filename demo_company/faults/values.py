"""Faults of single values: numbers, codes, currencies, signs, instants, and names that try to be code."""

from __future__ import annotations

from datetime import datetime, timedelta

from demo_company.draws import Draws
from demo_company.faults.entries import Entry
from demo_company.faults.landing import Landing, Row, drawn, key

HOSTILE = (
    "Robert'); DROP TABLE accounts;--",
    "\"; COPY accounts TO 'stolen.csv'; --",
    "{{ env_var('HOME') }}",
    "{% for a in b %}{% endfor %}",
    "${HOME} `id`",
    "<script>document.title = 'canary'</script>",
    "<img src=x onerror=alert(1)>",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "../../../../outside",
    "..\\..\\outside",
)
_FORM = "%Y-%m-%d %H:%M:%SZ"


def decimal_comma(landing: Landing, _: Draws) -> list[Entry]:
    """Write all amounts of a file with a decimal comma, as after a change of locale at the source."""
    delivery = landing.smallest("order_lines")
    table = landing.read(delivery)
    amounts = [name for name in table.header if name.endswith(("_amount", "unit_price", "unit_cost"))]
    for row in table.rows:
        row.update({name: row[name].replace(".", ",") for name in amounts})
    records = [key("order_lines", row) for row in table.rows]
    return [landing.refused(delivery, table.text(), "F4", "number_format", records=records)]


def thousands_separators(landing: Landing, draws: Draws) -> list[Entry]:
    """Write amounts with a point and comma, a blank, an apostrophe: one record in each of three files."""
    return [
        landing.with_bad_record("payments", draws, "F4", "number_format", payment_amount=text)
        for text in ("1.234,56", "1 234.56", "1'234.56")
    ]


def excel_ids(landing: Landing, _: Draws) -> list[Entry]:
    """Write identifiers as a spreadsheet shows long numbers: many become one, and none can be undone."""
    delivery = landing.smallest("payments")
    table = landing.read(delivery)
    for row in table.rows:
        row["payment_id"] = "2.02611E+17"
    return [landing.refused(delivery, table.text(), "F6", "identifier_format", records=["2.02611E+17"])]


def not_a_number(landing: Landing, draws: Draws) -> list[Entry]:
    """Write NaN, inf and N/A for amounts: one record in each of three files."""
    return [landing.with_bad_record("order_lines", draws, "F16", "number_format", net_amount=text) for text in ("NaN", "inf", "N/A")]


def too_many_decimals(landing: Landing, draws: Draws) -> list[Entry]:
    """Deliver an amount with a third decimal, which must not be rounded."""
    return [landing.with_bad_record("payments", draws, "F12", "decimals", payment_amount="12.345")]


def enum_growth(landing: Landing, draws: Draws) -> list[Entry]:
    """Let tickets arrive by a channel that the contract does not list."""
    delivery = landing.largest("tickets")
    table = landing.read(delivery)
    row = table.rows[drawn(draws, len(table.rows))]
    row["channel"] = "hologram"
    landing.add("tickets", delivery.day, delivery.path.name, table.text())
    return [landing.entry("tickets", delivery.path, "warned", "F12", "closed list with unknown value", [key("tickets", row)])]


def unknown_code(landing: Landing, draws: Draws) -> list[Entry]:
    """Give an order a kind outside a list that has no value for unknown ones."""
    return [landing.with_bad_record("orders", draws, "F12", "closed_list", order_kind="barter")]


def negative_amounts(landing: Landing, draws: Draws) -> list[Entry]:
    """Give a refund, a unit cost and a talking time a minus sign that their kind does not allow."""
    return [
        landing.with_bad_record("refunds", draws, None, "minimum", refund_amount="-5.00"),
        landing.with_bad_record("order_lines", draws, None, "minimum", unit_cost="-1.0000"),
        landing.with_bad_record("interactions", draws, None, "minimum", talk_seconds="-60"),
    ]


def negative_sale(landing: Landing, draws: Draws) -> list[Entry]:
    """Deliver a sale of a negative amount, which only a credit memo may have."""
    delivery = landing.smallest("orders")
    table = landing.read(delivery)
    sales = [row for row in table.rows if row["order_kind"] == "sale"]
    row = landing.one_of(sales, draws)
    row.update(net_amount="-" + row["net_amount"], gross_amount="-" + row["net_amount"], discount_amount="0.00")
    return [landing.refused(delivery, table.text(), None, "sign_follows_the_kind_of_order", records=[key("orders", row)])]


def missing_currency(landing: Landing, draws: Draws) -> list[Entry]:
    """Leave the currency of an order empty; none may be assumed."""
    return [landing.with_bad_record("orders", draws, "F13", "required", currency_code="")]


def malformed_currency(landing: Landing, draws: Draws) -> list[Entry]:
    """Write a currency as a sign instead of its code."""
    return [landing.with_bad_record("orders", draws, "F13", "pattern", currency_code="€")]


def mixed_currency(landing: Landing, draws: Draws) -> list[Entry]:
    """Pay an order in another currency than it was placed in."""
    delivery = landing.smallest("payments")
    table = landing.read(delivery)
    row = table.rows[drawn(draws, len(table.rows))]
    row["currency_code"] = "GBP" if row["currency_code"] == "EUR" else "EUR"
    landing.add("payments", delivery.day, delivery.path.name, table.text())
    return [landing.entry("payments", delivery.path, "warned", "F13", "currency of the order", [key("payments", row)])]


def currency_without_rate(landing: Landing, draws: Draws) -> list[Entry]:
    """Add an order with its line in a currency for which no rate is ever delivered."""
    delivery = landing.smallest("orders")
    orders = [row for row in landing.read(delivery).rows if row["order_kind"] == "sale" and row["order_state"] == "fulfilled"]
    name = f"-{landing.fault}"
    order = landing.one_of(orders or landing.read(delivery).rows, draws)
    order = order | {"order_id": order["order_id"] + name, "currency_code": "CHF", "offer_id": "", "interaction_id": ""}
    amounts = {name: order[name] for name in ("discount_amount", "tax_amount", "net_amount", "source_updated_at")}
    line = dict.fromkeys(landing.header("order_lines"), "") | amounts
    line |= {"order_id": order["order_id"], "line_id": "1", "line_kind": "product", "quantity": "1.000"}
    line |= {"unit_price": order["gross_amount"], "unit_cost": "1.0000"}
    entries = []
    for feed, row in (("orders", order), ("order_lines", line)):
        path = landing.add_rows(feed, landing.next_day(delivery.day), f"{feed}-francs.csv", [row])
        entries.append(landing.entry(feed, path, "warned", "F13", "rate of the month", [key(feed, row)]))
    return entries


def clock_skew(landing: Landing, draws: Draws) -> list[Entry]:
    """Let one contact end a second before it starts (two clocks), another an hour before, a third be answered before it queued."""
    delivery = landing.smallest("interactions")
    table = landing.read(delivery)
    row = table.rows[drawn(draws, len(table.rows))]
    moved = _moved(row["started_at"], -1)
    row.update(ended_at=moved, answered_at=moved if row["answered_at"] else "", talk_seconds="", hold_seconds="", wrap_seconds="")
    landing.add("interactions", delivery.day, delivery.path.name, table.text())

    def an_hour_before(bad: Row) -> str:
        return _moved(bad["started_at"], -3_600)

    def start(bad: Row) -> str:
        return bad["started_at"]

    return [
        landing.entry("interactions", delivery.path, "unchanged", "F17", "clipped up to 2 s", [key("interactions", row)]),
        landing.with_bad_record("interactions", draws, "F17", "order_of_instants", ended_at=an_hour_before),
        landing.with_bad_record("interactions", draws, "F17", "order_of_instants", queued_at=start, answered_at=an_hour_before),
    ]


def future_timestamps(landing: Landing, draws: Draws) -> list[Entry]:
    """Date an order a century after its delivery."""
    return [landing.with_bad_record("orders", draws, "F17", "future_instant", ordered_at="2126-01-01 00:00:00Z")]


def hostile_names(landing: Landing, _: Draws) -> list[Entry]:
    """Name customers, and let them write comments, in SQL, Jinja, HTML, formulas and paths."""
    entries = []
    for feed, column in (("accounts", "account_name"), ("survey_responses", "comment")):
        delivery = landing.largest(feed)
        table = landing.read(delivery)
        changed = list(zip(table.rows, HOSTILE, strict=False))
        for row, text in changed:
            row[column] = text
        landing.add(feed, delivery.day, delivery.path.name, table.text())
        entries.append(landing.entry(feed, delivery.path, "unchanged", "S1 S2 S3", "text is data", [key(feed, row) for row, _ in changed]))
    return entries


def _moved(text: str, seconds: int) -> str:
    return (datetime.strptime(text, _FORM) + timedelta(seconds=seconds)).strftime(_FORM)  # noqa: DTZ007 - the form ends in Z
