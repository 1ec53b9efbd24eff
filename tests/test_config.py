"""Settings from the environment: the defaults, and one sentence for each that is wrong or unsafe."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from webapp.config import Config, ConfigError, broker_socket

KEY = Fernet.generate_key().decode()
SECRET = "forty characters that nobody would guess"
README = Path(__file__).resolve().parent.parent / "README.md"


def read(instance: Path, **environ: str) -> Config:
    return Config.from_environment({"INSTANCE_PATH": str(instance), **environ})


def refusal(instance: Path, **environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read(instance, **environ)
    return str(caught.value)


def test_without_any_setting_everything_lies_under_the_instance_folder(tmp_path: Path) -> None:
    config = read(tmp_path)
    assert config.database_url == f"sqlite:///{tmp_path / 'runsheet.db'}"
    assert config.redis_url == f"unix://{broker_socket(tmp_path)}"
    assert config.embedded_broker
    assert (config.port, config.public_url) == (5055, "http://127.0.0.1:5055")
    assert (config.log_level, config.trusted_proxies, config.egress_allow) == ("INFO", 0, "")
    assert not config.demo


def test_a_missing_instance_folder_is_made(tmp_path: Path) -> None:
    assert read(tmp_path / "a" / "b").instance_path.is_dir()


def test_the_public_address_follows_the_port(tmp_path: Path) -> None:
    assert read(tmp_path, PORT="6060").public_url == "http://127.0.0.1:6060"


def test_the_public_address_loses_its_last_slash(tmp_path: Path) -> None:
    assert (
        read(tmp_path, PUBLIC_URL="https://runsheet.example.com/").public_url
        == "https://runsheet.example.com"
    )


def test_a_given_broker_is_used_and_none_is_embedded(tmp_path: Path) -> None:
    config = read(tmp_path, REDIS_URL="redis://broker:6379/2")
    assert (config.redis_url, config.embedded_broker) == ("redis://broker:6379/2", False)


@pytest.mark.parametrize(
    "short", ["postgres://u:p@h/n", "postgresql://u:p@h/n", "postgresql+psycopg://u:p@h/n"]
)
def test_every_spelling_of_a_postgresql_address_uses_psycopg_3(tmp_path: Path, short: str) -> None:
    config = read(tmp_path, DATABASE_URL=short, SECRETS_KEYS=KEY, SESSION_SECRET=SECRET)
    assert config.database_url == "postgresql+psycopg://u:p@h/n"


def test_a_relative_database_path_is_taken_from_where_the_command_was_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = read(tmp_path / "instance", DATABASE_URL="sqlite:///data/runsheet.db")
    assert config.database_url == f"sqlite:///{tmp_path / 'data' / 'runsheet.db'}"


@pytest.mark.parametrize(
    "usable", ["rediss://u:p@h:6380/1?protocol=3", "unix:///run/redis.sock?db=2", "redis://[::1]"]
)
def test_the_usual_spellings_of_a_broker_are_taken_as_they_are(tmp_path: Path, usable: str) -> None:
    assert read(tmp_path, REDIS_URL=usable).redis_url == usable


@pytest.mark.parametrize(
    "usable", ["https://ops.example.com/runsheet", "http://[::1]:5055", "https://bücher.example:8443"]
)
def test_the_usual_spellings_of_the_public_address_are_taken_as_they_are(tmp_path: Path, usable: str) -> None:
    assert read(tmp_path, PUBLIC_URL=usable).public_url == usable


def test_keys_are_made_once_and_only_their_owner_can_read_them(tmp_path: Path) -> None:
    first, second = read(tmp_path), read(tmp_path)
    assert (first.secrets_keys, first.session_secret) == (second.secrets_keys, second.session_secret)
    assert (tmp_path / "keys.json").stat().st_mode & 0o777 == 0o600


def test_given_keys_come_first_to_last_and_nothing_is_written(tmp_path: Path) -> None:
    older = Fernet.generate_key().decode()
    config = read(tmp_path, SECRETS_KEYS=f"{KEY}, {older}", SESSION_SECRET=SECRET)
    assert (config.secrets_keys, config.session_secret) == ((KEY, older), SECRET)
    assert not (tmp_path / "keys.json").exists()


def test_keys_that_others_can_read_are_refused(tmp_path: Path) -> None:
    read(tmp_path)
    keys = tmp_path / "keys.json"
    keys.chmod(0o644)
    assert refusal(tmp_path) == f"{keys} holds the keys and others can read it; run: chmod 600 {keys}"


@pytest.mark.parametrize("content", ["", "{", "[]", json.dumps({"secrets_key": "a"})])
def test_a_damaged_keys_file_is_never_replaced(tmp_path: Path, content: str) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text(content)
    keys.chmod(0o600)
    assert refusal(tmp_path).startswith(f"{keys} cannot be read; put it back from a backup")
    assert keys.read_text() == content


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"PORT": "http"}, "PORT is “http”; set it to a whole number from 1 to 65535."),
        ({"PORT": "0"}, "PORT is “0”; set it to a whole number from 1 to 65535."),
        ({"PORT": "65536"}, "PORT is “65536”; set it to a whole number from 1 to 65535."),
        ({"TRUSTED_PROXIES": "yes"}, "TRUSTED_PROXIES is “yes”; set it to a whole number from 0 to 5."),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL is “LOUD”; set it to one of DEBUG, INFO, WARNING, ERROR."),
        (
            {"DATABASE_URL": "mysql://h/n"},
            "DATABASE_URL is not usable; write sqlite:///path or postgresql+psycopg://user:password@host/name.",
        ),
        (
            {"DATABASE_URL": "runsheet.db"},
            "DATABASE_URL is not usable; write sqlite:///path or postgresql+psycopg://user:password@host/name.",
        ),
        (
            {"REDIS_URL": "localhost:6379"},
            "REDIS_URL is not usable; write redis://host:6379/0, rediss://… or unix:///path.",
        ),
        (
            {"PUBLIC_URL": "runsheet.example.com"},
            "PUBLIC_URL is not usable; write the address people open, such as https://runsheet.example.com.",
        ),
        (
            {"SECRETS_KEYS": "short"},
            "SECRETS_KEYS holds a key that is not one; make keys with: runsheet secrets new-key.",
        ),
        (
            {"SESSION_SECRET": "changeme"},
            "SESSION_SECRET is too short to be safe; use at least 32 random characters.",
        ),
        (
            {"PUBLIC_URL": "http://runsheet.example.com:5055"},
            (
                "PUBLIC_URL http://runsheet.example.com:5055 would carry passwords over the network in the clear; put a proxy "
                "that speaks TLS in front of Runsheet, set TRUSTED_PROXIES=1 and write https://runsheet.example.com:5055."
            ),
        ),
        (
            {"EGRESS_ALLOW": "10.0.0.0/8, 0.0.0.0/0"},
            (
                "EGRESS_ALLOW: “0.0.0.0/0” opens too much, the machine’s own services included; name the private networks "
                "that integrations need, such as 10.20.0.0/16."
            ),
        ),
        (
            {"PUBLIC_URL": "https://runsheet.example.com:https"},
            "PUBLIC_URL is not usable; write the address people open, such as https://runsheet.example.com.",
        ),
        (
            {"DATABASE_URL": "sqlite://"},
            "DATABASE_URL keeps the database in memory, where the processes cannot share it; write sqlite:///path.",
        ),
        (
            {"DATABASE_URL": "sqlite:///:memory:"},
            "DATABASE_URL keeps the database in memory, where the processes cannot share it; write sqlite:///path.",
        ),
        *(
            (
                {"REDIS_URL": typed},
                "REDIS_URL is not usable; write redis://host:6379/0, rediss://… or unix:///path.",
            )
            for typed in ("redis://broker:first/0", "redis://broker/first", "redis://[::1/0", "unix://")
        ),
        *(
            (
                {"PUBLIC_URL": typed},
                "PUBLIC_URL is not usable; write the address people open, such as https://runsheet.example.com.",
            )
            for typed in (
                *("https://", "http://[::1", "https://run sheet.example.com"),
                *("https://ada:secret@runsheet.example.com", "https://runsheet.example.com/?"),
            )
        ),
        (
            {"SECRETS_KEYS": ","},
            "SECRETS_KEYS holds a key that is not one; make keys with: runsheet secrets new-key.",
        ),
        (
            {"SESSION_SECRET": "1234567" * 10},
            (
                "SESSION_SECRET is too easy to guess; "
                "use at least 32 random characters, not the same few again and again."
            ),
        ),
        (
            {"EGRESS_ALLOW": "http://jira"},
            (
                "EGRESS_ALLOW: “http://jira” is neither an address, a network nor a host name, "
                "each with or without a port; write for example 10.20.0.0/16, jira.corp or 127.0.0.1:5056."
            ),
        ),
        (
            {"DATABASE_URL": "postgresql://h/n"},
            "SECRETS_KEYS is not set; with PostgreSQL every process needs the same one, so set it in the environment.",
        ),
        (
            {"DATABASE_URL": "postgresql://h/n", "SECRETS_KEYS": KEY},
            "SESSION_SECRET is not set; with PostgreSQL every process needs the same one, so set it in the environment.",
        ),
    ],
)
def test_a_wrong_setting_is_refused_with_one_sentence(
    tmp_path: Path, environ: dict[str, str], sentence: str
) -> None:
    assert refusal(tmp_path, **environ) == sentence


def test_an_instance_path_that_is_a_file_is_refused(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("")
    assert refusal(taken) == f"INSTANCE_PATH {taken} cannot be made: File exists."


def test_a_refusal_never_repeats_a_secret(tmp_path: Path) -> None:
    sentence = refusal(tmp_path, DATABASE_URL="postgresql://u:hunter2hunter2@h:port/n", SECRETS_KEYS=KEY)
    assert "hunter2hunter2" not in sentence


def test_a_deep_instance_folder_keeps_the_brokers_socket_short_enough(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)
    assert len(str(broker_socket(deep))) < 100
    assert broker_socket(deep) == broker_socket(deep)
    assert broker_socket(deep) != broker_socket(tmp_path / ("e" * 120))


@pytest.mark.skipif(not README.exists(), reason="the README is not part of this tree")
def test_the_readme_documents_exactly_the_settings_that_are_read() -> None:
    rows = re.findall(r"^\| (`[A-Z_]+`[^|]*) \|", README.read_text(), re.MULTILINE)
    table = {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}
    assert table == {
        *("DATABASE_URL", "REDIS_URL", "PUBLIC_URL", "SECRETS_KEYS", "SESSION_SECRET"),
        *("EGRESS_ALLOW", "TRUSTED_PROXIES", "INSTANCE_PATH", "PORT", "LOG_LEVEL"),
        *("ADMIN_NAME", "ADMIN_EMAIL", "ADMIN_PASSWORD"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR"),
    }
