{# Fills `scans`, what each scan of mart_metric reads, by name: a semantic model with a month column, the metrics that it gives (name, meta, measure, condition),
   their cuts (SQL of each) and the joins that these need. And `by_name`, the metrics. A wrong declaration is refused by the name of its metric. #}
{% macro metric_scans(metrics, relations, scans, by_name) %}
{%- set measures, entities = {}, {} -%}
{%- for subject in graph.semantic_models.values() | sort(attribute='name') -%}
    {%- for measure in subject.measures -%}{%- do measures.update({measure.name: [subject, measure]}) -%}{%- endfor -%}
    {%- for entity in subject.entities if entity.type == 'primary' -%}{%- do entities.update({entity.name: [subject, entity]}) -%}{%- endfor -%}
{%- endfor -%}
{%- for metric in metrics -%}
    {%- do by_name.update({metric.name: metric}) -%}
    {%- if metric.type == 'simple' -%}
        {%- set subject, measure = measures[metric.type_params.measure.name] -%}
        {%- if subject.node_relation.alias not in relations -%}
            {{- exceptions.raise_compiler_error("metric " ~ metric.name ~ " reads ref('" ~ subject.node_relation.alias ~ "'), which mart_metric.sql does not name; remedy: add it to the list there") -}}
        {%- endif -%}
        {%- set month = measure.agg_time_dimension or subject.defaults.agg_time_dimension -%}
        {%- set scan = scans.setdefault(subject.name ~ '_by_' ~ month, {'subject': subject, 'month': month, 'metrics': [], 'cuts': {}, 'joins': {}}) -%}
        {%- do scan.metrics.append([metric.name, metric.config.meta, measure, metric_condition(metric, subject)]) -%}
        {%- for cut in metric.config.meta.get('cuts', []) -%}
            {%- for dimension in subject.dimensions if dimension.name == cut -%}{%- do scan.cuts.update({cut: 'facts.' ~ (dimension.expr or cut)}) -%}{%- endfor -%}
            {%- for foreign in subject.entities if foreign.name in entities and foreign.type == 'foreign' and cut not in scan.cuts -%}
                {%- set other, key = entities[foreign.name] -%}
                {%- for dimension in other.dimensions if dimension.name == cut -%}
                    {%- do scan.cuts.update({cut: foreign.name ~ '.' ~ (dimension.expr or cut)}) -%}
                    {%- do scan.joins.update({foreign.name: relations[other.node_relation.alias] ~ ' as ' ~ foreign.name ~ ' on facts.' ~ foreign.expr ~ ' = ' ~ foreign.name ~ '.' ~ key.expr}) -%}
                {%- endfor -%}
            {%- endfor -%}
            {%- if cut not in scan.cuts -%}{{- exceptions.raise_compiler_error("metric " ~ metric.name ~ " is cut by " ~ cut ~ ", which is no dimension of semantic model " ~ subject.name ~ " or of an entity it names") -}}{%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endfor -%}
{% endmacro %}
