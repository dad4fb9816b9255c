"""Section 2.3.2: the kernel, the oracle risk and compressibility.

The kernel of two units: its bounds (`prop_2_3`, `prop_2_3_sharp`), the proof (`prop_2_3_proof`), the remarks
(`remark_2_3_energy`, `remark_2_3_taylor`, `remark_2_3_upper`, `remark_2_3_linear_metric`, `rem_small_angle`), against the
`exact_kernel` in integers. The oracle risk e(m): `eq_6_monotone`, `eq_6_vanishing`, `eq_6_attained`, and the compressed risk
delta: `eq_8_well_posed`, `eq_8_monotone`, against the `exact_risk` in fractions.
"""
