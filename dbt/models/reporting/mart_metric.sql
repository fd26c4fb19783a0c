{{ metric_rows([
    'dim_account', 'dim_period', 'fct_interaction', 'fct_ticket', 'mart_account_sales_month', 'mart_account_service_month',
    'mart_cost_per_unit', 'mart_cost_reconciliation', 'mart_queue_interval', 'concentration_month', 'retention_month', 'service_roi_month',
]) }}
