{{ metric_rows([
    'dim_account', 'dim_period', 'fct_interaction', 'fct_ticket', 'fct_ticket_interval', 'mart_account_sales_month', 'mart_account_service_month',
    'mart_cost_per_unit', 'mart_cost_reconciliation', 'mart_ticket_clock', 'concentration_month', 'retention_month', 'service_roi_month', 'ticket_month',
]) }}
