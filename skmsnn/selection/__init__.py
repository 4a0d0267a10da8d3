"""How a stage is chosen: one race of candidates, and its record."""
