with contacts as (
    select * from {{ ref('stg_contacts') }}
),

listed as (
    select * from {{ ref('int_core__account_listed') }}
),

resolved as (
    select
        contacts.contact_id,
        coalesce(listed.account_id, 'ACCOUNT_UNKNOWN') as account_id
    from contacts
    left join listed on contacts.account_id = listed.account_id
)

select * from resolved
