"""The original's search for a threshold: the best F1 score of 100 candidates, each computed by scikit-learn.

sklearn_tune.py ROWS FILE reads float32 scores, then uint8 truths; prints JSON, or null where scikit-learn is missing.
"""

import json
import resource
import sys
import time


def main() -> None:
    rows, path = int(sys.argv[1]), sys.argv[2]
    try:
        import numpy as np
        from sklearn.metrics import f1_score
    except ImportError:
        print("null")
        return
    scores = np.fromfile(path, dtype=np.float32, count=rows)
    truths = np.fromfile(path, dtype=np.uint8, count=rows, offset=4 * rows)
    start, cpu_start = time.perf_counter(), time.process_time()
    best, best_threshold = -1.0, 0.5
    for threshold in np.linspace(0.0, 1.0, 100):
        value = f1_score(truths, scores >= threshold)
        if value > best:
            best, best_threshold = value, threshold
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found = {"threshold": float(best_threshold), "f1_score": float(best)}
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu_seconds, **found, "rss_mb": rss}))


main()
