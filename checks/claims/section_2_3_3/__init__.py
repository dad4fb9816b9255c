"""Section 2.3.3: Theorem 2.4 and Corollary 2.5.

The theorem (`thm_2_4`), its segments (`thm_2_4_subpath_1`, `thm_2_4_subpath_3`), its constants (`thm_2_4_eta`,
`thm_2_4_constant`), its remarks (`rem_2_4_empirical`, `rem_2_4_regularisation`). The corollary: its rate (`cor_2_5_rate`), its
proof (`cor_2_5_covering`, `cor_2_5_removal`), and what it says of wide nets (`cor_2_5_connected`, `cor_2_5_poor_minima`). What is
sharper, ours: coin tosses (`sharper_maurey`, `sharper_drop`), widths that suffice (`sharper_N_plus_1`, `sharper_2N`), a
net and its permuted copies (`sharper_permutation`), and what a penalty keeps apart (`sharper_sign_invariance`,
`penalised_barrier`). All draw on `instances`.
"""
