with watermark as (
    select * from {{ ref('int_core__watermark') }}
),

from_feed as (
    select account_id, false as is_inferred from {{ ref('stg_accounts') }} where is_overruled is not true
),

-- Only a company without an accounts feed pays for reading every other feed.
mentioned as (
    select facts.account_id from {{ ref('stg_tickets') }} as facts inner join watermark on not watermark.has_accounts
    union
    select facts.account_id from {{ ref('stg_interactions') }} as facts inner join watermark on not watermark.has_accounts
    union
    select facts.account_id from {{ ref('stg_orders') }} as facts inner join watermark on not watermark.has_accounts
    union
    select facts.account_id from {{ ref('stg_survey_responses') }} as facts inner join watermark on not watermark.has_accounts
    union
    select facts.account_id from {{ ref('stg_self_service_sessions') }} as facts inner join watermark on not watermark.has_accounts
    union
    select facts.account_id from {{ ref('stg_contacts') }} as facts inner join watermark on not watermark.has_accounts
    union
    select facts.to_account_id from {{ ref('stg_account_merges') }} as facts inner join watermark on not watermark.has_accounts
),

listed as (
    select account_id, is_inferred from from_feed
    union all
    select account_id, true as is_inferred
    from mentioned
    where account_id is not null
)

select * from listed
