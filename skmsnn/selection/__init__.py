"""The selection of a stage: a race of ladders of candidates, and its record."""
