import pytest

from config.load import load
from engine.venue import own_credentials
from exchange.errors import VenueError


def loaded(tmp_path, **environ):
    return load(tmp_path / "config.toml", {"PERPDESK_EXCHANGE": "demo", **environ})


def test_without_a_key_there_is_none(tmp_path):
    assert own_credentials(loaded(tmp_path)) is None


def test_a_key_with_its_secret_is_ready_to_sign(tmp_path):
    credentials = own_credentials(loaded(tmp_path, BINANCE_API_KEY="k", BINANCE_API_SECRET="s"))
    assert credentials is not None
    assert (credentials.key, credentials.kind) == ("k", "HMAC")


def test_a_private_key_that_cannot_sign_names_its_source_and_the_remedy(tmp_path):
    path = tmp_path / "key.pem"
    path.write_text("-----BEGIN EC PRIVATE KEY-----\nCANARY\n-----END EC PRIVATE KEY-----\n")
    path.chmod(0o600)
    given = loaded(tmp_path, BINANCE_API_KEY="k", BINANCE_PRIVATE_KEY_FILE=str(path))
    with pytest.raises(VenueError, match=r"from environment cannot be used.*openssl genpkey") as caught:
        own_credentials(given)
    assert "CANARY" not in str(caught.value)
