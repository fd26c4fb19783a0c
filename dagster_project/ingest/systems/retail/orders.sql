-- One row an invoice. Numbers starting with C are cancellations (credit memos), with A bad-debt adjustments.
-- Amounts are left to the lines; an invoice that spans two minutes begins with the earlier one.
select
    min(record_number) as record_number,
    InvoiceNo as order_id,
    regexp_replace(max(CustomerID), '\.0$', '') as account_id,
    case left(InvoiceNo, 1) when 'C' then 'credit_memo' when 'A' then 'adjustment' else 'sale' end as order_kind,
    min(InvoiceDate) as ordered_at,
    'GBP' as currency_code
from source
where InvoiceNo is not null
group by InvoiceNo
