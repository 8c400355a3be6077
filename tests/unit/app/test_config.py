from datetime import timedelta
from pathlib import Path

import pytest

from config import Config, DevelopmentConfig, ProductionConfig, TestingConfig, load
from slipway.environment import ConfigError

STRONG = "k" * 32
ENVIRONMENT = {
    "APP_SETTINGS": "config.ProductionConfig",
    "DATABASE_URL": "postgresql://app:pw@db:5432/app",
    "SECRET_KEY": STRONG,
    "CSRF_SESSION_KEY": STRONG,
}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("config.ProductionConfig", ProductionConfig),
        ("config.DevelopmentConfig", DevelopmentConfig),
        ("config.TestingConfig", TestingConfig),
    ],
)
def test_load_names_the_class(name: str, kind: type[Config]) -> None:
    assert type(load(ENVIRONMENT | {"APP_SETTINGS": name})) is kind


@pytest.mark.parametrize("name", ["", "production", "config.Config", "os.environ"])
def test_load_refuses_unknown_settings(name: str) -> None:
    with pytest.raises(ConfigError, match=r"^APP_SETTINGS is .*; it must be one of config\.ProductionConfig"):
        load(ENVIRONMENT | {"APP_SETTINGS": name})


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://app@db/app", "postgresql://app@db:port/app"])
def test_load_refuses_a_database_url_that_is_missing_or_malformed(url: str) -> None:
    with pytest.raises(ConfigError, match=r"^DATABASE_URL is .*looks like"):
        load(ENVIRONMENT | {"DATABASE_URL": url})


def test_database_url_may_say_postgres() -> None:
    uri = load(ENVIRONMENT | {"DATABASE_URL": "postgres://app:pw@db/app"}).SQLALCHEMY_DATABASE_URI
    assert uri == "postgresql+psycopg2://app:pw@db/app"


def test_database_url_without_password_takes_postgres_password() -> None:
    environment = ENVIRONMENT | {
        "DATABASE_URL": "postgresql://app@db/app",
        "POSTGRES_PASSWORD": "p@ss/w:rd" + STRONG,
    }
    assert (
        f"postgresql+psycopg2://app:p%40ss%2Fw%3Ard{STRONG}@db/app"
        == load(environment).SQLALCHEMY_DATABASE_URI
    )


@pytest.mark.parametrize("name", ["SECRET_KEY", "CSRF_SESSION_KEY"])
@pytest.mark.parametrize("value", ["", "change-me", "short"])
@pytest.mark.parametrize("settings", ["config.ProductionConfig", "config.StagingConfig"])
def test_production_refuses_a_weak_secret(settings: str, name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"^{name} is "):
        load(ENVIRONMENT | {"APP_SETTINGS": settings, name: value})


@pytest.mark.parametrize("value", ["change-me", "short"])
def test_production_refuses_a_weak_database_password(value: str) -> None:
    with pytest.raises(ConfigError, match=r"^POSTGRES_PASSWORD is an example"):
        load(ENVIRONMENT | {"DATABASE_URL": "postgresql://app@db/app", "POSTGRES_PASSWORD": value})


def test_password_with_an_at_is_told_and_not_shown() -> None:
    with pytest.raises(ConfigError) as told:
        load(ENVIRONMENT | {"DATABASE_URL": "postgresql://app:before@secret@db/app"})
    assert str(told.value) == "DATABASE_URL: its password has an @, which is written %40 there"


def test_database_url_keeps_its_options() -> None:
    url = "postgresql://app:pw@db/app?options=-csearch_path%3Dmine"
    options = load(ENVIRONMENT | {"DATABASE_URL": url}).SQLALCHEMY_ENGINE_OPTIONS["connect_args"]
    assert options["options"].startswith("-csearch_path=mine -c TimeZone=UTC ")


def test_statements_are_bounded() -> None:
    options = load(ENVIRONMENT | {"STATEMENT_TIMEOUT": "7"}).SQLALCHEMY_ENGINE_OPTIONS["connect_args"]
    assert "-c statement_timeout=7s" in options["options"]


def test_statements_of_commands_are_not_bounded() -> None:
    options = load(ENVIRONMENT).for_commands().SQLALCHEMY_ENGINE_OPTIONS["connect_args"]
    assert "timeout" not in options["options"]


def test_statement_that_outlasts_its_request_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^STATEMENT_TIMEOUT must be .* from 1 to 25"):
        load(ENVIRONMENT | {"STATEMENT_TIMEOUT": "26"})


@pytest.mark.parametrize(("settings", "hidden"), [("Production", True), ("Development", False)])
def test_values_of_statements_are_kept_out_of_the_log_of_production(settings: str, hidden: bool) -> None:
    options = load(ENVIRONMENT | {"APP_SETTINGS": f"config.{settings}Config"}).SQLALCHEMY_ENGINE_OPTIONS
    assert options["hide_parameters"] is hidden


