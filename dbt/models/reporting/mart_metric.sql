{{ metric_rows([
    'agent_month', 'concentration_month', 'customer_wait_month', 'dim_account', 'dim_period', 'fct_agent_day', 'fct_interaction',
    'fct_survey_invitation', 'fct_ticket', 'fct_ticket_interval', 'fct_training', 'issue_chain_month', 'mart_account_sales_month',
    'mart_account_service_month', 'mart_budget_variance', 'mart_capacity_cost', 'mart_cost_reconciliation', 'mart_queue_interval',
    'mart_survey_score', 'mart_ticket_clock', 'mart_tool_month',
    'mart_unit_cost_detail', 'mart_workforce_turnover', 'retention_month', 'self_service_month', 'service_entry_month',
    'service_roi_month', 'ticket_month',
]) }}
