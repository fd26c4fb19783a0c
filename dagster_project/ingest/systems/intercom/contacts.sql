-- One row a contact, known by the company's own number (external_id) where it has one. Of several companies the latest joined counts.
with companies as (
    select
        contact_company_history.contact_id,
        max_by(
            coalesce(company_history.company_id, contact_company_history.company_id),
            (try_cast(contact_company_history.contact_updated_at as timestamp), contact_company_history.company_id)
        ) as account_id
    from contact_company_history
    left join company_history on contact_company_history.company_id = company_history.id
    group by contact_company_history.contact_id
)

select
    source.record_number,
    coalesce(source.external_id, source.id) as contact_id,
    coalesce(companies.account_id, source.external_id, source.id) as account_id,
    source.email as email_hash,
    source.phone as phone_hash,
    source.role,
    source.updated_at as source_updated_at
from source
left join companies on source.id = companies.contact_id
