-- One row an invoice line. The source has no line id, and equal rows of one invoice are real lines: the id is the hash of
-- the row's values plus its occurrence within the invoice, so that any order of loading gives the same ids.
with lines as (
    select
        *,
        left(md5(concat_ws(
            '|', InvoiceNo, coalesce(StockCode, ''), coalesce(Description, ''), coalesce(Quantity, ''), coalesce(InvoiceDate, ''),
            coalesce(UnitPrice, ''), coalesce(CustomerID, ''), coalesce(Country, '')
        )), 16) as values_hash
    from source
)

select
    record_number,
    InvoiceNo as order_id,
    InvoiceNo || '-' || values_hash || '-' || row_number() over (partition by values_hash order by record_number) as line_id,
    StockCode as product_id,
    case
        when StockCode in ('POST', 'DOT', 'C2') then 'shipping'
        when StockCode in ('BANK CHARGES', 'AMAZONFEE', 'CRUK') then 'fee'
        when StockCode in ('B', 'D', 'M', 'm') then 'adjustment'
        else 'product'
    end as line_kind,
    Quantity as quantity,
    UnitPrice as unit_price,
    round(try_cast(Quantity as decimal(18, 3)) * try_cast(UnitPrice as decimal(18, 4)), 2)::decimal(18, 3) as net_amount
from lines
