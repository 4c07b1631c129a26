import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.simulator.answers import RefusalError
from exchange.simulator.auth import check_signature, check_time, identify, sign, without_signature
from exchange.simulator.keys import HmacSecret
from exchange.simulator.params import Params

SECRET = "2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9"
PAYLOAD = (
    b"symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=9000&timeInForce=GTC&recvWindow=5000&timestamp=1591702613943"
)
KNOWN = "3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9"
NOW = 1_795_000_000_000


def test_the_signature_matches_the_venues_known_answer():
    assert sign(SECRET, PAYLOAD) == KNOWN


@pytest.mark.parametrize(
    ("query", "body"),
    [
        (PAYLOAD + b"&signature=" + KNOWN.encode(), b""),
        (PAYLOAD + b"&signature=" + KNOWN.upper().encode(), b""),
        (b"signature=" + KNOWN.encode() + b"&" + PAYLOAD, b""),
        (b"", PAYLOAD + b"&signature=" + KNOWN.encode()),
        # Query and body are joined without a separator, wherever the signature stands.
        (PAYLOAD[:20], PAYLOAD[20:] + b"&signature=" + KNOWN.encode()),
        (PAYLOAD[:20] + b"&signature=" + KNOWN.encode(), PAYLOAD[20:]),
    ],
)
def test_a_signature_is_accepted_wherever_it_stands(query, body):
    check_signature(query, body, HmacSecret(SECRET))


@pytest.mark.parametrize(
    ("query", "body"),
    [
        (PAYLOAD, b""),
        (PAYLOAD + b"&signature=", b""),
        (PAYLOAD + b"&signature=" + KNOWN[:-1].encode() + b"0", b""),
        (PAYLOAD.replace(b"9000", b"9001") + b"&signature=" + KNOWN.encode(), b""),
        (b"", PAYLOAD.replace(b"&", b"%26", 1) + b"&signature=" + KNOWN.encode()),
    ],
)
def test_a_signature_over_other_bytes_is_refused(query, body):
    with pytest.raises(RefusalError) as caught:
        check_signature(query, body, HmacSecret(SECRET))
    assert (caught.value.status, caught.value.code) == (400, -1022)


@given(st.lists(st.binary(max_size=12).filter(lambda part: b"&" not in part and not part.startswith(b"signature="))))
def test_taking_the_signature_out_leaves_every_other_byte(parts):
    raw = b"&".join(parts)
    assert without_signature(raw) == (raw, None)
    for place in range(len(parts) + 1):
        pairs = [*parts[:place], b"signature=ab", *parts[place:]]
        assert without_signature(b"&".join(pairs)) == (raw, b"ab")


def outcome(text):
    try:
        check_time(Params(text.encode(), b""), NOW)
    except RefusalError as refusal:
        return refusal.code, refusal.text
    return None


AHEAD = (-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
OUTSIDE = (-1021, "Timestamp for this request is outside of the recvWindow.")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"timestamp={NOW}", None),
        (f"timestamp={NOW + 999}", None),
        (f"timestamp={NOW + 1000}", AHEAD),
        (f"timestamp={NOW * 1000}", AHEAD),
        (f"timestamp={NOW - 5000}", None),
        (f"timestamp={NOW - 5001}", OUTSIDE),
        (f"timestamp={NOW - 5001}&recvWindow=6000", None),
        (f"timestamp={NOW - 60_000}&recvWindow=60000", None),
        (f"timestamp={NOW}&recvWindow=60001", (-1130, "Data sent for parameter 'recvWindow' is not valid.")),
        (
            "timestamp=soon",
            (-1100, "Illegal characters found in parameter 'timestamp'; legal range is '^[0-9]{1,20}$'."),
        ),
    ],
)
def test_the_time_window_is_the_venues(text, expected):
    assert outcome(text) == expected


@pytest.mark.parametrize(
    ("headers", "code"), [({}, -2014), ({"x-mbx-apikey": "short"}, -2014), ({"x-mbx-apikey": "a" * 64}, -2015)]
)
def test_an_unusable_key_is_401(headers, code):
    with pytest.raises(RefusalError) as caught:
        identify(headers, {"known": "secret"})
    assert (caught.value.status, caught.value.code) == (401, code)


def test_the_query_wins_over_the_body_and_unknown_parameters_do_not_matter():
    params = Params(b"symbol=A&odd=%20", b"symbol=B&limit=7")
    assert params.required("symbol") == "A"
    assert params.integer("limit") == 7
