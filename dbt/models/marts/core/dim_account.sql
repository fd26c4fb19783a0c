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
        merged.surviving_account_id,
        accounts.account_manager_id,
        accounts.acquisition_source,
        accounts.acquisition_cost_amount,
        case when accounts.acquisition_cost_amount is not null then accounts.currency_code end as currency_code,
        listed.is_inferred,
        false as is_pseudo,
        merged.is_merged,
        merged.is_merge_broken,
        coalesce(accounts.is_deleted, false) as is_deleted,
        accounts.created_at,
        accounts.closed_at
    from listed
    inner join {{ ref('int_core__account_merged') }} as merged on listed.account_id = merged.account_id
    left join {{ ref('stg_accounts') }} as accounts on listed.account_id = accounts.account_id and accounts.is_overruled is not true
    where not exists (select 1 from pseudo where pseudo.account_id = listed.account_id)
    union all
    select
        account_id, null, null, false, null, null, null, null, null, null, null, account_id as surviving_account_id, null, null, null, null,
        false, true, false, false, false, null, null
    from pseudo
)

select * from dim_account
