"""Chainlink Data Streams: fetch signed reports, verify them ourselves, and keep what proves each price."""
