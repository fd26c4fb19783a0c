{{ metric_rows([
    'dim_account', 'dim_period', 'fct_interaction', 'fct_ticket', 'mart_account_sales_month', 'mart_account_service_month',
    'mart_cost_per_unit', 'mart_cost_reconciliation', 'concentration_month', 'retention_month', 'service_roi_month',
    'agent_month', 'fct_agent_day', 'fct_training', 'mart_budget_variance', 'mart_tool_month', 'mart_workforce_turnover',
]) }}
