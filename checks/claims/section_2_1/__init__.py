"""Section 2.1: poor minima and connectedness."""
