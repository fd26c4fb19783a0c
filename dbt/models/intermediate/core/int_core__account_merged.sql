with recursive listed as (
    select account_id from {{ ref('int_core__account_listed') }}
),

-- The latest row of an account says where it stands: with another one, or by itself again.
latest as (
    select from_account_id, to_account_id
    from {{ ref('stg_account_merges') }}
    where not is_deleted and is_overruled is not true
    qualify row_number() over (partition by from_account_id order by merged_at desc) = 1
),

merges as (
    select from_account_id, to_account_id from latest where to_account_id <> from_account_id
),

-- Walked from the survivors down, so a merge cycle is never entered: its accounts stay themselves, as do those merged into an unlisted one.
survivors as (
    select merges.from_account_id as account_id, listed.account_id as surviving_account_id
    from merges
    inner join listed on merges.to_account_id = listed.account_id
    where not exists (select 1 from merges as further where further.from_account_id = listed.account_id)
    union all
    select merges.from_account_id as account_id, survivors.surviving_account_id
    from merges
    inner join survivors on merges.to_account_id = survivors.account_id
),

-- An account that was given up may be gone from the accounts feed; what names it still finds its survivor.
merged as (
    select account_id, surviving_account_id, true as is_merged, false as is_merge_broken from survivors
    union all
    select listed.account_id, listed.account_id as surviving_account_id, false as is_merged, merges.from_account_id is not null as is_merge_broken
    from listed
    left join merges on listed.account_id = merges.from_account_id
    where not exists (select 1 from survivors where survivors.account_id = listed.account_id)
)

select * from merged
