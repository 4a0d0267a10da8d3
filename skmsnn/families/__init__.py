"""Families of functions that a stage may be of: a file each, and a line here."""

from skmsnn.families.family import Family
from skmsnn.families.fourier import Fourier
from skmsnn.families.hidden_layers import Network
from skmsnn.families.interpolant import Interpolant
from skmsnn.families.kernel import Kernel
from skmsnn.families.polynomial import Polynomial
from skmsnn.families.rational import Rational
from skmsnn.families.separable import Separable
from skmsnn.families.sinusoids import Sinusoids
from skmsnn.families.spline import Spline

#: In the order in which they compete: of those that do as well the first is taken.
FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Polynomial(),
        Spline(),
        Fourier(),
        Rational(),
        Separable(),
        Kernel(),
        Sinusoids(),
        Network(),
        Interpolant(),
    )
}
