"""Factorisations, iterations and non-uniform Fourier transforms."""
