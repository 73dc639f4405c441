"""The mixed profile has the shape of a basket pool: the same weather goes over it."""

from tests.storm.zeus import next_command

__all__ = ["next_command"]
