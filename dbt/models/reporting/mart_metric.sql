{{ metric_rows([
    'dim_account', 'dim_period', 'fct_interaction', 'fct_ticket', 'mart_account_sales_month', 'mart_account_service_month',
    'mart_cost_per_unit', 'mart_cost_reconciliation', 'concentration_month', 'retention_month', 'service_roi_month',
    'issue_chain_month', 'self_service_month', 'service_entry_month',
]) }}
