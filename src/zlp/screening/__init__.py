"""Finds what a price makes due (positions to liquidate, orders to execute) among a million, in a millisecond.

    exact rule --fold--> Threshold or Headroom --upsert--> table --due(price, indices)--> candidates
                                                                     --the engine's exact rule--> due

Folding moves everything that changes with a tick to one side of the rule and everything that changes with the
position to the other, once per change of the position. A tick then only scans a few float64 columns:

- `DueTable`: rows with one price, for example the longs of one market. A row is due once the price reaches the
  greater of a fixed threshold and `base + sum(slope * index)`, where the indices (cumulative funding, a
  collateral's price) are common to the table. 8 bytes a row without indices, 24 with one. While the indices stand
  still, blocks of rows whose highest threshold is out of reach are skipped.
- `TriggerTable`: orders waiting above or below a price; two `DueTable`s without indices.
- `AccountTable`: cross-margin accounts. A row is `constant + sum(legs) + share of the net profit`, a leg is
  `min(cap, coefficient * variable + coefficient * variable + constant)`. Only accounts exposed to a changed
  variable are evaluated.

The tables never miss a row that is due. They may return a few that are not, so the caller confirms each
candidate exactly. Why they never miss:

1. Folds. Where an exact rule truncates, its fold adds the truncated units on the side that makes the row due
   earlier. So in rational arithmetic "due" implies "at or past the folded threshold", or "headroom <= 0".
2. Conversions, with u = 2**-53. Every exact number becomes the nearest float: relative error at most u, and
   monotone. So price <= threshold implies float(price) <= float(threshold), and float(price) <= t for every
   float t >= threshold: comparing loses nothing. (A table for rising prices negates everything first.)
3. Sums. With r = 2**-48 = 32u, a base is stored as base + r*|base|, and a tick computes
   t = base + (s1*x1 + r*|s1*x1|) + ... + (sk*xk + r*|sk*xk|). A term suffers 2 conversions, 1 product, 1 addition
   of its margin (the product with r, a power of 2, is exact) and k additions, k <= 8: at most 12 roundings, the
   base fewer. So the standard bound gives, with m = |base| + |s1*x1| + ... + |sk*xk| in exact numbers,

       t >= exact + r*m - 12u / (1 - 12u) * (1 + r) * m >= exact + 19u * m.

   The margin is relative to each row's own terms, so one huge row does not blur the others.
   In an account with at most 1000 legs a term passes at most 3 + 2 roundings in its leg and 1000 + 5 on the
   way to the headroom. `min` and the share of a profit (at most 1) do not enlarge an error; a cap, never
   negative, counts only when it is below its leg, so its own rounding is within the leg's. The margin is
   2**-42 * m = 2048u * m.
4. Range. Coefficients and variables of 2**500 or more are not multiplied: such a row is always a candidate,
   such an index or variable is refused. So no sum overflows. Products that underflow lose less than 2**-560
   in all; 2**-512 is added for them, far below any price.
5. Comparisons are written so that equality, and anything that is no number, makes a candidate.

The price of a wide margin is small: 2**-48 of a price of 100,000 is less than a billionth of a dollar.
"""

from __future__ import annotations

try:
    import numpy as _numpy  # noqa: F401
except ImportError as missing:
    raise ImportError("zlp.screening needs NumPy (best with numba): pip install 'zlp[fast]'") from missing

from zlp.screening.account_table import AccountTable, Headroom, Leg, Variable
from zlp.screening.due_table import Direction, DueTable, Threshold
from zlp.screening.folds import (
    CrossCollateral,
    CrossPosition,
    cross_margin_variables,
    fold_borrowed,
    fold_cross_margin,
    fold_isolated,
)
from zlp.screening.kernels import backend
from zlp.screening.ratio import Ratio
from zlp.screening.trigger_table import TriggerTable

__all__ = [
    "AccountTable",
    "CrossCollateral",
    "CrossPosition",
    "Direction",
    "DueTable",
    "Headroom",
    "Leg",
    "Ratio",
    "Threshold",
    "TriggerTable",
    "Variable",
    "backend",
    "cross_margin_variables",
    "fold_borrowed",
    "fold_cross_margin",
    "fold_isolated",
]
