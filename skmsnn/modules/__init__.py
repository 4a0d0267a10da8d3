"""Stages and fitted models as torch modules."""
