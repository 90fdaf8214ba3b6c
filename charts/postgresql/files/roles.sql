-- The roles and the database of the Secret, made or made right. Passwords come by the environment and are not logged.
\set ON_ERROR_STOP on
\getenv username POSTGRES_USER
\getenv password POSTGRES_PASSWORD
\getenv replication POSTGRES_REPLICATION_PASSWORD
\getenv backup POSTGRES_BACKUP_PASSWORD
\getenv database POSTGRES_DATABASE
set log_min_error_statement = panic;
select format('create role %I', name) from unnest(array[:'username', 'replicator', 'backup']) as name
  where not exists (select from pg_roles where rolname = name) \gexec
alter role :"username" login password :'password';
alter role replicator login replication password :'replication';
-- reads all there is: tables of whoever made them, and large objects, which only their owner may read
alter role backup login bypassrls password :'backup';
grant pg_read_all_data, :"username" to backup;
select format('create database %I owner %I', :'database', :'username')
  where not exists (select from pg_database where datname = :'database') \gexec
