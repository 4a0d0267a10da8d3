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
