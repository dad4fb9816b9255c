"""Section 2.2: linear networks."""
