"""When one fit is better than another, and how many points tell."""

from __future__ import annotations

# Errors, or levels of noise, that are equal.
EQUAL = 1.15
# Errors at unseen points that are as good as each other.
AS_GOOD = 1.5
# A fit is clearly better that leaves half of what another does.
CLEARLY = 2.0
# Beyond it nothing is like the other: what is seen of a function, overfitting, a jump in a gap.
FAR = 10.0
# Tries in turn that do not help, after which there are no more: one may be bad luck.
PATIENCE = 2
# Standard errors that chance does not reach: one in sixteen thousand values does, of a fit's some
# hundred comparisons none.
SIGMAS = 4.0
# Points that are enough: their root mean square is known to 1 / sqrt(2 n), which is 1.3 %.
ENOUGH = 3000
# Points, lines or rounds that tell something: a root mean square to a sixth.
FEW = 20
# With 8 levels and more, lines left out told honestly how exact fits were between them; with six
# nothing did, for any of four families of functions.
LEAST_NODES = 8
