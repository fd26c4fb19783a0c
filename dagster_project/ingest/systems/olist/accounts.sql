-- One row a person.
select min(record_number) as record_number, customer_unique_id as account_id, 'b2c' as account_kind, 'BR' as country_code
from source
where customer_unique_id is not null
group by customer_unique_id
