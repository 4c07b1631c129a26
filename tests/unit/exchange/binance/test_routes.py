import pytest

from exchange.binance.allocation import Load, allocate
from exchange.binance.routes import (
    VENUES,
    Route,
    Venue,
    grouped,
    route_of,
    stream_path,
    stream_symbol,
    user_stream_path,
    venue_of,
)
from exchange.errors import VenueError


@pytest.mark.parametrize(
    ("stream", "route"),
    [
        ("btcusdt@bookTicker", Route.PUBLIC),
        ("!bookTicker", Route.PUBLIC),
        ("btcusdt@depth", Route.PUBLIC),
        ("btcusdt@depth@100ms", Route.PUBLIC),
        ("btcusdt@depth20@500ms", Route.PUBLIC),
        ("btcusdt@rpiDepth@500ms", Route.PUBLIC),
        ("btcusdt@trade", Route.PUBLIC),
        ("btcusdt@aggTrade", Route.MARKET),
        ("btcusdt@kline_5m", Route.MARKET),
        ("币安人生usdt@kline_1h", Route.MARKET),
        ("btcusdt_perpetual@continuousKline_1m", Route.MARKET),
        ("btcusdt@markPrice@1s", Route.MARKET),
        ("!markPrice@arr@1s", Route.MARKET),
        ("!ticker@arr", Route.MARKET),
        ("btcusdt@miniTicker", Route.MARKET),
        ("!forceOrder@arr", Route.MARKET),
        ("!contractInfo", Route.MARKET),
    ],
)
def test_every_stream_goes_to_the_route_that_delivers_it(stream, route):
    assert route_of(stream) is route


@pytest.mark.parametrize("name", ["", "btcusdt", "@kline_5m", "a b@kline", "x/y@kline", 'q"@kline', "a?@depth"])
def test_a_name_that_is_no_stream_is_refused(name):
    with pytest.raises(VenueError, match="no stream name"):
        route_of(name)


def test_paths_follow_the_three_forms():
    assert stream_path(Route.MARKET) == "/market/stream"
    assert stream_path(Route.MARKET, combined=False) == "/market/ws"
    assert stream_path(Route.PUBLIC, ("a@bookTicker", "b@depth")) == "/public/stream?streams=a@bookTicker/b@depth"
    assert stream_path(Route.PUBLIC, ("a@bookTicker", "b@depth"), combined=False) == "/public/ws/a@bookTicker/b@depth"
    assert stream_path(Route.MARKET, ("币@kline_1m",)) == "/market/stream?streams=%E5%B8%81@kline_1m"
    assert user_stream_path("abc/1") == "/private/ws?listenKey=abc%2F1"


def test_only_ascii_letters_of_a_symbol_are_lowered():
    assert stream_symbol("1000PEPEUSDT") == "1000pepeusdt"
    assert stream_symbol("ÄUSDT") == "Äusdt"


def test_grouping_keeps_the_routes_apart_and_the_size():
    streams = [f"s{n}@bookTicker" for n in range(5)] + [f"s{n}@kline_5m" for n in range(3)] + ["s0@bookTicker"]
    groups = list(grouped(streams, 2))
    assert [route for route, _ in groups] == [Route.PUBLIC] * 3 + [Route.MARKET] * 2
    assert [len(names) for _, names in groups] == [2, 2, 1, 2, 1]
    for size in (0, 1025):
        with pytest.raises(ValueError, match="1024"):
            list(grouped(streams, size))


def test_live_and_demo_are_fixed():
    assert (
        venue_of("live")
        == VENUES["live"]
        == venue_of("https://fapi.binance.com")
        == venue_of("https://fapi.binance.com/")
    )
    assert venue_of("demo").rest_url == "https://demo-fapi.binance.com"


@pytest.mark.parametrize(
    ("text", "venue"),
    [
        (
            "http://127.0.0.1:8770",
            Venue("http://127.0.0.1:8770", "ws://127.0.0.1:8770", "127.0.0.1:8770", "http://127.0.0.1:8770"),
        ),
        ("http://localhost:1/", Venue("http://localhost:1", "ws://localhost:1", "localhost:1", "http://localhost:1")),
        ("https://[::1]:9", Venue("https://[::1]:9", "wss://[::1]:9", "[::1]:9", "https://[::1]:9")),
    ],
)
def test_an_address_of_this_machine_is_a_venue(text, venue):
    assert venue_of(text) == venue


@pytest.mark.parametrize(
    "text",
    [
        "https://evil.example", "http://fapi.binance.com", "https://fapi.binance.com.evil.example", "http://10.0.0.1:80",
        "http://127.0.0.1.evil.example", "https://fapi.binance.com:444", "ftp://127.0.0.1", "Live", "", "127.0.0.1:80",
        "http://127.0.0.1:8770/path", "http://user@127.0.0.1:1", "http://127.0.0.1:notaport", "http://[::1",
        "http://127.0.0.1@evil.example",
    ],
)  # fmt: skip
def test_any_other_address_is_refused_with_the_remedy(text):
    with pytest.raises(VenueError, match=r"live, demo|host and port|write"):
        venue_of(text)


def test_streams_stay_on_their_socket_and_new_ones_fill_the_room():
    first = allocate([], ["a@kline_5m", "b@kline_5m", "c@kline_5m", "a@bookTicker"], 2)
    assert first == [
        Load(Route.MARKET, ("a@kline_5m", "b@kline_5m")),
        Load(Route.MARKET, ("c@kline_5m",)),
        Load(Route.PUBLIC, ("a@bookTicker",)),
    ]
    second = allocate(first, ["b@kline_5m", "c@kline_5m", "d@kline_5m", "e@kline_5m"], 2)
    assert second == [
        Load(Route.MARKET, ("b@kline_5m", "d@kline_5m")),
        Load(Route.MARKET, ("c@kline_5m", "e@kline_5m")),
        Load(Route.PUBLIC, ()),
    ]
    assert allocate(second, [], 2) == [Load(load.route, ()) for load in second]


def test_only_a_venue_with_a_wallet_service_names_its_host():
    assert VENUES["live"].wallet_url == "https://api.binance.com"
    assert VENUES["demo"].wallet_url == ""
