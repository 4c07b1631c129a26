"""From settings to the rules the deciders take: one place where names of the configuration meet names of the field."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from engine.risk.admission import AdmissionLimits
from engine.risk.size import SizeLimits
from engine.signals.rules import QualityRules, SignalRules
from engine.strategy.advanced import DYNAMIC, REGIME, AdvancedRules
from engine.strategy.dynamic import DynamicRules
from engine.strategy.regime import RegimeRules

if TYPE_CHECKING:
    from config.flags import FlagBoard
    from config.settings import RiskSettings, Settings, SignalSettings

HUNDRED = Decimal(100)


def quality_rules(signals: SignalSettings, min_confidence: float) -> QualityRules:
    """Return the rules of entry quality."""
    return QualityRules(
        min_confidence=min_confidence,
        min_reward_risk=signals.min_reward_risk,
        min_regime=signals.min_regime,
        min_atr_percent=signals.min_atr_percent,
        max_atr_percent=signals.max_atr_percent,
        max_volume_rank=signals.max_volume_rank,
        max_funding=signals.max_funding_percent / 100,
        max_spread_bps=signals.max_spread_bps,
        min_completeness=signals.min_completeness,
        max_reversal_risk=signals.max_reversal_risk,
        hard=signals.hard_gates,
        weights=tuple(signals.weights.model_dump().items()),
    )


def signal_rules(settings: Settings) -> SignalRules:
    """Return the rules of a cycle."""
    return SignalRules(
        max_signals=settings.trading.max_signals,
        execute_rank=settings.trading.execute_rank,
        max_side_share=settings.signals.max_side_share,
        quality=quality_rules(settings.signals, settings.strategy.min_confidence),
    )


def admission_limits(settings: Settings) -> AdmissionLimits:
    """Return how many positions and entries the account may have."""
    return AdmissionLimits(settings.trading.max_positions, settings.risk.max_orders_per_cycle)


def advanced_rules(settings: Settings, flags: FlagBoard) -> AdvancedRules:
    """Return the rules of the advanced modules that are switched on."""
    regime, dynamic = settings.regime, settings.dynamic_features
    return AdvancedRules(
        RegimeRules(regime.threshold, regime.lookback) if flags.on(REGIME) else None,
        DynamicRules(dynamic.min_sharpe, dynamic.max_count) if flags.on(DYNAMIC) else None,
    )


def size_limits(risk: RiskSettings) -> SizeLimits:
    """Return the limits of an account's trade."""
    return SizeLimits(
        risk_percent=Decimal(str(risk.risk_per_trade)) * HUNDRED,
        margin_percent=Decimal(str(risk.margin_cap)) * HUNDRED,
        margin_warn_percent=Decimal(str(risk.margin_warning)) * HUNDRED,
        notional_percent=Decimal(str(risk.notional_cap)) * HUNDRED,
    )


def virtual_limits(risk: RiskSettings, share: float) -> SizeLimits:
    """Return the limits of a virtual position: `share` of the book at risk, everything else as for an account."""
    limits = size_limits(risk)
    return SizeLimits(
        Decimal(str(share)) * HUNDRED, limits.margin_percent, limits.margin_warn_percent, limits.notional_percent
    )
