-- From version 1 to 2: how headers differ, what was kept aside, unusual volumes, and what resolves a quarantined record.
begin immediate;
alter table deliveries add column drift text not null default '';  -- how the header differs from the contract, as JSON; '' where it does not
alter table deliveries add column extras_path text;  -- values of new columns, below the home folder

create table quarantine_2 (
    quarantine_id integer primary key autoincrement,
    file_id integer not null references deliveries (file_id) on delete cascade,
    feed text not null,
    record_number integer not null,
    line_number integer,
    column_name text,
    rule text not null,
    reason text not null,
    raw_text_masked text not null,
    raw_sha256 text not null,
    key_sha256 text,  -- of the primary key where it can be read
    first_seen_run_id text not null,
    resolved_by_run_id text  -- the run in which the file was replaced
);
insert into quarantine_2
select
    null, file_id, feed, record_number, line_number, column_name, rule, reason, raw_text_masked, raw_sha256, null,
    first_seen_run_id, resolved_by_run_id
from quarantine order by rowid;
drop table quarantine;
alter table quarantine_2 rename to quarantine;
create index quarantine_by_file on quarantine (file_id);
create index quarantine_by_key on quarantine (feed, key_sha256) where resolved_by_run_id is null and key_sha256 is not null;

-- A file that brings the key of a quarantined record correctly; it counts while it is accepted.
create table resolutions (
    quarantine_id integer not null references quarantine (quarantine_id) on delete cascade,
    file_id integer not null references deliveries (file_id) on delete cascade,
    primary key (quarantine_id, file_id)
) without rowid;
create index resolutions_by_file on resolutions (file_id);

create view quarantine_life as
with resolved as (
    -- sqlite takes the run of the row that has the smallest path
    select s.quarantine_id, min(d.path) as resolved_by_path, d.run_id
    from resolutions as s inner join deliveries as d on d.file_id = s.file_id
    where d.status = 'accepted'
    group by s.quarantine_id
)
select
    q.*,
    d.path,
    d.sha256,
    d.status,
    d.delivery_date as first_seen_date,
    case when q.resolved_by_run_id is not null or r.quarantine_id is not null then 'resolved' else 'open' end as quarantine_state,
    coalesce(q.resolved_by_run_id, r.run_id) as resolving_run_id,
    case when q.resolved_by_run_id is not null then d.path else r.resolved_by_path end as resolved_by_path
from quarantine as q
inner join deliveries as d on d.file_id = q.file_id
left join resolved as r on r.quarantine_id = q.quarantine_id;

-- Delivery days of a stream with far more or fewer records than usual, judged when they came.
create table unusual_volumes (
    system text not null,
    stream text not null,
    delivery_date text not null,
    physical integer not null,
    usual integer not null,  -- median of the days it is compared with
    lowest integer not null,  -- still usual
    highest integer not null,
    days integer not null,  -- how many days it is compared with
    run_id text not null,
    primary key (system, stream, delivery_date)
) without rowid;

-- Accounts and contacts that were forgotten, by the keyed hash of their ids.
create table tombstones (
    kind text not null,
    id_hash text not null,
    pseudonym text not null,
    primary key (kind, id_hash)
) without rowid;

-- Names the key of the hashes in this home, so that another one is noticed.
create table hash_key (only_row integer primary key default 1 check (only_row = 1), key_id text not null);
pragma user_version = 2;
commit;
