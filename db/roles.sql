-- usage: psql --set=role=ROLE --file=db/roles.sql, as a superuser, in the database that is to be ROLE's
-- Has ROLE, by which web connects, own the database, and be neither superuser nor able to make roles. The rest is for
-- the cluster's own role, `cluster`, which has no password: it is reached by the socket alone.
-- Operators, foreign servers, publications and default privileges stay with it, and so does what else the cluster has:
-- other databases, and what ROLE was granted or set to.
-- Run when a cluster is made (there, APP_ROLE is ROLE), when a dump is restored, and by make up in a cluster that had
-- ROLE as its own.
\set QUIET on
\set ON_ERROR_STOP on
SET client_min_messages = warning;
\if :{?role}
\else
  \getenv role APP_ROLE
\endif
-- No function or operator of the database's own is to be run by a superuser.
SET search_path = pg_catalog, pg_temp;
-- https://www.postgresql.org/docs/current/catalog-pg-authid.html: initdb makes the role with the OID 10.
SELECT rolname = :'role' AS is_own FROM pg_roles WHERE oid = 10::oid \gset
\if :is_own
  -- A session cannot rename the role that it has begun as.
  DROP ROLE IF EXISTS cluster_rename;
  CREATE ROLE cluster_rename SUPERUSER LOGIN;
  \connect - cluster_rename
\endif
SET search_path = pg_catalog, pg_temp;
BEGIN;
-- What web does meanwhile waits no longer than that for each of its tables; a vacuum gives way sooner.
SET LOCAL lock_timeout = '1s';
SET LOCAL deadlock_timeout = '200ms';
\if :is_own
  ALTER ROLE :"role" RENAME TO cluster;
\endif
SELECT format('CREATE ROLE %I LOGIN PASSWORD %L', :'role', rolpassword)
FROM pg_authid WHERE oid = 10::oid AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role') \gexec
ALTER ROLE cluster PASSWORD NULL;
SELECT format('ALTER DATABASE %I OWNER TO %I', current_database(), :'role') \gexec
SELECT format('ALTER %s %s OWNER TO %I', CASE type
    WHEN 'composite type' THEN 'type'
    WHEN 'statistics object' THEN 'statistics'
    ELSE type
  END, identity, :'role')
FROM (
  SELECT 'pg_namespace'::regclass AS catalog, oid AS object, nspowner AS owner FROM pg_namespace
    WHERE nspname !~ '^pg_(toast_)?temp_'
  UNION ALL SELECT 'pg_class'::regclass, oid, relowner FROM pg_class
    WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND relpersistence <> 't'
  UNION ALL SELECT 'pg_type'::regclass, t.oid, typowner FROM pg_type t LEFT JOIN pg_class c ON c.oid = typrelid
    WHERE (c.relkind IS NULL OR c.relkind = 'c') AND typnamespace::regnamespace::text !~ '^pg_(toast_)?temp_'
  UNION ALL SELECT 'pg_proc'::regclass, oid, proowner FROM pg_proc
  UNION ALL SELECT 'pg_statistic_ext'::regclass, oid, stxowner FROM pg_statistic_ext
  UNION ALL SELECT 'pg_collation'::regclass, oid, collowner FROM pg_collation
  UNION ALL SELECT 'pg_ts_config'::regclass, oid, cfgowner FROM pg_ts_config
  UNION ALL SELECT 'pg_ts_dict'::regclass, oid, dictowner FROM pg_ts_dict
  UNION ALL SELECT 'pg_largeobject'::regclass, oid, lomowner FROM pg_largeobject_metadata
) objects, pg_identify_object(catalog, object, 0)
-- Those of the system have smaller OIDs; those of an extension, a row type, or a sequence of a column go with what they are of.
WHERE owner = 10::oid AND object >= 16384::oid AND NOT EXISTS (
  SELECT FROM pg_depend WHERE classid = catalog AND objid = object AND refobjid <> object
  AND (deptype IN ('e', 'i') OR deptype = 'a' AND type = 'sequence')
) \gexec
COMMIT;
\if :is_own
  -- What web connected before is still the superuser's: each connection is ended when it is idle, or after five
  -- seconds.
  DO $$
  BEGIN
    FOR turn IN 1..50 LOOP
      PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE usesysid = 10::oid AND backend_type = 'client backend' AND (state = 'idle' OR turn = 50);
      PERFORM pg_sleep(0.1);
      PERFORM pg_stat_clear_snapshot();
      EXIT WHEN NOT EXISTS (SELECT FROM pg_stat_activity WHERE usesysid = 10::oid AND backend_type = 'client backend');
    END LOOP;
  END $$;
  \connect - cluster
  DROP ROLE cluster_rename;
\endif
