{# Bound of the Wilson interval (95 %) of a proportion of counts; null over none. Wilson (1927), JASA 22(158). Written with an
   exponent the constants (z = 1.959963984540054, z² / 2, z² / 4, z²) are doubles on both engines. #}
{% macro wilson_bound(num, den, side) -%}
{%- set num, den = 'cast(' ~ num ~ ' as double)', 'cast(' ~ den ~ ' as double)' -%}
{{ 'greatest(cast(0 as double)' if side == '-' else 'least(cast(1 as double)' }}, ({{ num }} + 1.9207294103470627e0 {{ side }} 1.959963984540054e0 * sqrt({{ num }} * ({{ den }} - {{ num }}) / nullif({{ den }}, 0) + 0.9603647051735313e0)) / nullif({{ den }} + 3.8414588206941254e0, 0))
{%- endmacro %}
