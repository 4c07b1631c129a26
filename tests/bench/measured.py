"""One row of a table of measurements."""

import statistics


def row(name, unit, samples, target, **more):
    """Return minimum, median and maximum of some samples under a name; `more` holds topic or ratio."""
    return {
        "name": name,
        "unit": unit,
        "min": min(samples),
        "median": statistics.median(samples),
        "max": max(samples),
        "target": target,
        **more,
    }
