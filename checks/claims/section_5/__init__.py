"""Section 5 and after: the paper's open questions, and what is known since.

More layers (`sec_5_multilayer`): N + 1 units in each (`plus_one`, `deep_exchange`), fewer by Theorem 2.4 at any depth
(`multilayer_2_4`, `dropout_reduction`). One layer, as few units as can be: `pivots`. Other losses (`other_losses`) and other
penalties (`ridge_one_layer`, `ridge_deep`, `schatten_depth`). The population (`sec_5_empirical`, `held_out`), and symmetry: up to
permutations (`sec_5_symmetry`, `straight_modulo`). All draw on `instances`.
"""
