"""Nets of scikit-learn after a few steps of training."""

import warnings


def fitted(model, inputs, target):
    """The model after a few steps: warnings that it has not converged are nothing to us."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(inputs, target)
