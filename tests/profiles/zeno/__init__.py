"""Tests of the fund that counter-trades, on the shipped profile."""
