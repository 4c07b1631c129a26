"""What the operator decides: every setting with its default, its range and one sentence of meaning.

The dotted path of a field is its key in the configuration file. `Env` names its environment variable where a name is
fixed by the trading specification (section 10) or by habit; every other field answers to `PERPDESK_` and its path.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

Dimension = Literal[
    "confidence", "reward_risk", "regime", "atr", "volume_rank", "funding", "spread", "completeness", "reversal"
]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
LIVE_HOSTS: Final = frozenset({"fapi.binance.com", "fstream.binance.com"})


@dataclass(frozen=True, slots=True)
class Env:
    """The environment name of a field."""

    name: str


def _decimal(value: object) -> object:
    """Take a TOML number as the decimal the operator typed (repr of a float round-trips)."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return value
    return Decimal(str(value))


def _sequence(value: object) -> object:
    """Take a TOML array as an immutable tuple."""
    return tuple(value) if isinstance(value, list) else value


Share = Annotated[float, Field(ge=0, le=1)]


class Table(BaseModel):
    """A group of settings: frozen, strict about types, closed to unknown keys."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )


class ExchangeSettings(Table):
    """The venue."""

    venue: Annotated[str, Env("PERPDESK_EXCHANGE")] = "simulator"
    """Where the desk trades: `simulator`, `demo`, `live`, or the URL of a venue that speaks the same protocol."""
    testnet: Annotated[bool | None, Env("BINANCE_TESTNET")] = None
    """Chooses the demo venue (true) or the live one (false) where `exchange.venue` is not given."""
    rate_limit: Annotated[int, Env("RATE_LIMIT_REQUESTS"), Field(ge=100, le=6000)] = 1920
    """Request weight the desk allows itself per minute."""

    keyring: str = ""
    """Entry of the system's keyring that holds the API key (users `api-key` and `api-secret`); empty asks none."""

    @field_validator("venue")
    @classmethod
    def _known_venue(cls, value: str) -> str:
        """Refuse what is neither a named venue nor a usable URL."""
        if value in {"simulator", "demo", "live"}:
            return value
        url = urlsplit(value)
        host = url.hostname or ""
        plain_local = url.scheme == "http" and host in LOOPBACK
        if not host or not (plain_local or url.scheme == "https"):
            raise ValueError("must be simulator, demo, live, an https URL, or an http URL on this machine")
        if host in LIVE_HOSTS:
            raise ValueError("names a live host by URL; write live instead")
        return value


class TradingSettings(Table):
    """What may become an order."""

    enabled: Annotated[bool, Env("TRADING_ENABLED")] = False
    """Allows live orders, together with `trading.environment` and an armed account; false is paper trading."""
    environment: Literal["paper", "live"] = "paper"
    """Whether this configuration is meant for live orders; a live one with `trading.enabled` can be armed."""
    key_may_transfer: bool = False
    """Allows live orders with an API key that may move money to other wallets; one that withdraws is never allowed."""
    max_positions: Annotated[int, Env("MAX_POSITIONS"), Field(ge=0, le=100_000)] = 999
    """Most positions open at once."""
    execute_rank: Annotated[int, Env("IMMEDIATE_EXECUTION_RANK"), Field(ge=0, le=100)] = 3
    """Signals of this rank or better may trade."""
    max_signals: Annotated[int, Env("MAX_SIGNALS"), Field(ge=1, le=500)] = 10
    """Signals accepted per cycle; the others stay candidates."""


class OrderSettings(Table):
    """How live orders are placed and protected."""

    emergency_stop_percent: Annotated[float, Field(gt=0, le=50)] = 3.0
    """Distance of the stop of a position nobody planned from the mark price, in percent."""
    slippage: Annotated[float, Field(gt=0, le=0.05)] = 0.001
    """Share of the decided price within which an entry goes out at the market; beyond it a limit order rests."""
    rest: Annotated[float, Field(ge=5, le=86_400)] = 120.0
    """Seconds a resting entry waits before its remainder is cancelled."""
    dead_man: Annotated[float, Field(ge=0, le=3600)] = 0.0
    """Seconds after which the exchange itself cancels resting entries of a desk that is gone; 0 is off."""
    isolated: bool = False
    """Whether positions are opened with isolated margin; else they share the wallet."""
    start_deadline: Annotated[float, Field(ge=0, le=3600)] = 180.0
    """Real seconds after which a headless desk that holds nothing ends a start that does not come through; 0 waits."""
    conditional_reserve: Annotated[int, Field(ge=0, le=198)] = 20
    """Conditional orders of the account's 200 that are left free."""


class StrategySettings(Table):
    """Which strategy acts, and from which confidence on."""

    mode: Annotated[Literal["ict", "self_learning", "hybrid"], Env("STRATEGY_MODE")] = "hybrid"
    """The strategy that may trade; all three always run on the virtual book."""
    min_confidence: Annotated[Share, Env("MIN_CONFIDENCE")] = 0.35
    """Candidates below this confidence are dropped."""


