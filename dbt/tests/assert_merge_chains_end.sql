{{ config(severity='warn') }}
-- Warns: tickets or accounts are merged in a circle, or into one that is not known. Each stays itself and keeps its cost and its sales.
select 'ticket' as merged_kind, ticket_id as merged_id from {{ ref('fct_ticket') }} where is_merge_broken and {{ affected() }}
union all
select 'account' as merged_kind, account_id as merged_id from {{ ref('dim_account') }} where is_merge_broken
