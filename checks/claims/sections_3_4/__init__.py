"""Sections 3 and 4, appendices A and E: strings."""
