"""The venue's own SDK, unchanged, signs with a key pair in place of a secret."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

TOUR = Path(__file__).parent / "tours" / "tour_key_pairs.py"
KEY = "k" * 64
MAKERS = {
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "rsa": lambda: rsa.generate_private_key(65_537, 2_048),
}


@pytest.mark.skipif(
    find_spec("binance_sdk_derivatives_trading_usds_futures") is None, reason="needs Binance's SDK for USDS futures"
)
@pytest.mark.parametrize("kind", MAKERS)
def test_rest_and_ws_api_take_the_signatures_of_a_key_pair(kind, tmp_path):
    private = MAKERS[kind]()
    path = tmp_path / "key.pem"
    path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    options = json.dumps({"symbols": 5, "api_key": KEY, "api_secret": public})
    command = [sys.executable, "-m", "exchange.simulator", options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            root = json.loads(child.stdout.readline())["rest"]
            walk = [sys.executable, str(TOUR), KEY, str(path), root]
            done = subprocess.run(walk, check=False, capture_output=True, text=True, timeout=120)
        finally:
            child.terminate()
            child.wait(timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines() == [
        "wallet 10000.00000000",
        "order NEW CANCELED",
        "conditional order NEW success",
        "account_information_v2 200",
        "futures_account_balance_v2 200",
        "position_information_v2 200",
    ]
