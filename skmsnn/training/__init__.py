"""How networks begin, and how they are trained."""
