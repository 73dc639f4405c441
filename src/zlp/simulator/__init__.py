"""The same root driven by price paths and agents: backtests, scenarios, sweeps and their metrics."""
