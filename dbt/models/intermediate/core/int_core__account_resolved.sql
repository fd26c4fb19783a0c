with contacts as (
    select * from {{ ref('stg_contacts') }} where is_overruled is not true
),

accounts as (
    select * from {{ ref('int_core__account_merged') }}
),

resolved as (
    select
        contacts.contact_id,
        coalesce(accounts.surviving_account_id, 'ACCOUNT_UNKNOWN') as account_id
    from contacts
    left join accounts on contacts.account_id = accounts.account_id
)

select * from resolved
