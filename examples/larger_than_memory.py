"""Fitting more points than the memory of all workers holds, on a local Dask cluster.

    python -m examples.larger_than_memory --points 60000000 --limit 600MB

The points are made chunk by chunk, as they would be read from files. The fit passes over them once
for the scaling and once a stage; nothing but sums comes back. It prints the peak memory of
each worker, the held-out error, and the cost of a point against that of a fit in memory.
"""

import argparse
import resource
import time

import dask.array as da
import numpy as np
from dask.distributed import Client, LocalCluster
from dask.utils import format_bytes, parse_bytes

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.metrics import relative_l2_error

TURN = 2 * np.pi


def eddies(X):
    """Periodic on [0, 2 pi)^2."""
    return np.exp(np.sin(X[:, 0])) * np.cos(3 * X[:, 1] - X[:, 0]) + 0.01 * np.sin(20 * X[:, 1])


def peak_memory():
    """Largest resident set of this process so far, in bytes."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def seconds_of(action):
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=2_000_000)
    parser.add_argument("--chunk", type=int, default=500_000, help="points a chunk")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--limit", default="600MB", help="memory of a worker")
    parser.add_argument("--in-memory", type=int, default=1_000_000, help="points to compare with")
    options = parser.parse_args(arguments)

    rng = da.random.default_rng(0)
    X = rng.uniform(0, TURN, (options.points, 2), chunks=(options.chunk, 2))
    y = X.map_blocks(eddies, drop_axis=1, dtype=float)
    size = X.nbytes + y.nbytes
    model = SpectrumInformedMSNNRegressor(period=TURN, random_state=0)
    with (
        LocalCluster(
            n_workers=options.workers,
            threads_per_worker=1,
            memory_limit=options.limit,
            dashboard_address=":0",
        ) as cluster,
        Client(cluster) as client,
    ):
        seconds = seconds_of(lambda: model.fit(X, y))
        peaks = client.run(peak_memory)
    fresh = np.random.default_rng(1).uniform(0, TURN, (5000, 2))
    error = relative_l2_error(eddies(fresh), model.predict(fresh))

    part = np.random.default_rng(2).uniform(0, TURN, (options.in_memory, 2))
    values = eddies(part)
    inside = SpectrumInformedMSNNRegressor(period=TURN, random_state=0)
    seconds_inside = seconds_of(lambda: inside.fit(part, values))
    error_inside = relative_l2_error(eddies(fresh), inside.predict(fresh))

    limit = options.workers * parse_bytes(options.limit)
    print(f"data {format_bytes(size)}, memory of all workers {format_bytes(limit)}")
    print("peak memory of each worker:", ", ".join(format_bytes(p) for p in peaks.values()))
    print(f"{options.points} points in chunks: error {error:.1e}, {seconds:.1f} s")
    print(f"{options.in_memory} points in memory: error {error_inside:.1e}, {seconds_inside:.1f} s")
    ratio = seconds / options.points / (seconds_inside / options.in_memory)
    print(f"time a point, chunks over memory: {ratio:.2f}")


if __name__ == "__main__":
    main()
