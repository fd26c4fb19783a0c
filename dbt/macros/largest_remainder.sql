{# Largest remainder (Hamilton) in whole numbers: the one implementation behind the budget spread and both allocation levels.

   Per pool with amount A (cents, any sign) and weights w >= 0 with sum W: floor(|A| * w / W), then one cent each to the
   largest remainders; ties: the larger weight, then `key`. A negative amount mirrors its positive one. Pools with W = 0
   give no row: the caller sends them to UNALLOCATED.

   A row may stand for `members` objects of the same weight, because equal weights have equal quotients and remainders:
   the first `bonus_count` of them by key get one cent more. That keeps the sort as small as the number of distinct weights.
   Gives the rows of `relation` plus base_minor (signed), bonus_minor (+1 or -1), bonus_count; the amount of a row with one
   member is base_minor + bonus_minor * bonus_count. `total` names a column that already holds W. #}
{% macro largest_remainder(relation, pool, amount, weight, key, members='1', total=none) -%}
select
    handed.*,
    cast(handed.pool_sign * handed.floor_minor as bigint) as base_minor,
    cast(handed.pool_sign as bigint) as bonus_minor,
    cast(greatest(0, least(handed.member_count, handed.left_minor - handed.member_before_count)) as bigint) as bonus_count
from (
    select
        divided.*,
        abs(divided.{{ amount }}) - sum(divided.floor_minor * divided.member_count) over (partition by divided.{{ pool }}) as left_minor,
        sum(divided.member_count) over (
            partition by divided.{{ pool }}
            order by divided.remainder_minor desc, divided.{{ weight }} desc, divided.{{ key }}
            rows between unbounded preceding and current row
        ) - divided.member_count as member_before_count
    from (
        select
            weighed.*,
            sign(weighed.{{ amount }}) as pool_sign,
            {{ integer_quotient(wide_integer('abs(weighed.' ~ amount ~ ')') ~ ' * weighed.' ~ weight, 'weighed.weight_total') }} as floor_minor,
            ({{ wide_integer('abs(weighed.' ~ amount ~ ')') }} * weighed.{{ weight }}) % weighed.weight_total as remainder_minor
        from (
            select
                shares.*,
                {{ members }} as member_count,
                {{ 'shares.' ~ total if total else 'sum(' ~ wide_integer('shares.' ~ weight) ~ ' * ' ~ members ~ ') over (partition by shares.' ~ pool ~ ')' }} as weight_total
            from {{ relation }} as shares
        ) as weighed
        where weighed.weight_total > 0
    ) as divided
) as handed
{%- endmacro %}