class UniverseSettings(Table):
    """Which symbols the desk watches."""

    size: Annotated[int, Env("TOP_LIQUIDITY_SYMBOLS"), Field(ge=1, le=1000)] = 200
    """How many of the most traded perpetuals are watched."""


class LoopSettings(Table):
    """The rhythm of the desk, in desk seconds."""

    cycle_interval: Annotated[float, Env("CYCLE_INTERVAL"), Field(ge=1, le=3600)] = 60.0
    """Seconds between two live cycles."""
    virtual_interval: Annotated[float, Env("VIRTUAL_POSITION_CYCLE_INTERVAL"), Field(ge=1, le=3600)] = 10.0
    """Seconds between two virtual cycles."""


class VirtualSettings(Table):
    """The virtual book."""

    start_balance: Annotated[Decimal, BeforeValidator(_decimal), Field(gt=0, le=1_000_000_000)] = Decimal(10000)
    """USDT the virtual book starts with."""
    risk_per_position: Annotated[float, Field(gt=0, le=0.02)] = 0.001
    """Share of the start balance lost at the stop of one virtual position; small, since hundreds are open at once."""
    expiry: Annotated[float, Env("VIRTUAL_POSITION_EXPIRY"), Field(ge=60, le=31_536_000)] = 345_600.0
    """Seconds after which an open virtual position expires."""


class RiskSettings(Table):
    """Limits of specification section 6."""

    risk_per_trade: Annotated[float, Field(gt=0, le=0.1)] = 0.01
    """Share of equity lost at the stop of one trade, costs included."""
    margin_cap: Annotated[float, Field(gt=0, le=1)] = 0.90
    """Share of the wallet all positions may bind as margin."""
    margin_warning: Annotated[float, Field(gt=0, le=1)] = 0.80
    """Share of the wallet bound as margin from which the desk warns."""
    notional_cap: Annotated[float, Field(gt=0, le=10)] = 0.50
    """Notional of one position as a share of equity times its leverage cap."""
    max_orders_per_cycle: Annotated[int, Field(ge=0, le=100)] = 5
    """New orders per live cycle."""
    base_leverage: Annotated[float, Field(gt=0, le=20)] = 1.0
    """Leverage the formula of section 6.1 starts from."""
    max_leverage: Annotated[int, Field(ge=1, le=125)] = 125
    """Leverage no decision exceeds, whatever the bracket allows."""
    correlation: Annotated[float, Field(gt=0, le=1)] = 0.80
    """Correlation of 5m returns above which same-side exposure counts as one."""

    @model_validator(mode="after")
    def _warning_comes_first(self) -> RiskSettings:
        """Refuse a warning that could never be seen before the cap."""
        if self.margin_warning > self.margin_cap:
            raise ValueError("risk.margin_warning must not exceed risk.margin_cap")
        return self


class LimitSettings(Table):
    """What live positions and entries may add up to at any instant."""

    symbol_notional: Annotated[float, Field(gt=0, le=125)] = 10.0
    """Notional of one symbol as a multiple of equity."""
    gross_notional: Annotated[float, Field(gt=0, le=125)] = 20.0
    """Notional of all positions and entries as a multiple of equity."""
    day_loss: Annotated[float, Field(gt=0, le=1)] = 0.15
    """Share of the day's first equity that may be lost if every stop were hit at once; no entry goes beyond it."""
    orders_per_minute: Annotated[int, Field(ge=1, le=1200)] = 60
    """Entries sent within a minute."""

    @model_validator(mode="after")
    def _one_is_part_of_all(self) -> LimitSettings:
        """Refuse a symbol's limit that the limit of everything would never let it reach."""
        if self.symbol_notional > self.gross_notional:
            raise ValueError("limits.symbol_notional must not exceed limits.gross_notional")
        return self


class WeightSettings(Table):
    """Soft weight of each quality dimension; only their proportion matters."""

    confidence: Annotated[float, Field(ge=0, le=100)] = 0.25
    """Weight of the strategy's confidence."""
    reward_risk: Annotated[float, Field(ge=0, le=100)] = 0.15
    """Weight of the reward to risk ratio."""
    regime: Annotated[float, Field(ge=0, le=100)] = 0.15
    """Weight of the fit between regime and direction."""
    atr: Annotated[float, Field(ge=0, le=100)] = 0.10
    """Weight of the ATR in percent of the price."""
    volume_rank: Annotated[float, Field(ge=0, le=100)] = 0.05
    """Weight of the liquidity rank."""
    funding: Annotated[float, Field(ge=0, le=100)] = 0.05
    """Weight of the funding rate."""
    spread: Annotated[float, Field(ge=0, le=100)] = 0.10
    """Weight of the spread."""
    completeness: Annotated[float, Field(ge=0, le=100)] = 0.05
    """Weight of complete data."""
    reversal: Annotated[float, Field(ge=0, le=100)] = 0.10
    """Weight of the absence of reversal signs."""

    @model_validator(mode="after")
    def _something_weighs(self) -> WeightSettings:
        """Refuse weights that carry nothing."""
        if not any(self.model_dump().values()):
            raise ValueError("one of the signals.weights must be positive")
        return self


