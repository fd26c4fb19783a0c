-- Breaks: a merge of accounts makes or loses money. Each account id must lead to one account that was not given up itself; no fact may
-- name an account that was given up; and every order, ticket, contact and answer must be there once, as it was before it moved.
{% set facts = {'fct_order': 'stg_orders', 'fct_ticket': 'stg_tickets', 'fct_interaction': 'stg_interactions', 'fct_survey_response': 'stg_survey_responses'} %}
select 'account leads to two' as broken, account_id as broken_id from {{ ref('int_core__account_merged') }} group by account_id having count(*) > 1
union all
select 'surviving account was given up' as broken, merged.account_id as broken_id
from {{ ref('int_core__account_merged') }} as merged
inner join {{ ref('int_core__account_merged') }} as further on merged.surviving_account_id = further.account_id
where further.is_merged
{% for fact, staged in facts.items() %}
union all
select '{{ fact }} names an account that was given up' as broken, facts.account_id as broken_id
from {{ ref(fact) }} as facts
inner join {{ ref('int_core__account_merged') }} as merged on facts.account_id = merged.account_id
where merged.is_merged and {{ affected('facts.period_month') }}
union all
select '{{ fact }} before and after' as broken, cast(counted.fact_count - counted.staged_count as string) as broken_id
from (select (select count(*) from {{ ref(fact) }}) as fact_count, (select count(*) from {{ ref(staged) }}) as staged_count) as counted
where counted.fact_count <> counted.staged_count
{% endfor %}
