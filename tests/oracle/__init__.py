"""Tests of the price feeds: a real EVM, real servers on loopback, recorded payload shapes."""
