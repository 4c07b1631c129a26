"""A secret is used, never shown."""

from __future__ import annotations

import copy
import json
import pickle
import sys
import traceback
import types

import msgspec
import pydantic
import pytest

from config.credentials import without_secrets
from config.errors import ConfigError, CredentialsError
from config.load import load
from config.secret import Secret

KEY = "CANARYkey7f3a9b1c"
HALF = "CANARYsecret5d2e8f"
CANARY = "CANARY"


def private(path, text, mode=0o600):
    path.write_text(text)
    path.chmod(mode)
    return path


def pair(prefix="BINANCE_API"):
    return f'{prefix}_KEY = "{KEY}"\n{prefix}_SECRET = "{HALF}"\n'


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        "{}".format,
        "{:>40}".format,
        "%s".__mod__,
        "%r".__mod__,
        lambda secret: repr([secret, {"x": secret}]),
        lambda secret: json.dumps({"x": secret}, default=str),
    ],
)
def test_every_way_to_print_a_secret_shows_stars(show):
    shown = show(Secret(KEY))
    assert "***" in shown
    assert CANARY not in shown


@pytest.mark.parametrize(
    "take",
    [vars, json.dumps, pickle.dumps, copy.copy, copy.deepcopy, msgspec.json.encode, msgspec.to_builtins, hash, list],
)
def test_every_way_to_take_a_secret_apart_is_refused(take):
    with pytest.raises(TypeError) as caught:
        take(Secret(KEY))
    assert CANARY not in str(caught.value)


def test_a_secret_in_a_pydantic_error_stays_hidden():
    class Model(pydantic.BaseModel):
        model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)
        number: int

    with pytest.raises(pydantic.ValidationError) as caught:
        Model(number=Secret(KEY))
    assert CANARY not in str(caught.value) + repr(caught.value.errors())


def test_only_reveal_gives_the_text_and_equals_compare_by_it():
    assert Secret(KEY).reveal() == KEY
    assert Secret(KEY) == Secret(KEY)
    assert Secret(KEY) != Secret(HALF)
    assert Secret(KEY) != KEY
    with pytest.raises(ValueError, match="empty"):
        Secret("")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("secrets.toml", pair()),
        ("secrets.toml", pair("binance_api")),
        ("config.toml", pair()),
        ("config.toml", "[exchange]\n" + pair("api")),
        ("config.toml", f'BINANCE_API_KEY = "{KEY}"\nBINANCE_SECRET_KEY = "{HALF}"\n'),
    ],
)
def test_a_private_file_gives_both_halves_without_a_warning(tmp_path, file, text):
    path = private(tmp_path / file, text)
    loaded = load(tmp_path / "config.toml", {})
    assert loaded.credentials is not None
    assert (loaded.credentials.key.reveal(), loaded.credentials.secret.reveal()) == (KEY, HALF)
    assert loaded.credentials.origin == str(path)
    assert loaded.warnings == ()
    assert CANARY not in repr(loaded) + str(loaded.settings.model_dump())


def test_a_file_with_secrets_that_others_can_read_is_refused(tmp_path):
    for name in ("secrets.toml", "config.toml"):
        path = private(tmp_path / name, pair(), 0o640)
        with pytest.raises(ConfigError, match=r"mode 0640.*chmod 600"):
            load(tmp_path / "config.toml", {})
        path.unlink()


@pytest.mark.parametrize("second", ["BINANCE_API_SECRET", "BINANCE_SECRET_KEY"])
def test_the_environment_gives_them_with_a_warning(tmp_path, second):
    loaded = load(tmp_path / "config.toml", {"BINANCE_API_KEY": KEY, second: HALF})
    assert loaded.credentials is not None
    assert loaded.credentials.secret.reveal() == HALF
    assert "0600" in loaded.warnings[0]
    assert CANARY not in repr(loaded)


