"""Conditions in data: derivatives and equations, in spaces that race as for values alone."""
