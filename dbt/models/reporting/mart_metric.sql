{{ metric_rows([
    'dim_account', 'dim_period', 'fct_interaction', 'fct_survey_invitation', 'fct_ticket', 'mart_account_sales_month', 'mart_account_service_month',
    'mart_cost_reconciliation', 'mart_unit_cost_detail', 'concentration_month', 'mart_survey_score', 'retention_month', 'service_roi_month',
]) }}
