"""Secrets at rest: what is sealed can be opened with the right key, in its own row, and nowhere else."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.fernet import Fernet

from webapp.secrets import MASK, SealedElsewhere, Unreadable, Vault, generate_key, mask

ROW = "actions:7"


@pytest.fixture
def key() -> str:
    return generate_key()


@pytest.fixture
def vault(key: str) -> Vault:
    return Vault([key])


@pytest.mark.parametrize(
    "value",
    [
        "s3cret",
        "",
        'ü 日本 \x00\n"',
        {"client_secret": "s", "n": 1},
        ["a", None, True],
        None,
        0,
        "x" * 100_000,
    ],
)
def test_what_was_sealed_is_opened(vault: Vault, value: Any) -> None:
    assert vault.open(ROW, vault.seal(ROW, value)) == value


def test_neither_the_secret_nor_its_row_can_be_read_in_what_is_stored(vault: Vault) -> None:
    sealed = vault.seal(ROW, "s3cret")
    for stored in (sealed, base64.urlsafe_b64decode(sealed)):
        assert b"s3cret" not in stored
        assert ROW.encode() not in stored


def test_the_same_secret_is_sealed_differently_each_time(vault: Vault) -> None:
    assert vault.seal(ROW, "s3cret") != vault.seal(ROW, "s3cret")


@pytest.mark.parametrize("row", ["actions:8", "actions:70", "connections:7", "", "actions"])
def test_a_secret_that_was_copied_to_another_row_is_not_opened(vault: Vault, row: str) -> None:
    with pytest.raises(SealedElsewhere) as raised:
        vault.open(row, vault.seal(ROW, "s3cret"))
    assert str(raised.value) == f"a stored secret of {ROW} lies in {row}"


def test_a_secret_of_another_key_is_unreadable(vault: Vault) -> None:
    with pytest.raises(Unreadable, match="cannot be opened with the given SECRETS_KEYS"):
        Vault([generate_key()]).open(ROW, vault.seal(ROW, "s3cret"))


def test_a_changed_byte_makes_a_secret_unreadable(vault: Vault) -> None:
    raw = bytearray(base64.urlsafe_b64decode(vault.seal(ROW, "s3cret")))
    raw[len(raw) // 2] ^= 1
    with pytest.raises(Unreadable):
        vault.open(ROW, base64.urlsafe_b64encode(raw))


@pytest.mark.parametrize("plain", [b"s3cret", b"[1,2,3]", b"{}", b"\xff\xfe", b'"ab"', b"1"])
def test_what_was_not_sealed_by_a_vault_is_unreadable(vault: Vault, key: str, plain: bytes) -> None:
    for stored in (plain, Fernet(key).encrypt(plain)):
        with pytest.raises(Unreadable):
            vault.open(ROW, stored)


def test_the_first_key_seals_and_all_keys_open(key: str, vault: Vault) -> None:
    new = generate_key()
    both = Vault([new, key])
    assert both.open(ROW, vault.seal(ROW, "old")) == "old"
    assert Vault([new]).open(ROW, both.seal(ROW, "new")) == "new"


def test_a_rotated_secret_no_longer_needs_the_old_key(key: str, vault: Vault) -> None:
    new = generate_key()
    rotated = Vault([new, key]).rotate(vault.seal(ROW, {"token": "t"}))
    assert Vault([new]).open(ROW, rotated) == {"token": "t"}
    with pytest.raises(Unreadable):
        vault.open(ROW, rotated)


def test_a_rotated_secret_stays_bound_to_its_row(vault: Vault) -> None:
    with pytest.raises(SealedElsewhere):
        vault.open("actions:8", vault.rotate(vault.seal(ROW, "s3cret")))


def test_what_cannot_be_opened_is_not_rotated(vault: Vault) -> None:
    with pytest.raises(Unreadable):
        Vault([generate_key()]).rotate(vault.seal(ROW, "s3cret"))


def test_a_value_that_json_cannot_hold_is_not_sealed(vault: Vault) -> None:
    with pytest.raises(TypeError):
        vault.seal(ROW, object())


def test_a_vault_needs_a_key() -> None:
    with pytest.raises(ValueError, match="SECRETS_KEYS has no key; make one with: runsheet secrets new-key"):
        Vault([])


@pytest.mark.parametrize("wrong", ["", "short", "x" * 44, "ü" * 44])
def test_a_malformed_key_is_refused_without_showing_it(key: str, wrong: str) -> None:
    with pytest.raises(ValueError, match="SECRETS_KEYS holds a key that is not one") as raised:
        Vault([key, wrong])
    assert wrong == "" or wrong not in str(raised.value)


def test_each_generated_key_is_another_and_usable() -> None:
    made = {generate_key() for _ in range(5)}
    assert len(made) == 5
    assert [Vault([key]).open(ROW, Vault([key]).seal(ROW, 1)) for key in made] == [1] * 5


@pytest.mark.parametrize("secret", ["xoxb-1234", "a", "", "x" * 500, MASK])
def test_a_mask_tells_nothing_about_the_secret(secret: str) -> None:
    assert mask(secret) == "••••••"
