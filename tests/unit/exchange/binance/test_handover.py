from hypothesis import given
from hypothesis import strategies as st

from exchange.binance.handover import Handover


@given(st.data())
def test_a_stream_carried_over_is_whole_in_order_and_without_repetition(data):
    frames = data.draw(st.lists(st.sampled_from([b"a", b"b", b"c"]), max_size=30))
    since = data.draw(st.integers(0, len(frames)))
    old_until = data.draw(st.integers(since, len(frames)))
    new_until = data.draw(st.integers(old_until, len(frames)))
    handover = Handover()
    delivered = frames[:since]
    # Between its beginning and its end both sockets advance in any interleaving.
    old, new = since, since
    while old < old_until or new < new_until:
        if old < old_until and (new >= new_until or data.draw(st.booleans())):
            handover.delivered(frames[old])
            delivered.append(frames[old])
            old += 1
        else:
            handover.keep(frames[new])
            new += 1
    kept = handover.finish()
    # Frames alike cannot be told apart, so content and order are compared, not identity.
    assert delivered + kept == frames[:new_until]


def test_a_handover_says_when_it_holds_too_much():
    handover = Handover(bound=3)
    for number in range(2):
        handover.keep(b"%d" % number)
        handover.delivered(b"%d" % number)
        assert not handover.is_full
    handover.keep(b"x")
    assert handover.is_full
