"""The mathematics of Freeman & Bruna, *Topology and Geometry of Half-Rectified Network Optimization* (ICLR 2017).

One module per idea, in the paper's order; import them by name (`from theory.networks import Network`).
Nothing here prints, plots or reads configuration.
"""
