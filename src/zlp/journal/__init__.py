"""The log of commands and receipt digests, which is the truth: port, stores, codec, verification."""
