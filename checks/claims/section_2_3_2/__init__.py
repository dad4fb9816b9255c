"""Section 2.3.2: the kernel, the oracle risk and compressibility."""
