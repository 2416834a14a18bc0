"""How often Python looks for objects that only hold each other."""

import gc

_OBJECTS_BETWEEN_COLLECTIONS = 200_000


def collect_seldom() -> None:
    """Leave alone what is there already, and look at the rest after many objects, not after every 700.

    What a module defines stays, and blocks are freed by their counts: looking only takes time, 0.1 s of a start.
    """
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)


def collect_no_more() -> None:
    """Leave alone whatever is there when the program ends: to take it apart piece by piece takes 25 ms, for nobody."""
    gc.freeze()
