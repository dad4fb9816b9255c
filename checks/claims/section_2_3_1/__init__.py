"""Section 2.3.1: half-rectified networks are generally disconnected.

A net and its copy with two units swapped have one risk, and every path between them climbs: for two Gaussians
(`sec_2_3_1_gaussians`, `sec_2_3_1_gaussians_growth`), and for a net on its own outputs (`sec_2_3_1_tessellation`). With
outputs mixed of two nets both need not stay minima (`sec_2_3_1_mixture`). Biases are one more input (`sec_2_3_biases`). The
swap of three units on three points, with the exact height of its barrier, is in appendix E.1
(`checks.claims.sections_3_4.app_e1_disconnected`).
"""
