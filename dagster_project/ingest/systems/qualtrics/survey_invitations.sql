-- One row a contact of a distribution that was sent; reminders and thanks are no new invitation. The contact's external reference
-- is our contact id. An invitation waits for its distribution.
select
    source.record_number,
    distribution.id || ':' || source.contact_id as invitation_id,
    coalesce(
        nullif(regexp_extract(
            replace(replace(lower(survey.survey_name), ' ', '_'), '-', '_'),
            'transactional|complaint|relationship|win_loss|exit|problem_incidence|self_service_reason|staff'
        ), ''),
        'transactional'
    ) as survey_kind,
    coalesce(directory_contact.ext_ref, source.contact_id) as contact_id,
    case when source.distribution_id like 'SMS%' then 'sms' else 'email' end as channel,
    source.sent_at as invited_at,
    case when source.status not in ('SoftBounce', 'HardBounce', 'Failure') then source.sent_at end as delivered_at,
    source.opened_at,
    source.response_started_at as started_at,
    source.status in ('SoftBounce', 'HardBounce', 'Failure') as is_bounced,
    case
        when distribution.request_type in ('Reminder', 'ThankYou') then 'reminder or thanks'
        when source.sent_at is null then 'not sent'
    end as left_out
from source
left join distribution on source.distribution_id = distribution.id
left join survey on distribution.survey_link_survey_id = survey.id
left join directory_contact on source.contact_id = directory_contact.id
