"""When one fit is better than another, and how many points tell.

What half and twice each number does to errors and times of 26 data sets is measured by
``python -m examples.benchmarks.sensitivity``, and stands in docs/benchmarks.md.
"""

from __future__ import annotations

# Errors, or levels of noise, that are equal. With 1.07 and 1.3 all errors were the same.
EQUAL = 1.15
# Errors at unseen points that are as good as each other. With 1.25 all errors were the same, and
# with 2 one was half as large again.
AS_GOOD = 1.5
# A fit is clearly better that leaves half of what another does. With 1.5 a switch was missed, with
# 250 times the error, and with 3 a front, with 12 times.
CLEARLY = 2.0
# Beyond it nothing is like the other: what is seen of a function, overfitting, a jump in a gap.
# With 5 resonances were given up, which have poles, and with 20 all errors were the same to 1.2.
FAR = 10.0
# Tries in turn that do not help, after which there are no more: one may be bad luck, and left
# twice the error once. Four left the same in 1.6 times the time.
PATIENCE = 2
# Standard errors that chance does not reach: one in sixteen thousand values does, of a fit's some
# hundred comparisons none. With 2 and 8 all errors were the same.
SIGMAS = 4.0
# Points that are enough: their root mean square is known to 1 / sqrt(2 n), which is 1.3 %.
ENOUGH = 3000
# Points, lines or rounds that tell something: a root mean square to a sixth. With 10 and 40 two
# errors of 26 were 2 to 18 times as large.
FEW = 20
# With 8 levels and more, lines left out told honestly how exact fits were between them; with six
# nothing did, for any of four families of functions. With 4 a table of few levels was fitted nine
# times worse.
LEAST_NODES = 8
