{# Who a contact or session is of: the account, or where none is known the contact that the source names; null when nobody is known. #}
{% macro customer_key(row) -%}
case when {{ row }}.account_id <> 'ACCOUNT_UNKNOWN' then 'account ' || {{ row }}.account_id else 'contact ' || {{ row }}.contact_id end
{%- endmacro %}
