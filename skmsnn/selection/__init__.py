"""The selection of a stage among families of functions, and its record."""
