{# Largest remainder (Hamilton) in whole numbers: the one implementation behind the budget spread and both allocation levels.

   Per pool with amount A (cents, any sign) and weights w >= 0 with sum W: floor(|A| * w / W), then one cent each to the
   largest remainders; ties: the larger weight, then `key`. A negative amount mirrors its positive one. Pools with W = 0
   give no row: the caller sends them to UNALLOCATED.

   A row may represent `members` objects of the same weight, because equal weights have equal quotients and remainders:
   the first `bonus_count` of them by key get one cent more. That keeps the sort as small as the number of distinct weights.
   Gives the rows of `relation` plus base_minor (signed), bonus_minor (+1 or -1), bonus_count; the amount of a row with one
   member is base_minor + bonus_minor * bonus_count. `total` names a column that already holds W. #}
{% macro largest_remainder(relation, pool, amount, weight, key, members='1', total=none) -%}
{%- set size = 'abs(weighed.' ~ amount ~ ')' -%}
{%- set share = 'weighed.' ~ weight -%}
{%- set fits = size ~ ' <= ' ~ narrow_limit() ~ ' and ' ~ share ~ ' <= ' ~ narrow_limit() -%}
select
    handed.*,
    handed.pool_sign * handed.floor_minor as base_minor,
    handed.pool_sign as bonus_minor,
    greatest(0, least(handed.member_count, handed.left_minor - handed.member_before_count)) as bonus_count
from (
    select
        divided.*,
        abs(divided.{{ amount }}) - cast(sum(divided.floor_minor * divided.member_count) over (partition by divided.{{ pool }}) as bigint) as left_minor,
        cast(sum(divided.member_count) over (
            partition by divided.{{ pool }}
            order by divided.remainder_minor desc, divided.{{ weight }} desc, divided.{{ key }}
            rows between unbounded preceding and current row
        ) as bigint) - divided.member_count as member_before_count
    from (
        select
            weighed.*,
            {{ direction('weighed.' ~ amount) }} as pool_sign,
            -- Products that fit 64 bits are taken there: four times faster, and nearly all of them do.
            case
                when {{ fits }} then {{ integer_quotient(size ~ ' * ' ~ share, 'weighed.weight_total') }}
                else cast({{ integer_quotient(wide_integer(size) ~ ' * ' ~ share, 'weighed.weight_total') }} as bigint)
            end as floor_minor,
            case
                when {{ fits }} then ({{ size }} * {{ share }}) % weighed.weight_total
                else cast(({{ wide_integer(size) }} * {{ share }}) % weighed.weight_total as bigint)
            end as remainder_minor
        from (
            select
                shares.*,
                cast({{ members }} as bigint) as member_count,
                cast({{ 'shares.' ~ total if total else 'sum(shares.' ~ weight ~ ' * ' ~ members ~ ') over (partition by shares.' ~ pool ~ ')' }} as bigint) as weight_total
            from {{ relation }} as shares
        ) as weighed
        where weighed.weight_total > 0
    ) as divided
) as handed
{%- endmacro %}
