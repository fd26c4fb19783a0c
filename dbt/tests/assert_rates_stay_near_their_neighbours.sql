{{ config(severity='warn') }}
-- Warns: an exchange rate that came with this run is more than ten times, or less than a tenth of, most other rates of its two currencies from
-- the month before to the month after. The amounts of its month are converted by it. Correct the rate, or the unit it is in.
with rates as (
    select
        batch_id, record_number, rate_date, from_currency_code, to_currency_code, rate_type, rate_source, exchange_rate,
        year(rate_date) * 12 + month(rate_date) as month_number
    from {{ ref('stg_fx_rates') }}
    where not is_deleted and is_overruled is not true
),

shifts as (
    select -1 as shift union all select 0 as shift union all select 1 as shift
)

select
    new.batch_id, new.record_number, new.from_currency_code, new.to_currency_code, new.rate_date, new.rate_type, new.rate_source,
    new.exchange_rate, cast(median(near.exchange_rate) as decimal(18, 8)) as usual_rate
from rates as new
cross join shifts
inner join rates as near
    on new.from_currency_code = near.from_currency_code
    and new.to_currency_code = near.to_currency_code
    and new.month_number + shifts.shift = near.month_number
    and (new.rate_date <> near.rate_date or new.rate_type <> near.rate_type or new.rate_source <> near.rate_source)
where new.batch_id in (select arrived.batch_id from {{ source('arrived', 'fx_rates') }} as arrived)
group by
    new.batch_id, new.record_number, new.from_currency_code, new.to_currency_code, new.rate_date, new.rate_type, new.rate_source, new.exchange_rate
having 2 * sum(case when new.exchange_rate > 10 * near.exchange_rate or 10 * new.exchange_rate < near.exchange_rate then 1 else 0 end) > count(*)
