-- From version 2 to 3: a file of the lake says itself whether it stores the numbers of its records.
begin immediate;
alter table batches drop column is_numbered;
pragma user_version = 3;
commit;
