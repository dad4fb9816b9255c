"""Section 2.3.1: half-rectified networks are generally disconnected."""
