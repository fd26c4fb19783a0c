with entries as (
    select period_month, 'session' as entry_kind, channel, count(*) as entries_count
    from {{ ref('fct_self_service_session') }}
    where is_counted
    group by period_month, channel
    union all
    select period_month, 'contact', channel, count(*)
    from {{ ref('fct_interaction') }}
    where is_costed and direction = 'in' and account_id <> 'NON_CUSTOMER'
    group by period_month, channel
),

firsts as (
    select min(case when entry_kind = 'session' then period_month end) as first_session_month from entries
),

-- A month without an entry of a kind has 0 of it, and none before the first of the kind is known.
every_month as (
    select dim_period.period_month, 'session' as entry_kind, coalesce(dim_period.period_month >= firsts.first_session_month, false) as has_begun
    from {{ ref('dim_period') }} as dim_period
    cross join firsts
    where dim_period.start_date <= dim_period.as_of_date
    union all
    select period_month, 'contact', has_interactions from {{ ref('dim_period') }} as dim_period where start_date <= as_of_date
)

select
    every_month.period_month,
    every_month.entry_kind,
    entries.channel,
    case when every_month.has_begun then coalesce(entries.entries_count, 0) end as entries_count,
    case when not every_month.has_begun then 'source_absent' end as null_reason
from every_month
left join entries on every_month.period_month = entries.period_month and every_month.entry_kind = entries.entry_kind
