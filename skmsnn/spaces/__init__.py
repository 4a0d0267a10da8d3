"""Spaces of functions that are linear in their coefficients, and least squares in them."""
