"""What the engine can do in a second, measured beside baselines: python -m bench.engine and its neighbours."""
