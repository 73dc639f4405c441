"""Price feeds: Chainlink, Data Streams, exchanges, files and generators, all behind one narrow port.

Nothing here decides what the venue does with a price: those rules are mechanisms of the engine. Import
what you need from its module; heavy libraries (web3, ccxt, polars, numpy) load only with the module that uses
them.
"""
