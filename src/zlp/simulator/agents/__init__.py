"""Behaviours: what agents do. One file each; settings are frozen, the randomness is the agent's own stream.

A behaviour is its settings with one method, ``act``: look at the world through a hand, act, and say how many
seconds to sleep. What it must remember lies in the hand, so one behaviour serves any number of agents.
"""

from __future__ import annotations

from zlp.simulator.agents.arbitrageur import StaleArbitrageur
from zlp.simulator.agents.base import Behaviour
from zlp.simulator.agents.founder import Founder
from zlp.simulator.agents.hedger import Hedger
from zlp.simulator.agents.noise import NoiseTrader
from zlp.simulator.agents.rebalancer import Rebalancer
from zlp.simulator.agents.reversion import MeanReverter
from zlp.simulator.agents.skew import SkewArbitrageur
from zlp.simulator.agents.tape import TapeTrader
from zlp.simulator.agents.trend import TrendFollower
from zlp.simulator.agents.yield_chaser import YieldChaser

AnyBehaviour = (
    Founder
    | Rebalancer
    | YieldChaser
    | NoiseTrader
    | TapeTrader
    | TrendFollower
    | MeanReverter
    | Hedger
    | SkewArbitrageur
    | StaleArbitrageur
)
"""Every kind, by the ``type`` a scenario writes."""

__all__ = [
    "AnyBehaviour",
    "Behaviour",
    "Founder",
    "Hedger",
    "MeanReverter",
    "NoiseTrader",
    "Rebalancer",
    "SkewArbitrageur",
    "StaleArbitrageur",
    "TapeTrader",
    "TrendFollower",
    "YieldChaser",
]
