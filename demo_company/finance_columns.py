"""Columns of the finance feeds."""

from __future__ import annotations

from demo_company.calendar import KINDS
from demo_company.codes import COST_CATEGORIES, LEGAL_ENTITY, POOLS, TOOLS, VENDORS
from demo_company.files import Code, Column, Decimals, Identifier
from demo_company.shared_columns import AT, CURRENCY, DATE, DEPARTMENT, FLAG, MONEY, SITE, UPDATED, WHOLE

_COST: dict[str, Column] = {
    "legal_entity": Code((LEGAL_ENTITY,)),
    "cost_centre": Identifier("CC", 4),
    "department_id": DEPARTMENT,
    "site_id": SITE,
    "fiscal_period": WHOLE,
    "gl_account": Identifier("", 6),
    "cost_category": Code(COST_CATEGORIES),
    "pool_id": Code(POOLS),
}
_KIND: dict[str, Column] = {
    "currency_code": CURRENCY,
    "cost_behaviour": Code(("fixed", "variable", "step")),
    "traceability": Code(("direct", "indirect")),
    "recurrence": Code(("recurring", "one_off")),
    "is_in_scope": FLAG,
    "scope_reason": Code(("field sales event booked on the service cost centre",)),
    "licensed_seats": WHOLE,
}


def finance_columns(periods: tuple[str, ...], years: tuple[str, ...], versions: tuple[str, ...]) -> dict[str, dict[str, Column]]:
    """Columns by feed; the ids of fiscal months, years and budget versions depend on the company's dates."""
    period, version = Code(periods), Code(versions)
    cost = _COST | {"fiscal_period": period}
    return {
        "fiscal_periods": {
            "fiscal_period": period,
            "fiscal_year": Code(years),
            "start_date": DATE,
            "end_date": DATE,
            "calendar_kind": Code(KINDS),
            "close_state": Code(("open", "closed")),
            "closed_at": AT,
            "closed_by": Code(("controller",)),
            **UPDATED,
        },
        "fx_rates": {
            "rate_date": DATE,
            "from_currency_code": CURRENCY,
            "to_currency_code": CURRENCY,
            "rate_type": Code(("average",)),
            "rate_source": Code(("demo central bank",)),
            "exchange_rate": Decimals(8),
            **UPDATED,
        },
        "budgets": {
            "budget_version_id": version,
            "version_state": Code(("approved", "restated")),
            "version_effective_at": AT,
            "line_id": Identifier("BL", 5),
            **cost,
            "line_kind": Code(("expense",)),
            "budget_amount": MONEY,
            **_KIND,
            **UPDATED,
        },
        "ledger_actuals": {
            "journal_id": Identifier("J", 6),
            "line_number": WHOLE,
            "book_id": Code(("primary",)),
            **cost,
            "posted_at": AT,
            "document_date": DATE,
            "ledger_amount": MONEY,
            **_KIND,
            "vendor": Code(VENDORS),
            **UPDATED,
        },
        "tool_usage": {
            "tool_id": Code(TOOLS),
            "usage_date": DATE,
            "site_id": SITE,
            "pool_id": Code(POOLS),
            "active_users_count": WHOLE,
            "used_seats_count": WHOLE,
            "licensed_seats_count": WHOLE,
            "downtime_minutes": WHOLE,
            **UPDATED,
        },
    }