class SignalSettings(Table):
    """Entry quality and balance of specification section 4.4."""

    hard_gates: Annotated[tuple[Dimension, ...], BeforeValidator(_sequence)] = (
        "confidence",
        "reward_risk",
        "atr",
        "funding",
        "spread",
        "completeness",
        "reversal",
    )
    """Dimensions that drop a candidate by themselves; the others only weigh."""
    min_reward_risk: Annotated[float, Field(gt=0, le=100)] = 1.5
    """Smallest reward to risk ratio."""
    min_regime: Share = 0.25
    """Smallest fit between regime and direction."""
    min_atr_percent: Annotated[float, Field(ge=0, le=100)] = 0.5
    """Smallest ATR in percent of the price."""
    max_atr_percent: Annotated[float, Field(gt=0, le=100)] = 5.0
    """Largest ATR in percent of the price."""
    max_volume_rank: Annotated[int, Field(ge=1, le=1000)] = 230
    """Largest liquidity rank a signal may come from; a member leaves the universe only below 1.15 times its size."""
    max_funding_percent: Annotated[float, Field(gt=0, le=10)] = 0.1
    """Largest absolute funding rate, in percent."""
    max_spread_bps: Annotated[float, Field(gt=0, le=1000)] = 10.0
    """Largest spread, in hundredths of a percent."""
    min_completeness: Share = 0.99
    """Smallest share of the required bars that must be there."""
    max_reversal_risk: Share = 0.75
    """Largest reversal risk from divergences and opposing sweeps."""
    max_side_share: Annotated[float, Field(ge=0.5, le=1)] = 0.70
    """Largest share one side may take of a cycle's accepted signals while the other side has candidates."""
    weights: WeightSettings = WeightSettings()

    @model_validator(mode="after")
    def _range_is_open(self) -> SignalSettings:
        """Refuse an ATR range nothing can lie in."""
        if self.min_atr_percent >= self.max_atr_percent:
            raise ValueError("signals.min_atr_percent must be below signals.max_atr_percent")
        return self


class PredictionSettings(Table):
    """Inference and its storage."""

    batch_size: Annotated[int, Env("BATCH_PREDICTION_SIZE"), Field(ge=1, le=4096)] = 32
    """Rows per inference batch."""
    batch_max_delay: Annotated[float, Env("BATCH_MAX_DELAY"), Field(ge=0, le=10)] = 0.1
    """Seconds a row may wait for its batch to fill."""
    memory_mapped_positions: Annotated[int, Env("MAX_MEMORY_MAPPED_POSITIONS"), Field(ge=1, le=1_000_000)] = 1000
    """Positions kept in the memory-mapped store."""
    feature_dimension: Annotated[int, Env("FEATURE_DIMENSION"), Field(ge=1, le=1024)] = 32
    """Outputs of the feature network."""
    max_workers: Annotated[int | None, Env("MAX_WORKERS"), Field(ge=1, le=256)] = None
    """Threads for inference; unset leaves one core to the trading loop."""


class RegimeSettings(Table):
    """Market regime prediction."""

    threshold: Annotated[Share, Env("REGIME_PREDICTION_THRESHOLD")] = 0.70
    """Probability from which a regime counts as predicted."""
    lookback: Annotated[int, Env("REGIME_PREDICTION_LOOKBACK"), Field(ge=1, le=1000)] = 10
    """Bars the smoothing looks back."""


class DynamicFeatureSettings(Table):
    """Features chosen by regime."""

    min_sharpe: Annotated[float, Env("DYNAMIC_FEATURE_MIN_SHARPE"), Field(ge=-10, le=100)] = 1.0
    """Rolling Sharpe ratio of signed returns a feature needs to stay."""
    max_count: Annotated[int, Env("DYNAMIC_FEATURE_MAX_COUNT"), Field(ge=1, le=1000)] = 20
    """Most features kept."""


class LiquidityHuntingSettings(Table):
    """Entries at resting liquidity."""

    confidence: Annotated[Share, Env("LIQUIDITY_HUNT_CONFIDENCE_THRESHOLD")] = 0.60
    """Confidence a hunted entry needs."""
    slippage_tolerance: Annotated[float, Env("LIQUIDITY_SLIPPAGE_TOLERANCE"), Field(ge=0, le=0.1)] = 0.003
    """Largest expected slippage, as a share of the price."""


