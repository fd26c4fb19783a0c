-- One row an order; amounts are on its lines, the person is found through the contact.
select
    record_number,
    order_id,
    customer_id as contact_id,
    order_purchase_timestamp as ordered_at,
    order_approved_at as processed_at,
    order_delivered_customer_date as delivered_at,
    order_estimated_delivery_date as promised_at,
    'BRL' as currency_code,
    case order_status when 'canceled' then 'cancelled' end as financial_state,
    order_status as order_state
from source
