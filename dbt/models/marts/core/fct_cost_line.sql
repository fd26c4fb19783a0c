with fct_cost_line as (
    select
        cost_line_id,
        period_month,
        cost_source,
        budget_version_id,
        legal_entity,
        cost_centre,
        department_id,
        site_id,
        team_id,
        fiscal_period,
        fiscal_year,
        line_kind,
        cost_category,
        pool_id,
        gl_account,
        cost_behaviour,
        traceability,
        recurrence,
        scope_reason,
        transaction_currency_code,
        currency_code,
        is_in_scope,
        is_capex,
        is_in_force,
        is_counted,
        is_roi_basis,
        is_roi_basis and cost_source = 'budget' as is_provisional,
        cost_amount is null as is_fx_missing,
        transaction_cost_amount,
        cost_amount
    from {{ ref('int_cost__line_placed') }}
)

select * from fct_cost_line
