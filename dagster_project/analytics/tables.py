"""The tables of schema `analytics`: their columns, and which of them hold rows of a month."""

from dagster_project.analytics import concentration, retention, roi, tiers

MONTHLY = ("analytics.mart_service_roi_account", "analytics.mart_concentration", "analytics.mart_account_tier")
"""Tables whose rows belong to a month and stay when nothing from that month on has changed."""

TABLES = {
    "mart_service_roi_account": roi.ACCOUNT_COLUMNS,
    "mart_service_roi_month": roi.MONTH_COLUMNS,
    "mart_retention_month": retention.MONTH_COLUMNS,
    "mart_retention_cohort": retention.COHORT_COLUMNS,
    "mart_concentration": concentration.CONCENTRATION_COLUMNS,
    "mart_concentration_curve": concentration.CURVE_COLUMNS,
    "mart_account_tier": tiers.TIER_COLUMNS,
}
"""Tables of schema `analytics`."""
