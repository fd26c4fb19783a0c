-- The ledger's tables. Statuses of a delivery: staged, accepted, refused, duplicate, replaced (an older attempt of the same path).
create table deliveries (
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
    loaded integer not null,
    superseded integer not null,
    quarantined integer not null,
    status text not null check (status in ('staged', 'accepted', 'refused', 'duplicate', 'replaced')),
    duplicate_of integer references deliveries (file_id) on delete cascade,
    error text,
    run_id text not null,
    check (status = 'refused' or physical = loaded + superseded + quarantined)
);
create unique index one_visible_delivery_per_path on deliveries (path) where status in ('accepted', 'duplicate');
create index deliveries_by_content on deliveries (sha256);
create index deliveries_by_path on deliveries (path);
create index deliveries_by_run on deliveries (run_id);

create table batches (
    batch_key integer primary key,
    batch_id text not null,
    file_id integer not null references deliveries (file_id) on delete cascade,
    feed text not null,
    rows integer not null,
    path text not null,  -- below the home folder
    is_numbered integer not null,
    control_sums text not null,
    status text not null check (status in ('staged', 'accepted', 'refused', 'replaced'))
);
create index batches_by_file on batches (file_id);

create table quarantine (
    file_id integer not null references deliveries (file_id) on delete cascade,
    feed text not null,
    record_number integer not null,
    line_number integer,
    column_name text,
    rule text not null,
    reason text not null,
    raw_text_masked text not null,
    raw_sha256 text not null,
    first_seen_run_id text not null,
    resolved_by_run_id text
);
create index quarantine_by_file on quarantine (file_id);

create table check_results (
    run_id text not null,
    feed text not null,
    expectation text not null,
    column_name text,
    severity text not null,
    is_success integer not null,
    unexpected_count integer,
    observed text,
    notes text
);

create table runs (run_id text primary key, started_at text not null, finished_at text, run_state text not null, detail text);
pragma user_version = 1;
