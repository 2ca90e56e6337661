"""Metric points into a plain SQLite table from Python's own sqlite3, and into MLflow's store where it is installed.

Prints one JSON line per side.
"""
import json
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

POINTS, BATCH = int(sys.argv[1]), int(sys.argv[2])


def rows():
    for i in range(POINTS):
        yield ("run", "train", f"task{i // 1000 % 30}", "loss", i, i * 0.5, 1.0)


def batches():
    batch = []
    for row in rows():
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def report(side, seconds, points=POINTS):
    print(json.dumps({"side": side, "points_per_second": points / seconds}))


def plain(folder):
    database = sqlite3.connect(Path(folder) / "plain.db", isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    database.execute(
        "CREATE TABLE points (run TEXT, split TEXT, task TEXT, metric TEXT, step INTEGER, value REAL, wall_time REAL,"
        " PRIMARY KEY (run, split, task, metric, step)) WITHOUT ROWID"
    )
    start = time.perf_counter()
    for batch in batches():
        database.execute("BEGIN IMMEDIATE")
        database.executemany("INSERT INTO points VALUES (?, ?, ?, ?, ?, ?, ?)", batch)
        database.execute("COMMIT")
    report("Python sqlite3, plain table", time.perf_counter() - start)


def mlflow_store(folder):
    try:
        import mlflow
        from mlflow.entities import Metric
    except ImportError:
        return
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    client = mlflow.MlflowClient()
    run = client.create_run(client.create_experiment("bench"))
    points = min(POINTS, 20_000)
    start = time.perf_counter()
    for first in range(0, points, 1000):  # what one call may hold
        metrics = [Metric(f"task{i // 1000 % 30}/loss", i * 0.5, 1, i) for i in range(first, min(points, first + 1000))]
        client.log_batch(run.info.run_id, metrics=metrics)
    report("MLflow log_batch", time.perf_counter() - start, points)


with tempfile.TemporaryDirectory() as folder:
    plain(folder)
    mlflow_store(folder)
