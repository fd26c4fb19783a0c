-- From version 3 to 4: what a run changed in a feed whose rows come from source tables, and records that wait for their parent.
pragma foreign_keys = off;
begin immediate;
drop view quarantine_life;
create table deliveries_4 (
    file_id integer primary key autoincrement,  -- also the order of arrival in the ledger
    system text not null,
    stream text not null,
    delivery_date text not null,
    path text not null,  -- below the landing folder
    sha256 text not null,
    bytes integer not null,
    mtime_ns integer not null,
    reader_hash text not null,
    physical integer not null,
    loaded integer not null,  -- states of records: what they are now, moved by later runs
    superseded integer not null,  -- an older version, or excluded with a reason
    quarantined integer not null,
    waiting integer not null default 0,  -- their parent has not come
    status text not null check (status in ('staged', 'accepted', 'refused', 'duplicate', 'replaced')),
    duplicate_of integer references deliveries (file_id) on delete cascade,
    error text,
    run_id text not null,
    drift text not null default '',  -- how the header differs from the contract, as JSON; '' where it does not
    extras_path text,  -- values of new columns, below the home folder
    check (status = 'refused' or physical = loaded + superseded + quarantined + waiting)
);
insert into deliveries_4
select
    file_id, system, stream, delivery_date, path, sha256, bytes, mtime_ns, reader_hash, physical, loaded, superseded, quarantined, 0, status,
    duplicate_of, error, run_id, drift, extras_path
from deliveries;
drop table deliveries;
alter table deliveries_4 rename to deliveries;
create unique index one_visible_delivery_per_path on deliveries (path) where status in ('accepted', 'duplicate');
create index deliveries_by_content on deliveries (sha256);
create index deliveries_by_path on deliveries (path);
create index deliveries_by_run on deliveries (run_id);

-- One run's change to the feeds of a system with source tables. Later ones win over earlier ones.
create table changes (
    change_number integer primary key autoincrement,
    system text not null,
    run_id text not null,
    delivery_date text not null,  -- latest day of delivery that the run read
    state_hash text not null,  -- names the state of the source tables after it
    is_complete integer not null,  -- holds every row of the system: the batches of earlier changes are replaced by it
    status text not null check (status in ('staged', 'accepted', 'refused'))
);
create index changes_by_run on changes (run_id);

-- A batch comes from one file, or from one change of a system.
create table batches_4 (
    batch_key integer primary key,
    batch_id text not null,
    file_id integer references deliveries (file_id) on delete cascade,
    change_number integer references changes (change_number) on delete cascade,
    feed text not null,
    rows integer not null,
    path text not null,  -- below the home folder
    control_sums text not null,
    status text not null check (status in ('staged', 'accepted', 'refused', 'replaced')),
    lacks text not null default '',  -- columns the file does not store, with commas between
    withdrawn integer not null default 0,  -- keys that the change takes back
    withdrawn_path text,  -- the file of these keys, below the home folder
    check ((file_id is null) <> (change_number is null))
);
insert into batches_4 (batch_key, batch_id, file_id, feed, rows, path, control_sums, status, lacks)
select batch_key, batch_id, file_id, feed, rows, path, control_sums, status, lacks from batches;
drop table batches;
alter table batches_4 rename to batches;
create index batches_by_file on batches (file_id);
create index batches_by_change on batches (change_number);

-- Numbers that name files in the record numbers of source tables: record number = file_no * 2^32 + record of the file.
create table source_files (
    file_no integer primary key autoincrement,
    path text not null,
    sha256 text not null,
    unique (path, sha256)
);

-- How records of earlier files moved between states; applied when the run is accepted.
create table record_changes (
    change_number integer not null,
    file_no integer not null,
    loaded integer not null,
    superseded integer not null,
    quarantined integer not null,
    waiting integer not null
);
create table record_resolutions (
    change_number integer not null,
    file_no integer not null,
    feed text not null,
    record_number integer not null
);

alter table quarantine add column waits_for_change integer;  -- not accepted yet: a record of an earlier file
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
left join resolved as r on r.quarantine_id = q.quarantine_id
where q.waits_for_change is null;
pragma user_version = 4;
commit;
pragma foreign_keys = on;