def test_the_file_comes_before_the_environment_and_the_other_is_mentioned(tmp_path):
    private(tmp_path / "secrets.toml", pair())
    loaded = load(tmp_path / "config.toml", {"BINANCE_API_KEY": "other", "BINANCE_API_SECRET": "pair"})
    assert loaded.credentials is not None
    assert loaded.credentials.key.reveal() == KEY
    assert "environment also gives one" in loaded.warnings[0]


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"BINANCE_API_KEY": KEY}, "BINANCE_API_SECRET .* is missing"),
        ({"BINANCE_API_SECRET": HALF}, "BINANCE_API_KEY is missing"),
        ({"BINANCE_API_KEY": KEY, "BINANCE_API_SECRET": HALF, "BINANCE_SECRET_KEY": HALF + "x"}, "differ"),
        ({"BINANCE_API_KEY": KEY + " x", "BINANCE_API_SECRET": HALF}, "without blanks"),
        ({"BINANCE_API_KEY": KEY + "ä", "BINANCE_API_SECRET": HALF}, "printable ASCII"),
    ],
)
def test_half_or_contradicting_credentials_are_refused_without_showing_them(tmp_path, environ, words):
    with pytest.raises(ConfigError, match=words) as caught:
        load(tmp_path / "config.toml", environ)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        pair() + "[universe]\nsize = 0\n",
        pair() + "unknown = 1\n",
        f'BINANCE_API_KEY = ["{KEY}"]\nBINANCE_API_SECRET = "{HALF}"\n',
        pair() + "broken = \n",
    ],
)
def test_no_fault_of_a_file_with_secrets_shows_them(tmp_path, text):
    """Not in the message, not in the traceback, nor in local variables outside the two functions that read the text."""
    private(tmp_path / "config.toml", text)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "config.toml", {})
    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [
        f"{frame.name} {name} {shown}"
        for frame in report.stack
        if "/config/" in frame.filename and "/tests/" not in frame.filename
        for name, shown in (frame.locals or {}).items()
        if not (frame.name in {"read_toml", "parse_toml"} and name in {"text", "data", "lines"})
    ]
    assert ours
    assert CANARY not in str(caught.value) + "".join(ours)


def test_secrets_do_not_belong_beside_settings_in_the_secrets_file(tmp_path):
    private(tmp_path / "secrets.toml", pair() + "[universe]\nsize = 5\n")
    with pytest.raises(ConfigError, match=r"universe.size .* is no secret; move it"):
        load(tmp_path / "config.toml", {})


def test_a_child_process_gets_no_secrets():
    environ = {"PATH": "/bin", "BINANCE_API_KEY": KEY, "BINANCE_API_SECRET": HALF, "BINANCE_SECRET_KEY": HALF}
    assert without_secrets(environ) == {"PATH": "/bin"}


PEM = f"-----BEGIN PRIVATE KEY-----\n{HALF}\n-----END PRIVATE KEY-----"


@pytest.mark.parametrize("name", ["BINANCE_PRIVATE_KEY_FILE", "exchange.private_key_file"])
def test_a_private_key_comes_from_a_file_of_its_own(tmp_path, name):
    private(tmp_path / "key.pem", PEM + "\n")
    private(tmp_path / "secrets.toml", f'BINANCE_API_KEY = "{KEY}"\n{name} = "key.pem"\n')
    loaded = load(tmp_path / "config.toml", {})
    assert loaded.credentials is not None
    assert loaded.credentials.secret.reveal() == PEM
    assert CANARY not in repr(loaded)


def test_a_private_key_may_stand_in_the_secrets_file_or_be_named_by_the_environment(tmp_path):
    private(tmp_path / "secrets.toml", f'BINANCE_API_KEY = "{KEY}"\nBINANCE_API_SECRET = """\n{PEM}\n"""\n')
    loaded = load(tmp_path / "config.toml", {})
    assert loaded.credentials is not None
    assert loaded.credentials.secret.reveal() == PEM
    path = private(tmp_path / "key.pem", PEM)
    environ = {"BINANCE_API_KEY": KEY, "BINANCE_PRIVATE_KEY_FILE": str(path)}
    (tmp_path / "secrets.toml").unlink()
    loaded = load(tmp_path / "config.toml", environ)
    assert loaded.credentials is not None
    assert loaded.credentials.secret.reveal() == PEM
    assert without_secrets(environ) == {}


def test_a_private_key_file_that_cannot_be_used_is_refused_with_the_remedy(tmp_path):
    for text, mode, words in (
        (PEM, 0o640, r"mode 0640.*chmod 600"),
        (HALF, 0o600, "no PEM text"),
        (PEM + "\n" * 70_000 + "x", 0o600, "no PEM text"),
        ("", 0o600, "no PEM text"),
    ):
        path = private(tmp_path / "key.pem", text, mode)
        with pytest.raises(ConfigError, match=words) as caught:
            load(tmp_path / "config.toml", {"BINANCE_API_KEY": KEY, "BINANCE_PRIVATE_KEY_FILE": str(path)})
        assert CANARY not in str(caught.value).replace(str(tmp_path), "")
        path.unlink()
    (tmp_path / "link.pem").symlink_to(private(tmp_path / "real.pem", PEM))
    for name, words in (("link.pem", "symbolic link"), ("absent.pem", "cannot be opened"), (".", "not a regular file")):
        environ = {"BINANCE_API_KEY": KEY, "BINANCE_PRIVATE_KEY_FILE": str(tmp_path / name)}
        with pytest.raises(ConfigError, match=words):
            load(tmp_path / "config.toml", environ)


