"""Section 2.3.3: Theorem 2.4 and Corollary 2.5."""
