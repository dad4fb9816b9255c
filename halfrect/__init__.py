"""The front door: your two nets in, a certified path between them out.

    import halfrect

    found = halfrect.connect(net_a, net_b, X, y)     # scikit-learn, arrays, state dicts
    found                                            # what the path reaches, what the straight line reaches
    found.plot()
    found.save("path.json")                          # a certificate that anybody can verify

The path's maximum is a bound in exact arithmetic; what only drawing needs is sampled, and said to be.
"""

import os
import sys

_ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
sys.path.insert(0, _ROOT)  # our own theory and checks, whatever the user's folders hold
try:
    from checks import own_path as own_path
    from halfrect.connection import Connection, connect
    from halfrect.nets import Net, from_arrays, from_sklearn
    from halfrect.pictures import plot_path
    from halfrect.state_dicts import from_state_dict
except ImportError:  # a theory.py or checks/ of the user's was imported before us
    for _name in ("theory", "checks"):
        _file = getattr(sys.modules.get(_name), "__file__", None)
        if _name in sys.modules and os.path.realpath(_file or "") != os.path.join(_ROOT, _name, "__init__.py"):
            raise ImportError(
                f"{_file or _name} was imported as {_name!r}, and halfrect needs its own {_name}, in {_ROOT}; rename yours"
            ) from None
    raise
finally:
    sys.path.remove(_ROOT)

__version__ = "0.1.0"

__all__ = ["Connection", "Net", "__version__", "connect", "from_arrays", "from_sklearn", "from_state_dict", "plot_path"]