def test_a_secret_and_a_private_key_file_together_are_refused(tmp_path):
    path = private(tmp_path / "key.pem", PEM)
    environ = {"BINANCE_API_KEY": KEY, "BINANCE_API_SECRET": HALF, "BINANCE_PRIVATE_KEY_FILE": str(path)}
    with pytest.raises(ConfigError, match="keep one of them"):
        load(tmp_path / "config.toml", environ)


@pytest.fixture
def service(tmp_path):
    folder = tmp_path / "credentials"
    folder.mkdir(mode=0o700)
    private(folder / "binance_api_key", KEY + "\n", 0o400)
    private(folder / "binance_api_secret", HALF + "\n", 0o400)
    return folder


def test_a_service_credential_comes_before_files_and_environment(tmp_path, service):
    private(tmp_path / "secrets.toml", pair().replace(KEY, "other"))
    environ = {"CREDENTIALS_DIRECTORY": str(service), "BINANCE_API_KEY": "third", "BINANCE_API_SECRET": "pair"}
    loaded = load(tmp_path / "config.toml", environ)
    assert loaded.credentials is not None
    assert (loaded.credentials.key.reveal(), loaded.credentials.secret.reveal()) == (KEY, HALF)
    assert loaded.credentials.origin == "the service credentials"
    assert "is used" in loaded.warnings[0]
    assert without_secrets(environ) == {}


def test_a_service_credential_may_be_a_private_key(tmp_path, service):
    (service / "binance_api_secret").unlink()
    private(service / "binance_private_key", PEM + "\n", 0o440)
    loaded = load(tmp_path / "config.toml", {"CREDENTIALS_DIRECTORY": str(service)})
    assert loaded.credentials is not None
    assert loaded.credentials.secret.reveal() == PEM


def test_credentials_of_other_programs_are_none_of_ours(tmp_path):
    private(tmp_path / "tls_key", "x", 0o644)
    assert load(tmp_path / "config.toml", {"CREDENTIALS_DIRECTORY": str(tmp_path)}).credentials is None


@pytest.mark.parametrize("mode", [0o404, 0o420, 0o644])
def test_a_service_credential_others_can_read_is_refused(tmp_path, service, mode):
    (service / "binance_api_key").chmod(mode)
    with pytest.raises(CredentialsError, match=f"mode {mode:04o}"):
        load(tmp_path / "config.toml", {"CREDENTIALS_DIRECTORY": str(service)})


def test_symbolic_links_to_secrets_are_refused(tmp_path, service):
    (tmp_path / "secrets.toml").symlink_to(private(tmp_path / "elsewhere.toml", pair()))
    with pytest.raises(CredentialsError, match="symbolic link"):
        load(tmp_path / "config.toml", {})
    (service / "binance_api_key").rename(tmp_path / "moved")
    (service / "binance_api_key").symlink_to(tmp_path / "moved")
    with pytest.raises(CredentialsError, match="symbolic link"):
        load(tmp_path / "other" / "config.toml", {"CREDENTIALS_DIRECTORY": str(service)})


def keyring_of(monkeypatch, get_password):
    """Put a keyring library in place of the one that may or may not be installed."""
    library = types.ModuleType("keyring")
    library.get_password = get_password
    monkeypatch.setitem(sys.modules, "keyring", library)


def test_the_keyring_comes_first_and_is_asked_only_where_an_entry_is_named(tmp_path, service, monkeypatch):
    kept = {("desk", "api-key"): "CANARYkeyring", ("desk", "api-secret"): HALF}
    keyring_of(monkeypatch, lambda entry, user: kept[entry, user])
    environ = {"CREDENTIALS_DIRECTORY": str(service)}
    without = load(tmp_path / "config.toml", environ)
    named = load(tmp_path / "config.toml", {**environ, "PERPDESK_EXCHANGE_KEYRING": "desk"})
    assert without.credentials is not None
    assert named.credentials is not None
    assert without.credentials.origin == "the service credentials"
    assert named.credentials.origin == "the keyring"
    assert named.credentials.key.reveal() == "CANARYkeyring"
    assert CANARY not in repr(named)


def test_a_keyring_that_cannot_give_the_key_is_refused_with_the_remedy(tmp_path, monkeypatch):
    def locked(entry, user):
        raise RuntimeError(f"the vault says {KEY}")

    environ = {"PERPDESK_EXCHANGE_KEYRING": "desk"}
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(CredentialsError, match=r"pip install 'perpdesk\[keyring\]'"):
        load(tmp_path / "config.toml", environ)
    for answer, words in ((locked, "unlock it"), (lambda entry, user: None, "keyring set desk api-key")):
        keyring_of(monkeypatch, answer)
        with pytest.raises(CredentialsError, match=words) as caught:
            load(tmp_path / "config.toml", environ)
        assert CANARY not in str(caught.value)
