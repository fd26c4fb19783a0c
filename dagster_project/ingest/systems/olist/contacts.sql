-- One row a customer_id: an alias under which a person placed one order.
select record_number, customer_id as contact_id, customer_unique_id as account_id from source