class FlagSettings(Table):
    """Feature flags of specification section 9 at start; the screen switches them while running."""

    enable_quantization: Annotated[bool, Env("ENABLE_QUANTIZATION")] = True
    """Serve the quantised networks where they pass the parity check."""
    enable_incremental_cache: Annotated[bool, Env("ENABLE_INCREMENTAL_CACHE")] = True
    """Advance indicators bar by bar instead of recomputing them."""
    enable_batch_prediction: Annotated[bool, Env("ENABLE_BATCH_PREDICTION")] = True
    """Predict in batches instead of one symbol at a time."""
    enable_memory_mapped_storage: Annotated[bool, Env("ENABLE_MEMORY_MAPPED_STORAGE")] = True
    """Keep virtual positions in a memory-mapped store."""
    enable_smart_monitoring: Annotated[bool, Env("ENABLE_SMART_MONITORING")] = True
    """Look at virtual positions as often as their risk asks for."""
    enable_market_regime_prediction: Annotated[bool, Env("ENABLE_MARKET_REGIME_PREDICTION")] = False
    """Weigh candidates by the predicted market regime."""
    enable_dynamic_features: Annotated[bool, Env("ENABLE_DYNAMIC_FEATURES")] = False
    """Choose features by the market regime."""
    enable_liquidity_hunting: Annotated[bool, Env("ENABLE_LIQUIDITY_HUNTING")] = False
    """Place entries at resting liquidity."""


class ScreenSettings(Table):
    """What the operator sees."""

    theme: Literal["normal", "red-up", "blue-orange"] = "normal"
    """Colours: normal, red for rising prices, or safe for colour-blind eyes."""
    ascii: bool = False
    """Draw with ASCII characters only."""
    paint_rate: Annotated[float, Field(ge=0.2, le=20)] = 4.0
    """Most paints per second."""


class SimulatorSettings(Table):
    """The simulated exchange the desk starts for itself."""

    market: str = "synthetic"
    """`synthetic`, `replay:DIR` with a folder of Parquet candles, or `session:DIR` with one of `perpdesk record`."""
    symbols: Annotated[int, Field(ge=1, le=1000)] = 240
    """Perpetuals of the synthetic market."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 5
    """Seed of every random path."""
    start: str = "2026-03-10T13:00:00Z"
    """Simulated instant at which the synthetic market begins; a later run continues where the journal ends."""
    speed: Annotated[float, Field(gt=0, le=1000)] = 20.0
    """Simulated seconds per real second."""

    @property
    def start_ms(self) -> int:
        """Return the start in UTC milliseconds."""
        return round(datetime.fromisoformat(self.start).timestamp() * 1000)

    @field_validator("start")
    @classmethod
    def _instant(cls, value: str) -> str:
        """Refuse what is no instant with its offset, and years without perpetuals."""
        try:
            when = datetime.fromisoformat(value)
        except ValueError:
            when = None
        if when is None or when.tzinfo is None or not 2010 < when.year < 2100:
            raise ValueError("must be an instant from 2011 to 2099 with its offset, such as 2026-01-05T00:00:00Z")
        return value

    @field_validator("market")
    @classmethod
    def _known_market(cls, value: str) -> str:
        """Refuse anything but the three kinds of market."""
        kind, _, folder = value.partition(":")
        if value != "synthetic" and not (kind in {"replay", "session"} and folder):
            raise ValueError("must be synthetic, replay:DIR or session:DIR")
        return value


class Settings(Table):
    """All settings. Secrets are not among them: see `config.credentials`."""

    data_dir: Annotated[str, Env("PERPDESK_DATA_DIR")] = ""
    """Folder of journal, models and logs; empty chooses the platform's place."""
    log_level: Annotated[LogLevel, Env("LOG_LEVEL")] = "INFO"
    """Least severe log line that is written."""
    exchange: ExchangeSettings = ExchangeSettings()
    trading: TradingSettings = TradingSettings()
    orders: OrderSettings = OrderSettings()
    strategy: StrategySettings = StrategySettings()
    universe: UniverseSettings = UniverseSettings()
    loops: LoopSettings = LoopSettings()
    virtual: VirtualSettings = VirtualSettings()
    risk: RiskSettings = RiskSettings()
    limits: LimitSettings = LimitSettings()
    signals: SignalSettings = SignalSettings()
    prediction: PredictionSettings = PredictionSettings()
    regime: RegimeSettings = RegimeSettings()
    dynamic_features: DynamicFeatureSettings = DynamicFeatureSettings()
    liquidity_hunting: LiquidityHuntingSettings = LiquidityHuntingSettings()
    flags: FlagSettings = FlagSettings()
    screen: ScreenSettings = ScreenSettings()
    simulator: SimulatorSettings = SimulatorSettings()
