with listed as (
    select * from {{ ref('int_core__account_listed') }}
),

pseudo as (
    select 'ACCOUNT_UNKNOWN' as account_id
    union all
    select 'NON_CUSTOMER'
    union all
    select 'UNALLOCATED'
    union all
    select 'UNUSED_CAPACITY'
),

dim_account as (
    select
        listed.account_id,
        accounts.account_kind,
        accounts.lifecycle_state,
        coalesce(accounts.is_target_customer, false) as is_target_customer,
        accounts.segment,
        accounts.industry,
        accounts.size_band,
        accounts.country_code,
        accounts.language_code,
        accounts.preferred_channel,
        accounts.parent_account_id,
        accounts.account_manager_id,
        accounts.acquisition_source,
        accounts.acquisition_cost_amount,
        case when accounts.acquisition_cost_amount is not null then accounts.currency_code end as currency_code,
        listed.is_inferred,
        false as is_pseudo,
        coalesce(accounts.is_deleted, false) as is_deleted,
        accounts.created_at,
        accounts.closed_at
    from listed
    left join {{ ref('stg_accounts') }} as accounts on listed.account_id = accounts.account_id
    where not exists (select 1 from pseudo where pseudo.account_id = listed.account_id)
    union all
    select
        account_id, null, null, false, null, null, null, null, null, null, null, null, null, null, null,
        false, true, false, null, null
    from pseudo
)

select * from dim_account
