select
    period_month,
    window_kind,
    measure_kind,
    top20_share,
    customer_share_for_80,
    gini_ratio,
    null_reason,
    gini_null_reason
from {{ source('analytics', 'mart_concentration') }}
