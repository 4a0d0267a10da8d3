"""The race of ladders of candidates, and the scores that decide it."""
