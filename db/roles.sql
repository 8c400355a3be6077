-- usage: psql --set=role=ROLE --file=db/roles.sql, as a superuser, in the database that is to be ROLE's
-- Has ROLE, by which web connects, own the database, and be neither superuser nor able to make roles. The rest is for the
-- cluster's own role, `cluster`, which has no password: it is reached by the socket alone.
-- Run when a cluster is made (there, APP_ROLE is ROLE), when a dump is restored, and by make up in a cluster that had ROLE
-- as its own.
\set QUIET on
\set ON_ERROR_STOP on
SET client_min_messages = warning;
\if :{?role}
\else
  \getenv role APP_ROLE
\endif
-- https://www.postgresql.org/docs/current/catalog-pg-authid.html: initdb makes the role with the OID 10.
SELECT rolname = :'role' AS is_own FROM pg_roles WHERE oid = 10 \gset
\if :is_own
  -- A session cannot rename the role that it has begun as.
  DROP ROLE IF EXISTS cluster_rename;
  CREATE ROLE cluster_rename SUPERUSER LOGIN;
  \connect - cluster_rename
\endif
BEGIN;
-- What web does meanwhile waits no longer than that.
SET LOCAL lock_timeout = '1s';
\if :is_own
  ALTER ROLE :"role" RENAME TO cluster;
\endif
SELECT format('CREATE ROLE %I LOGIN PASSWORD %L', :'role', rolpassword)
FROM pg_authid WHERE oid = 10 AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role') \gexec
ALTER ROLE cluster PASSWORD NULL;
SELECT format('ALTER DATABASE %I OWNER TO %I', current_database(), :'role') \gexec
SELECT format('ALTER %s %s OWNER TO %I', CASE type
    WHEN 'composite type' THEN 'type'
    WHEN 'statistics object' THEN 'statistics'
    ELSE type
  END, identity, :'role')
FROM (
  SELECT 'pg_namespace'::regclass AS catalog, oid AS object, nspowner AS owner FROM pg_namespace
  UNION ALL SELECT 'pg_class'::regclass, oid, relowner FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  UNION ALL SELECT 'pg_type'::regclass, t.oid, typowner FROM pg_type t LEFT JOIN pg_class c ON c.oid = typrelid
    WHERE c.relkind IS NULL OR c.relkind = 'c'
  UNION ALL SELECT 'pg_proc'::regclass, oid, proowner FROM pg_proc
  UNION ALL SELECT 'pg_statistic_ext'::regclass, oid, stxowner FROM pg_statistic_ext
  UNION ALL SELECT 'pg_collation'::regclass, oid, collowner FROM pg_collation
  UNION ALL SELECT 'pg_ts_config'::regclass, oid, cfgowner FROM pg_ts_config
  UNION ALL SELECT 'pg_ts_dict'::regclass, oid, dictowner FROM pg_ts_dict
  UNION ALL SELECT 'pg_largeobject'::regclass, oid, lomowner FROM pg_largeobject_metadata
) objects, pg_identify_object(catalog, object, 0)
-- Those of the system have smaller OIDs; those of an extension, a row type, or a sequence of a column go with what they are of.
WHERE owner = 10 AND object >= 16384 AND NOT EXISTS (
  SELECT FROM pg_depend WHERE classid = catalog AND objid = object AND refobjid <> object
  AND (deptype IN ('e', 'i') OR deptype = 'a' AND type = 'sequence')
) \gexec
COMMIT;
\if :is_own
  -- What web has connected before is still the superuser's; it connects anew.
  SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usesysid = 10 AND state = 'idle' \g /dev/null
  \connect - cluster
  DROP ROLE cluster_rename;
\endif
