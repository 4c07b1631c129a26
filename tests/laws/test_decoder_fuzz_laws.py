"""Every decoder, on noise and on true answers that were damaged: it believes or refuses, and nothing else happens."""

from hypothesis import given, settings
from hypothesis import strategies as st
from wire_decoders import decoders, samples

from exchange.errors import DecodeError

NASTY = st.sampled_from(
    [
        b"NaN", b'"NaN"', b"Infinity", b'"-Infinity"', b"-1", b'"-1"', b"1e308", b'"1e308"', b"1e999", b'""', b"null",
        b"[]", b"{}", b"true", b'"\\ud800"', b'"\x1b[31m"', b'"\\u202e"', b"\xff\xfe", b"\x00", b'"a":1,"a":2', b"0",
        b'"0"', b"9" * 40, b'"' + b"x" * 300 + b'"', b"[[[[[[[[", b",", b":", b'"',
    ]
)  # fmt: skip


@st.composite
def damaged(draw):
    body = draw(st.sampled_from(samples()))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(body)))
        end = min(len(body), start + draw(st.integers(0, 12)))
        body = body[:start] + draw(st.one_of(NASTY, st.binary(max_size=6))) + body[end:]
    return body


def believes_or_refuses(name, body):
    refusal = refused(decoders()[name], body)
    assert refusal is None or (refusal.where and str(refusal).isprintable())


def refused(decode, body):
    try:
        decode(body)
    except DecodeError as refusal:
        return refusal
    return None


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(sorted(decoders())), damaged())
def test_a_damaged_answer_is_believed_or_refused(name, body):
    believes_or_refuses(name, body)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(sorted(decoders())), st.one_of(st.binary(max_size=200), st.text(max_size=80).map(str.encode)))
def test_noise_is_believed_or_refused(name, noise):
    believes_or_refuses(name, noise)


def test_a_name_that_a_terminal_would_obey_is_printed_as_its_escape():
    frame = b'{"stream":"\r\x1b[2J@markPrice","data":{"e":"markPriceUpdate"}}'.replace(b"\x1b", b"\\u001b")
    refusal = refused(decoders()["streams_wire.FrameDecoder"], frame)
    assert refusal is not None
    assert str(refusal).isprintable()
    assert str(DecodeError("a\x1b[31m", "b\n", "\u202ec")) == "a\\x1b[31m: b\\n: \\u202ec"


def test_every_sample_is_read_by_some_decoder():
    for body in samples():
        assert any(refused(decode, body) is None for decode in decoders().values()), body[:80]
