-- One row a customer seen in the file; the country is the one of the last line.
select
    min(record_number) as record_number,
    regexp_replace(CustomerID, '\.0$', '') as account_id,
    max_by(Country, (InvoiceDate, InvoiceNo, Country)) as country_code
from source
where CustomerID is not null
group by regexp_replace(CustomerID, '\.0$', '')
