with contacts as (
    select * from {{ ref('stg_contacts') }} where is_overruled is not true
),

accounts as (
    select * from {{ ref('int_core__account_merged') }}
),

resolved as (
    select contacts.contact_id, accounts.surviving_account_id as account_id
    from contacts
    inner join accounts on contacts.account_id = accounts.account_id
)

select * from resolved
