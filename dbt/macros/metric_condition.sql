{# The filter of a metric over columns of its semantic model; rows that are totals are the row of all there (meta `total`). #}
{% macro metric_condition(metric, subject) -%}
{%- set written = namespace(sql='(' ~ (metric.filter.where_filters | map(attribute='where_sql_template') | join(') and (') if metric.filter else 'true') ~ ')') -%}
{%- for dimension in subject.dimensions -%}
{%- set expr = 'false' if dimension.name == subject.config.meta.total else dimension.expr or dimension.name -%}
{%- set written.sql = modules.re.sub("\\{\\{\\s*Dimension\\(\\s*['\"]" ~ subject.primary_entity ~ "__" ~ dimension.name ~ "['\"]\\s*\\)\\s*\\}\\}", '(' ~ expr ~ ')', written.sql) -%}
{%- endfor -%}
{%- if '{' ~ '{' in written.sql -%}{{- exceptions.raise_compiler_error("metric " ~ metric.name ~ " filters by what is no dimension of semantic model " ~ subject.name ~ ": " ~ written.sql) -}}{%- endif -%}
{{ written.sql }}
{%- endmacro %}
