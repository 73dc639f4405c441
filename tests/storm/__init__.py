"""Storms: very many random commands against a whole profile, checked after each one.

`python -m tests.storm --profile zeus --commands 1000000 --seed 7`

A profile's generator is a module of this package with `next_command(random, root, now) -> Envelope`. It may read
the root's state to aim well, draws only from `random`, and keeps nothing between calls, so that a seed says it all.
Every role of the profile is held by the account of the same name (`governor`, `keeper`, `bridge`, ...).
"""
