-- One row a conversation that was rated: 1 to 5. A changed rating replaces the earlier one.
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
),

participants as (
    select conversation_id, min(contact_id) as contact_id
    from conversation_contact_history
    group by conversation_id
),

rated as (
    select
        source.*,
        coalesce(
            case when source.source_author_type in ('user', 'lead', 'contact') then source.source_author_id end, participants.contact_id
        ) as customer_id
    from source
    left join participants on source.id = participants.conversation_id
    where source.conversation_rating_value is not null
)

select
    rated.record_number,
    rated.id as response_id,
    'conversation_rating' as question_key,
    'transactional' as survey_kind,
    'csat' as survey_metric,
    1 as scale_min,
    5 as scale_max,
    rated.conversation_rating_value as score,
    rated.conversation_rating_remark as comment,
    coalesce(companies.account_id, customer.external_id, customer.id) as account_id,
    coalesce(customer.external_id, rated.customer_id) as contact_id,
    rated.id as ticket_id,
    'messaging' as channel,
    coalesce(rated.conversation_rating_created_at, rated.updated_at) as responded_at,
    rated.updated_at as source_updated_at
from rated
left join companies on rated.customer_id = companies.contact_id
left join contact_history as customer on rated.customer_id = customer.id
