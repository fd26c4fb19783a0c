-- From version 2 to 3: a file of the lake stores no column that is null in every row.
begin immediate;
alter table batches add column lacks text not null default '';  -- columns the file does not store, with commas between
update batches set lacks = 'record_number' where not is_numbered;
alter table batches drop column is_numbered;
pragma user_version = 3;
commit;
