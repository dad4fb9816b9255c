"""Section 5 and after: the paper's open questions, and what is known since."""
