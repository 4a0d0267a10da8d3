"""What is rounding: the sizes of errors that say nothing, each once."""

from __future__ import annotations

import numpy as np

EPS = float(np.finfo(float).eps)
# Of a value after a few operations, 4.5 eps: fits of periodic grids end at two to four eps.
ROUNDING = 1e-15
# Of sums and least squares over hundreds of terms, 45 eps: singular values of frames of modes end
# there, and so do residuals that no other set of functions lowers.
ROUND_OFF = 1e-14
# Next to it: one more stage of the same functions takes back two digits.
NEAR_ROUND_OFF = 100 * ROUND_OFF
# Of singular values, relative to the largest: what is below one counts as zero.
CUTOFFS = (ROUND_OFF, 1e-12, 1e-10, 1e-8, 1e-6, 1e-4)
# Below it more than half of the digits are right.
HALF_DIGITS = float(np.sqrt(EPS))
