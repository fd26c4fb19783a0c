{# Rows of mart_metric, made from the semantic models and metrics that the yml next to each model declares (decision 34; what `config.meta`
   may say is in metrics/registry.py). `models` names the models that metrics read, and dim_period: dbt follows a reference only where it
   is written. One scan per semantic model and month column gives all its metrics at all their cuts; ratios are made of the rows of their parts. #}
{% macro metric_rows(models) %}
{%- set relations = {} -%}
{%- for name in models -%}{%- do relations.update({name: ref(name)}) -%}{%- endfor -%}
{%- set feed_presence = source('lake', 'feed_presence') -%}
{%- if graph is defined and graph.metrics -%}
{%- set metrics = graph.metrics.values() | sort(attribute='name') | list -%}
{%- set scans, by_name = {}, {} -%}
{%- do metric_scans(metrics, relations, scans, by_name) -%}
with metrics as (
    select * from (values
        {% for metric in metrics %}('{{ metric.name }}', '{{ metric.config.meta.unit }}', '{{ metric.config.meta.kind }}'){{ ', ' if not loop.last }}{% endfor %}
    ) as listed (metric_id, unit, kind)
),

months as (
    select period_month, is_complete_period, has_tickets, has_interactions, has_orders, start_date <= as_of_date as has_begun, min(period_month) over () as first_month, lag(period_month, 11) over (order by period_month) as year_start
    from {{ relations.dim_period }}
),
{% for name, scan in scans.items() %}
{%- set meta = scan.subject.config.meta %}
{{ name }} as (
    select
        metric_month, metric_kind,
        {#- A row that is a total has no cut: it is in the set of each, and only that of the first is listed as 'all'. #}
        {{ 'case' if scan.cuts }} {% for cut in scan.cuts %}when cut_{{ cut }} is not null then '{{ cut }}' {% endfor %}{% if not scan.cuts %}'all'{% elif meta.total and scan.cuts | length > 1 %}when grouping(cut_{{ scan.cuts.keys() | first }}) = 0 then 'all' end{% else %}else 'all' end{% endif %} as cut,
        coalesce({% for cut in scan.cuts %}cut_{{ cut }}, {% endfor %}'all') as member
        {%- for id, own, measure, holds in scan.metrics %}
        {%- set expr = measure.expr or measure.name -%}
        {%- set found = ('max' if measure.agg == 'max' else 'sum') ~ '(case when ' ~ holds ~ ' then ' ~ ('1' if measure.agg == 'count' else expr) ~ ' end)' %},
        {{ found }} as {{ id }}_value
        {%- for part in ['num', 'den', 'n', 'low', 'high'] if own[part] %}, max(case when {{ holds }} then {{ own[part] }} end) as {{ id }}_{{ part }}{% endfor %}
        {%- if own.null_reason %}{% set reason = 'min(case when ' ~ holds ~ ' and ' ~ expr ~ ' is null then ' ~ own.null_reason ~ ' end)' %}, {{ 'case when coalesce(' ~ found ~ ', 0) = 0 then ' ~ reason ~ ' end' if own.of_known else reason }} as {{ id }}_null_reason{% endif %}
        {%- if own.provisional %}, bool_or({{ holds }} and {{ own.provisional }}) as {{ id }}_is_provisional{% endif %}
        {%- endfor %}
    from (
        select
            facts.*, facts.{{ scan.month }} as metric_month, {{ 'facts.' ~ meta.period_kind if meta.period_kind else "'month'" }} as metric_kind
            {%- for cut, column in scan.cuts.items() %}, {{ 'case when not (' ~ metric_dimension(scan.subject, meta.total) ~ ') then ' if meta.total }}coalesce(cast({{ column }} as string), 'none'){{ ' end' if meta.total }} as cut_{{ cut }}{% endfor %}
        from {{ relations[scan.subject.node_relation.alias] }} as facts
        {%- for join in scan.joins.values() %}
        left join {{ join }}
        {%- endfor %}
        where facts.{{ scan.month }} is not null
    ) as facts
    group by {% if scan.cuts %}grouping sets (
        {%- if not meta.total and meta.has_total is not false %}(metric_month, metric_kind), {% endif -%}
        {%- for cut in scan.cuts %}(metric_month, metric_kind, cut_{{ cut }}){{ ', ' if not loop.last }}{% endfor %})
{% else %}metric_month, metric_kind{% endif %}
),
{% endfor %}
found as (
    {%- for name, scan in scans.items() %}
    select
        listed.metric_id, facts.metric_kind as period_kind, facts.metric_month as period_month, facts.cut, facts.member,
        {{ metric_pick(scan.metrics, 'num', 'decimal(28, 6)') }} as num,
        {{ metric_pick(scan.metrics, 'den', 'decimal(28, 6)') }} as den,
        {{ metric_pick(scan.metrics, 'value', 'double') }} as value,
        {{ metric_pick(scan.metrics, 'n', 'bigint') }} as n,
        {{ metric_pick(scan.metrics, 'low', 'double') }} as low,
        {{ metric_pick(scan.metrics, 'high', 'double') }} as high,
        {{ metric_pick(scan.metrics, 'null_reason', 'string') }} as null_reason,
        coalesce({{ metric_pick(scan.metrics, 'is_provisional', 'boolean') }}, false) as is_provisional
    from {{ name }} as facts
    inner join (values
        {% for id, own, measure, holds in scan.metrics %}{% set last = loop.last %}{% for cut in (['all'] if scan.subject.config.meta.has_total is not false else []) + own.get('cuts', []) %}('{{ id }}', '{{ cut }}'){{ ', ' if not (last and loop.last) }}{% endfor %}{% endfor %}
    ) as listed (metric_id, cut) on facts.cut = listed.cut
    {{- ' union all' if not loop.last }}
    {%- endfor %}
),

-- A group without a row of a sum says nothing of it; of a count it says 0.
known as (
    select * from found where value is not null or num is not null or null_reason is not null
),

-- A month that has no row of a metric: its source never came, or nothing happened.
sources as (
    select listed.metric_id, listed.source, coalesce(bool_or(presence.is_present), false) as has_come
    from (values
        {% for scan in scans.values() %}{% set last = loop.last %}{% for id, own, measure, holds in scan.metrics %}{% set last_metric = loop.last %}{% for source in own.sources %}{% set last_source = loop.last %}{% for feed in source.split('|') %}('{{ id }}', '{{ source }}', '{{ feed }}'){{ ', ' if not (last and last_metric and last_source and loop.last) }}{% endfor %}{% endfor %}{% endfor %}{% endfor %}
    ) as listed (metric_id, source, feed)
    left join {{ feed_presence }} as presence on listed.feed = presence.feed
    group by listed.metric_id, listed.source
),

expected as (
    select listed.metric_id, listed.no_rows_reason, listed.is_counted, bool_and(sources.has_come) as has_sources,
        bool_or(sources.source = 'tickets') as needs_tickets, bool_or(sources.source = 'interactions') as needs_interactions, bool_or(sources.source in ('orders', 'order_lines')) as needs_orders
    from (values
        {% for scan in scans.values() %}{% set last = loop.last %}{% for id, own, measure, holds in scan.metrics %}('{{ id }}', {{ "'" ~ own.no_rows ~ "'" if own.no_rows else 'cast(null as string)' }}, {{ 'true' if scan.subject.node_relation.schema_name == 'marts' else 'false' }}){{ ', ' if not (last and loop.last) }}{% endfor %}{% endfor %}
    ) as listed (metric_id, no_rows_reason, is_counted)
    inner join sources on listed.metric_id = sources.metric_id
    group by listed.metric_id, listed.no_rows_reason, listed.is_counted
),

-- Before the first record of a feed nobody knows what happened.
months_expected as (
    select
        expected.metric_id, expected.no_rows_reason, expected.is_counted or not expected.has_sources as is_filled, months.period_month,
        expected.has_sources and (months.has_tickets or not expected.needs_tickets) and (months.has_interactions or not expected.needs_interactions) and (months.has_orders or not expected.needs_orders) as has_sources
    from expected
    inner join months on months.has_begun
),

filled as (
    select * from known
    union all
    select
        expected.metric_id, 'month' as period_kind, expected.period_month, 'all' as cut, 'all' as member,
        case when expected.has_sources and expected.no_rows_reason is null then cast(0 as decimal(28, 6)) end as num,
        cast(null as decimal(28, 6)) as den, cast(null as double) as value, cast(null as bigint) as n, cast(null as double) as low, cast(null as double) as high,
        case when not expected.has_sources then 'source_absent' else expected.no_rows_reason end as null_reason,
        false as is_provisional
    from months_expected as expected
    left join known on expected.metric_id = known.metric_id and expected.period_month = known.period_month and known.cut = 'all' and known.period_kind = 'month'
    where known.metric_id is null and expected.is_filled
),

parts as (
    select * from (values
        {% for metric in metrics if metric.type == 'ratio' %}{% set last = loop.last %}{% set numerator, denominator = metric.type_params.numerator.name, metric.type_params.denominator.name %}{% for cut in ['all'] + metric.config.meta.get('cuts', []) %}
        ('{{ metric.name }}', '{{ cut }}', '{{ numerator }}', true, false), ('{{ metric.name }}', '{{ cut }}', '{{ denominator }}', false, {{ 'true' if by_name[denominator].config.meta.unit == 'count' else 'false' }}){{ ', ' if not (last and loop.last) }}{% endfor %}{% endfor %}
    ) as listed (metric_id, cut, part_id, is_numerator, is_number)
),

ratios as (
    select
        parts.metric_id, filled.period_kind, filled.period_month, filled.cut, filled.member,
        max(case when parts.is_numerator then filled.num end) as num,
        max(case when not parts.is_numerator then filled.num end) as den,
        cast(max(case when parts.is_number then filled.num end) as bigint) as n,
        min(case when parts.is_numerator then filled.null_reason end) as num_null_reason,
        min(case when not parts.is_numerator then filled.null_reason end) as den_null_reason,
        bool_or(filled.is_provisional) as is_provisional
    from parts
    inner join filled on parts.part_id = filled.metric_id and parts.cut = filled.cut
    group by parts.metric_id, filled.period_kind, filled.period_month, filled.cut, filled.member
),

figures as (
    select
        metric_id, period_kind, period_month, cut, member, num, den, coalesce(value, cast(case when null_reason is null and den is null then num end as double)) as value, n, low, high,
        coalesce(null_reason, case when value is null and den = 0 then 'zero_denominator' end) as null_reason, is_provisional
    from filled
    union all
    select
        metric_id, period_kind, period_month, cut, member, num, den, cast(num as double) / nullif(cast(den as double), 0) as value, n, cast(null as double) as low, cast(null as double) as high,
        coalesce(num_null_reason, den_null_reason, case when den = 0 then 'zero_denominator' end) as null_reason, is_provisional
    from ratios
),

metric_rows as (
    select
        figures.metric_id, figures.period_kind, figures.period_month,
        case when figures.period_kind = 'month' then figures.period_month else coalesce(case when figures.period_kind = 'trailing_12' then months.year_start end, months.first_month) end as period_start,
        figures.cut, figures.member, figures.num, figures.den, figures.value,
        case when metrics.kind = 'proportion' then cast(figures.den as bigint) else figures.n end as n,
        case when metrics.kind = 'proportion' and (figures.value is not null or figures.null_reason = 'n_below_30') and figures.num between 0 and figures.den then {{ wilson_bound('figures.num', 'figures.den', '-') }} else figures.low end as low,
        case when metrics.kind = 'proportion' and (figures.value is not null or figures.null_reason = 'n_below_30') and figures.num between 0 and figures.den then {{ wilson_bound('figures.num', 'figures.den', '+') }} else figures.high end as high,
        metrics.unit, figures.null_reason, figures.is_provisional, months.is_complete_period
    from figures
    inner join metrics on figures.metric_id = metrics.metric_id
    inner join months on figures.period_month = months.period_month
    where figures.value is not null or figures.null_reason is not null
)

select * from metric_rows
{%- endif -%}
{% endmacro %}
