with recursive listed as (
    select account_id from {{ ref('int_core__account_listed') }}
),

-- The latest row of an account gives where it is: with another one, or by itself again.
latest as (
    select from_account_id, to_account_id, merged_at
    from {{ ref('stg_account_merges') }}
    where not is_deleted and is_overruled is not true
    qualify row_number() over (partition by from_account_id order by merged_at desc) = 1
),

stated as (
    select from_account_id, to_account_id, merged_at from latest where to_account_id <> from_account_id
),

ending as (
    select stated.from_account_id
    from stated
    where not exists (select 1 from stated as further where further.from_account_id = stated.to_account_id)
    union all
    select stated.from_account_id
    from stated
    inner join ending on stated.to_account_id = ending.from_account_id
),

-- Circles, and what leads into them; no walk among them is longer than they are many.
circling as (
    select stated.*, count(*) over () as size
    from stated
    where not exists (select 1 from ending where ending.from_account_id = stated.from_account_id)
),

walks as (
    select from_account_id as first_id, to_account_id as heir_id, merged_at as first_at, to_account_id as reached_id, size as steps_left from circling
    union all
    select walks.first_id, walks.heir_id, walks.first_at, circling.to_account_id, walks.steps_left - 1
    from walks
    inner join circling on walks.reached_id = circling.from_account_id
    where circling.merged_at < walks.first_at and walks.reached_id <> walks.first_id and walks.steps_left > 1
),

-- Of a circle the latest merge holds: the account that it leads to survives, so what was said before of that one is over.
merges as (
    select from_account_id, to_account_id
    from stated
    where not exists (select 1 from walks where walks.reached_id = walks.first_id and walks.heir_id = stated.from_account_id)
),

-- Walked from the surviving ones down, so a circle without a latest merge is never entered: its accounts stay themselves, as do those merged into an
-- unlisted one.
surviving as (
    select merges.from_account_id as account_id, listed.account_id as surviving_account_id
    from merges
    inner join listed on merges.to_account_id = listed.account_id
    where not exists (select 1 from merges as further where further.from_account_id = listed.account_id)
    union all
    select merges.from_account_id as account_id, surviving.surviving_account_id
    from merges
    inner join surviving on merges.to_account_id = surviving.account_id
),

-- An account that was given up may be gone from the accounts feed; what names it still finds its surviving account.
merged as (
    select account_id, surviving_account_id, true as is_merged, false as is_merge_broken from surviving
    union all
    select listed.account_id, listed.account_id as surviving_account_id, false as is_merged, merges.from_account_id is not null as is_merge_broken
    from listed
    left join merges on listed.account_id = merges.from_account_id
    where not exists (select 1 from surviving where surviving.account_id = listed.account_id)
)

select * from merged