def test_any_host_is_trusted_where_none_is_named() -> None:
    assert load(ENVIRONMENT).TRUSTED_HOSTS is None


def test_unknown_log_level_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^LOG_LEVEL is VERBOSE; it must be one of DEBUG, INFO"):
        load(ENVIRONMENT | {"LOG_LEVEL": "verbose"})


def test_web_without_threads_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^WEB_THREADS must be a whole number from 1 on"):
        load(ENVIRONMENT | {"WEB_THREADS": "0"})


def test_secret_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"^SECRET_KEY_FILE: .*/key is not text in UTF-8"):
        load(ENVIRONMENT | {"SECRET_KEY_FILE": str(tmp_path / "key")})


def test_development_takes_a_weak_secret() -> None:
    settings = load(ENVIRONMENT | {"APP_SETTINGS": "config.DevelopmentConfig", "SECRET_KEY": "short"})
    assert settings.SECRET_KEY == "short"


def test_secret_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("of-the-file" + STRONG + "\n")
    settings = load(ENVIRONMENT | {"SECRET_KEY_FILE": str(tmp_path / "key")})
    assert settings.SECRET_KEY == "of-the-file" + STRONG


def test_secret_file_that_cannot_be_read_is_named() -> None:
    with pytest.raises(ConfigError, match=r"^SECRET_KEY_FILE: cannot read /nowhere: No such file"):
        load(ENVIRONMENT | {"SECRET_KEY_FILE": "/nowhere"})


@pytest.mark.parametrize("value", ["x", "-1", "1.5", "٣", "9" * 5000])
def test_number_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(ConfigError, match=r"^TRUSTED_PROXIES must be a whole number"):
        load(ENVIRONMENT | {"TRUSTED_PROXIES": value})


def test_guides_csrf_settings_are_flask_wtfs() -> None:
    class Unprotected(ProductionConfig):
        CSRF_ENABLED = False

    settings = Unprotected(ENVIRONMENT)
    assert settings.WTF_CSRF_ENABLED is False
    assert settings.WTF_CSRF_SECRET_KEY == STRONG


@pytest.mark.parametrize(("value", "hours"), [("30m", 0.5), ("12h", 12), ("1d", 24), ("", 7 * 24)])
def test_lifetime_is_a_number_and_a_unit(value: str, hours: float) -> None:
    assert timedelta(hours=hours) == load(ENVIRONMENT | {"GAUTH_SESSION_IDLE": value}).GAUTH_SESSION_IDLE


@pytest.mark.parametrize("value", ["7", "0d", "-1d", "1 d", "1w", "d", "9999999d", "\u0667d"])
def test_lifetime_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(ConfigError, match=r"^GAUTH_SESSION_IDLE is .*looks like 30m, 12h or 7d$"):
        load(ENVIRONMENT | {"GAUTH_SESSION_IDLE": value})


def test_list_of_the_allowed_is_split() -> None:
    allowed = load(ENVIRONMENT | {"GAUTH_ALLOWED": "Example.com, ada@example.org"}).GAUTH_ALLOWED
    assert allowed == ["example.com", "ada@example.org"]


@pytest.mark.parametrize("value", ["example", "@example.com", "ada@", "a@b@example.com", "*.example.com"])
def test_list_of_the_allowed_has_domains_and_addresses_only(value: str) -> None:
    with pytest.raises(ConfigError, match=r"^GAUTH_ALLOWED has "):
        load(ENVIRONMENT | {"GAUTH_ALLOWED": value})


@pytest.mark.parametrize("url", ["http://a.org/.well-known/openid-configuration", "https://a.org/"])
def test_production_wants_the_provider_by_https(url: str) -> None:
    with pytest.raises(ConfigError, match=r"^GAUTH_DISCOVERY_URL is .*looks like https://"):
        load(ENVIRONMENT | {"GAUTH_DISCOVERY_URL": url})


def test_earlier_secret_keys_are_split() -> None:
    settings = load(ENVIRONMENT | {"SECRET_KEY_FALLBACKS": f"{'a' * 32},{'b' * 32}"})
    assert settings.SECRET_KEY_FALLBACKS == ["a" * 32, "b" * 32]


def test_production_refuses_a_weak_earlier_secret_key() -> None:
    with pytest.raises(ConfigError, match=r"^SECRET_KEY_FALLBACKS is an example"):
        load(ENVIRONMENT | {"SECRET_KEY_FALLBACKS": "short"})


@pytest.mark.parametrize("name", ["GAUTH_CLIENT_ID", "GAUTH_CLIENT_SECRET"])
def test_client_of_the_provider_wants_id_and_secret(name: str) -> None:
    with pytest.raises(ConfigError, match=r"only one of them is set$"):
        load(ENVIRONMENT | {name: "x"})
