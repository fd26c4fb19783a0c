-- One row a payment of an order; the source gives no instant of payment.
select
    record_number,
    order_id || '-' || payment_sequential as payment_id,
    order_id,
    payment_value as payment_amount,
    'BRL' as currency_code,
    payment_type as payment_method,
    payment_installments as instalment_count
from source
