-- Built completely in each run: a month is compared with the one before, which a run may rebuild alone.
with months as (
    select period_month, lag(period_month) over (order by period_month) as prior_period_month, is_complete_period from {{ ref('dim_period') }} where start_date <= as_of_date
),

currency as (
    select reporting_currency_code, {{ currency_decimals('reporting_currency_code') }} as currency_decimals from {{ source('lake', 'run_parameters') }}
),

by_channel as (
    select
        details.period_month, details.unit_kind, details.channel,
        case when count(details.cost_amount) = count(*) then cast(sum({{ minor_units('details.cost_amount', 'currency.currency_decimals') }}) as bigint) end as cost_minor,
        case when sum(details.volume_count) > 0 or count(details.volume_count) = count(*) then cast(sum(details.volume_count) as bigint) end as volume_count,
        case when count(details.handle_seconds) = count(*) then cast(sum(details.handle_seconds) as bigint) end as handle_seconds,
        bool_or(details.is_provisional) as is_provisional,
        min(details.cost_null_reason) as cost_null_reason,
        min(details.volume_null_reason) as volume_null_reason,
        min(details.handle_null_reason) as handle_null_reason
    from {{ ref('mart_unit_cost_detail') }} as details
    cross join currency
    group by details.period_month, details.unit_kind, details.channel
),

-- A channel without a row in a month had nothing, where the total of the month is known.
channels as (
    select distinct unit_kind, channel from by_channel
),

filled as (
    select
        totals.period_month, totals.unit_kind, channels.channel,
        coalesce(own.cost_minor, case when own.channel is null and totals.cost_minor is not null then 0 end) as cost_minor,
        coalesce(own.volume_count, case when own.channel is null and totals.volume_null_reason is null then 0 end) as volume_count,
        coalesce(own.handle_seconds, case when own.channel is null and totals.handle_seconds is not null then 0 end) as handle_seconds,
        totals.is_provisional,
        coalesce(own.cost_null_reason, totals.cost_null_reason) as cost_null_reason,
        case when own.channel is null then totals.volume_null_reason else own.volume_null_reason end as volume_null_reason,
        case when own.channel is null then totals.handle_null_reason else own.handle_null_reason end as handle_null_reason
    from by_channel as totals
    inner join channels on totals.unit_kind = channels.unit_kind
    left join by_channel as own on totals.period_month = own.period_month and totals.unit_kind = own.unit_kind and channels.channel = own.channel
    where totals.channel = 'all'
),

paired as (
    select
        months.period_month, months.prior_period_month, months.is_complete_period, compared.unit_kind, compared.channel,
        compared.cost_minor, compared.volume_count, compared.handle_seconds,
        former.cost_minor as prior_cost_minor, former.volume_count as prior_volume_count, former.handle_seconds as prior_handle_seconds,
        compared.is_provisional or coalesce(former.is_provisional, false) as is_provisional,
        case
            when former.period_month is null then 'source_absent'
            when compared.cost_minor is null then compared.cost_null_reason
            when former.cost_minor is null then former.cost_null_reason
        end as change_null_reason,
        case
            when compared.volume_count is null or former.volume_count is null then 'source_absent'
            when former.volume_count = 0 then 'zero_denominator'
            when compared.handle_seconds is null then compared.handle_null_reason
            when former.handle_seconds is null then former.handle_null_reason
            when former.handle_seconds = 0 then 'zero_denominator'
        end as parts_null_reason
    from filled as compared
    inner join months on compared.period_month = months.period_month
    left join filled as former on months.prior_period_month = former.period_month and compared.unit_kind = former.unit_kind and compared.channel = former.channel
    where
        compared.channel = 'all' or compared.volume_count is distinct from 0 or compared.cost_minor is distinct from 0
        or (former.period_month is not null and (former.volume_count is distinct from 0 or former.cost_minor is distinct from 0))
),

-- Cost of the month before, at the volume of this one, then at its time; what is left is price. Rounded as levels, so the parts sum to the change.
levels as (
    select
        *,
        case when change_null_reason is null and parts_null_reason is null then
            cast({{ rounded_quotient('(' ~ wide_integer('prior_cost_minor') ~ ' * volume_count)', 'prior_volume_count') }} as bigint)
        end as at_volume_minor,
        case when change_null_reason is null and parts_null_reason is null then
            cast({{ rounded_quotient('(' ~ wide_integer('prior_cost_minor') ~ ' * handle_seconds)', 'prior_handle_seconds') }} as bigint)
        end as at_time_minor
    from paired
)

select
    levels.period_month,
    levels.prior_period_month,
    levels.unit_kind,
    levels.channel,
    currency.reporting_currency_code as currency_code,
    {{ amount_of('levels.cost_minor', 'currency.currency_decimals') }} as cost_amount,
    {{ amount_of('levels.prior_cost_minor', 'currency.currency_decimals') }} as prior_cost_amount,
    levels.volume_count,
    levels.prior_volume_count,
    levels.handle_seconds,
    levels.prior_handle_seconds,
    {{ unit_amount('levels.cost_minor', 'levels.volume_count', 'currency.currency_decimals') }} as unit_cost_amount,
    {{ unit_amount('levels.prior_cost_minor', 'levels.prior_volume_count', 'currency.currency_decimals') }} as prior_unit_cost_amount,
    {{ amount_of('(levels.cost_minor - levels.prior_cost_minor)', 'currency.currency_decimals') }} as change_amount,
    {{ amount_of('(levels.at_volume_minor - levels.prior_cost_minor)', 'currency.currency_decimals') }} as volume_variance_amount,
    {{ amount_of('(levels.at_time_minor - levels.at_volume_minor)', 'currency.currency_decimals') }} as efficiency_variance_amount,
    {{ amount_of('(levels.cost_minor - levels.at_time_minor)', 'currency.currency_decimals') }} as price_variance_amount,
    levels.is_complete_period,
    levels.is_provisional,
    levels.change_null_reason,
    coalesce(levels.change_null_reason, levels.parts_null_reason) as variance_null_reason
from levels
cross join currency
