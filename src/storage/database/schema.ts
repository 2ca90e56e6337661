/** @file The tables of the run store, version by version. A released version is never edited: add the next one. */

/** SQL that takes a store from version `index` to `index + 1`. */
export const SCHEMA_VERSIONS: readonly string[] = [
  `
  CREATE TABLE store_info (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

  -- seq is the order of creation; times are ISO 8601 in UTC
  CREATE TABLE runs (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    project TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'finished', 'failed', 'interrupted')),
    heartbeat_at TEXT NOT NULL,
    pid INTEGER NOT NULL,
    host TEXT NOT NULL,
    process_start TEXT,
    git_commit TEXT,
    git_branch TEXT,
    git_dirty INTEGER CHECK (git_dirty IN (0, 1)),
    command_line TEXT,
    seed INTEGER,
    backend TEXT,
    backend_version TEXT,
    epochs INTEGER,
    epochs_done INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT,
    error TEXT,
    note TEXT,
    deleted_at TEXT,
    node_version TEXT NOT NULL,
    package_version TEXT NOT NULL
  ) STRICT;
  CREATE INDEX runs_by_name ON runs (name);
  CREATE INDEX runs_by_start ON runs (started_at);

  CREATE TABLE run_tags (
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    tag TEXT NOT NULL,
    PRIMARY KEY (run_id, tag)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE run_config (
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    type TEXT NOT NULL CHECK (type IN ('number', 'string', 'boolean', 'null', 'json')),
    value TEXT NOT NULL,
    PRIMARY KEY (run_id, key)
  ) STRICT, WITHOUT ROWID;

  -- SQLite turns NaN into NULL, so a column keeps it apart from an undefined metric
  CREATE TABLE metric_points (
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    split TEXT NOT NULL,
    task_path TEXT NOT NULL,
    metric_name TEXT NOT NULL,
    step INTEGER NOT NULL,
    epoch INTEGER,
    value REAL,
    is_nan INTEGER NOT NULL DEFAULT 0 CHECK (is_nan IN (0, 1)),
    wall_time REAL NOT NULL,
    PRIMARY KEY (run_id, split, task_path, metric_name, step)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE thresholds (
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    task_path TEXT NOT NULL,
    label_index INTEGER NOT NULL,
    label TEXT,
    metric_name TEXT NOT NULL,
    value REAL NOT NULL,
    PRIMARY KEY (run_id, task_path, label_index)
  ) STRICT, WITHOUT ROWID;

  -- seq keeps the order in which the rows were given: that of the flow
  CREATE TABLE evaluation (
    seq INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    split TEXT NOT NULL,
    gates TEXT NOT NULL CHECK (gates IN ('truth', 'predicted')),
    task_path TEXT NOT NULL,
    metric_name TEXT NOT NULL,
    metric_res REAL,
    num_samples INTEGER NOT NULL,
    UNIQUE (run_id, split, gates, task_path, metric_name)
  ) STRICT;

  CREATE TABLE samples_interpretation (
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    split TEXT NOT NULL,
    task_path TEXT NOT NULL,
    side TEXT NOT NULL CHECK (side IN ('best', 'worst')),
    rank INTEGER NOT NULL,
    sample TEXT NOT NULL,
    loss REAL,
    label TEXT NOT NULL,
    prediction TEXT NOT NULL,
    PRIMARY KEY (run_id, split, task_path, side, rank)
  ) STRICT;

  CREATE TABLE artifacts (
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (run_id, path)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE runs ADD COLUMN starred INTEGER NOT NULL DEFAULT 0 CHECK (starred IN (0, 1));
  -- hex sha256 of the table with its images, and of the project's source files
  ALTER TABLE runs ADD COLUMN data_digest TEXT;
  ALTER TABLE runs ADD COLUMN source_digest TEXT;

  -- one metric of all runs, as conditions and orders ask for it
  CREATE INDEX evaluation_by_metric
    ON evaluation (task_path, metric_name, split, gates, run_id, metric_res);

  -- NULL: as the project's file or the defaults have it
  ALTER TABLE run_config ADD COLUMN changed_by TEXT CHECK (changed_by IN ('set', 'flag'));

  -- the machine, the system and the versions that a run was made with
  CREATE TABLE run_environment (
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    type TEXT NOT NULL CHECK (type IN ('number', 'string', 'boolean', 'null', 'json')),
    value TEXT NOT NULL,
    PRIMARY KEY (run_id, key)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- the texts that name a curve are kept once, not with every point: a third of the size, twice as fast to write
  CREATE TABLE metric_series (
    id INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    split TEXT NOT NULL,
    task_path TEXT NOT NULL,
    metric_name TEXT NOT NULL,
    UNIQUE (run_id, split, task_path, metric_name)
  ) STRICT;

  CREATE TABLE series_points (
    series_id INTEGER NOT NULL REFERENCES metric_series (id) ON DELETE CASCADE,
    step INTEGER NOT NULL,
    epoch INTEGER,
    value REAL,
    is_nan INTEGER NOT NULL DEFAULT 0 CHECK (is_nan IN (0, 1)),
    wall_time REAL NOT NULL,
    PRIMARY KEY (series_id, step)
  ) STRICT, WITHOUT ROWID;

  INSERT INTO metric_series (run_id, split, task_path, metric_name)
    SELECT DISTINCT run_id, split, task_path, metric_name FROM metric_points
    ORDER BY run_id, split, task_path, metric_name;
  INSERT INTO series_points (series_id, step, epoch, value, is_nan, wall_time)
    SELECT id, step, epoch, value, is_nan, wall_time
    FROM metric_series JOIN metric_points USING (run_id, split, task_path, metric_name)
    ORDER BY id, step;
  DROP TABLE metric_points;

  -- read as before
  CREATE VIEW metric_points AS
    SELECT run_id, split, task_path, metric_name, step, epoch, value, is_nan, wall_time
    FROM metric_series JOIN series_points ON series_id = id;

  -- every list asks for them, to tell which of them have crashed
  CREATE INDEX runs_running ON runs (state) WHERE state = 'running';
  `,
  `
  -- the epoch of the checkpoint that was evaluated; NULL where that is not known
  ALTER TABLE runs ADD COLUMN best_epoch INTEGER;
  -- a resumed run keeps its start: when its latest session began (NULL: at its start), and how long those before took
  ALTER TABLE runs ADD COLUMN session_at TEXT;
  ALTER TABLE runs ADD COLUMN earlier_s REAL NOT NULL DEFAULT 0;
  DROP INDEX runs_by_start;
  CREATE INDEX runs_by_start ON runs (coalesce(session_at, started_at));

  -- rows of any kind were counted as images
  UPDATE metric_series SET metric_name = 'rows_per_second'
    WHERE task_path = '_total' AND metric_name = 'images_per_second';
  `,
  `
  -- the best constant answer's value on the same rows; NULL where there is none, or it is not known
  ALTER TABLE evaluation ADD COLUMN baseline REAL;
  ALTER TABLE evaluation ADD COLUMN beats_baseline INTEGER CHECK (beats_baseline IN (0, 1));
  `,
  `
  -- rows of what a user gets, end to end, beside those of true and predicted gates
  ALTER TABLE evaluation RENAME TO evaluation_before;
  CREATE TABLE evaluation (
    seq INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    split TEXT NOT NULL,
    gates TEXT NOT NULL CHECK (gates IN ('truth', 'predicted', 'end_to_end')),
    task_path TEXT NOT NULL,
    metric_name TEXT NOT NULL,
    metric_res REAL,
    num_samples INTEGER NOT NULL,
    baseline REAL,
    beats_baseline INTEGER CHECK (beats_baseline IN (0, 1)),
    UNIQUE (run_id, split, gates, task_path, metric_name)
  ) STRICT;
  INSERT INTO evaluation
    (seq, run_id, split, gates, task_path, metric_name, metric_res, num_samples, baseline, beats_baseline)
    SELECT seq, run_id, split, gates, task_path, metric_name, metric_res, num_samples, baseline, beats_baseline
    FROM evaluation_before ORDER BY seq;
  DROP TABLE evaluation_before;
  CREATE INDEX evaluation_by_metric
    ON evaluation (task_path, metric_name, split, gates, run_id, metric_res);
  `,
  `
  -- runs that belong together: folds, sweeps
  CREATE TABLE run_groups (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('folds', 'sweep')),
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    planned INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    ended_at TEXT
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE group_runs (
    group_id TEXT NOT NULL REFERENCES run_groups (id) ON DELETE CASCADE,
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    PRIMARY KEY (group_id, position),
    UNIQUE (run_id)
  ) STRICT, WITHOUT ROWID;

  -- over the runs: mean and deviation; of all together: metric_res
  CREATE TABLE group_evaluation (
    seq INTEGER PRIMARY KEY,
    group_id TEXT NOT NULL REFERENCES run_groups (id) ON DELETE CASCADE,
    split TEXT NOT NULL,
    gates TEXT NOT NULL CHECK (gates IN ('truth', 'predicted', 'end_to_end')),
    task_path TEXT NOT NULL,
    metric_name TEXT NOT NULL,
    mean REAL,
    deviation REAL,
    runs INTEGER NOT NULL,
    metric_res REAL,
    num_samples INTEGER NOT NULL,
    baseline REAL,
    beats_baseline INTEGER CHECK (beats_baseline IN (0, 1)),
    UNIQUE (group_id, split, gates, task_path, metric_name)
  ) STRICT;
  `,
  `
  -- how far scores are from what comes true: the network's own (raw), and after calibration
  CREATE TABLE calibration (
    seq INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    method TEXT NOT NULL CHECK (method IN ('temperature', 'isotonic')),
    split TEXT NOT NULL,
    task_path TEXT NOT NULL,
    metric_name TEXT NOT NULL,
    raw REAL,
    calibrated REAL,
    num_samples INTEGER NOT NULL,
    UNIQUE (run_id, split, task_path, metric_name)
  ) STRICT;
  `,
  `
  -- 95 % confidence interval of the metric; NULL where none is known
  ALTER TABLE evaluation ADD COLUMN interval_low REAL;
  ALTER TABLE evaluation ADD COLUMN interval_high REAL;
  `,
  `
  -- what lists choose and order runs by, kept when it is written: the last value of each curve …
  ALTER TABLE metric_series ADD COLUMN last_value REAL;
  UPDATE metric_series SET last_value =
    (SELECT value FROM series_points WHERE series_id = metric_series.id ORDER BY step DESC LIMIT 1);
  CREATE INDEX series_by_metric ON metric_series (task_path, metric_name, split, run_id, last_value);

  -- … and the monitor's value on valid at the epoch whose checkpoint was kept; before there is one, its last value
  ALTER TABLE runs ADD COLUMN monitored REAL;
  UPDATE runs SET monitored = (
    SELECT value FROM (
      SELECT coalesce(
        (SELECT value FROM run_config WHERE run_id = runs.id AND key = 'train.monitor' AND type = 'string'),
        '_total/loss'
      ) AS name
    ) JOIN metric_points
    WHERE run_id = runs.id AND split = 'valid'
      AND task_path = substr(name, 1, instr(name, '/') - 1) AND metric_name = substr(name, instr(name, '/') + 1)
    ORDER BY epoch IS runs.best_epoch DESC, step DESC LIMIT 1
  );

  -- one setting of all runs, as conditions and orders ask for it
  CREATE INDEX config_by_key ON run_config (key, run_id, type, value);
  CREATE INDEX environment_by_key ON run_environment (key, run_id, type, value);
  `,
  `
  -- a run may have been pruned by a sweep; a CHECK can only be changed with its table
  CREATE TABLE runs_after (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    project TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'finished', 'failed', 'interrupted', 'pruned')),
    heartbeat_at TEXT NOT NULL,
    pid INTEGER NOT NULL,
    host TEXT NOT NULL,
    process_start TEXT,
    git_commit TEXT,
    git_branch TEXT,
    git_dirty INTEGER CHECK (git_dirty IN (0, 1)),
    command_line TEXT,
    seed INTEGER,
    backend TEXT,
    backend_version TEXT,
    epochs INTEGER,
    epochs_done INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT,
    error TEXT,
    note TEXT,
    deleted_at TEXT,
    node_version TEXT NOT NULL,
    package_version TEXT NOT NULL,
    starred INTEGER NOT NULL DEFAULT 0 CHECK (starred IN (0, 1)),
    data_digest TEXT,
    source_digest TEXT,
    best_epoch INTEGER,
    session_at TEXT,
    earlier_s REAL NOT NULL DEFAULT 0,
    monitored REAL
  ) STRICT;
  INSERT INTO runs_after
    (seq, id, name, project, state, heartbeat_at, pid, host, process_start, git_commit, git_branch, git_dirty,
     command_line, seed, backend, backend_version, epochs, epochs_done, created_at, started_at, ended_at, error, note,
     deleted_at, node_version, package_version, starred, data_digest, source_digest, best_epoch, session_at, earlier_s,
     monitored)
    SELECT seq, id, name, project, state, heartbeat_at, pid, host, process_start, git_commit, git_branch, git_dirty,
     command_line, seed, backend, backend_version, epochs, epochs_done, created_at, started_at, ended_at, error, note,
     deleted_at, node_version, package_version, starred, data_digest, source_digest, best_epoch, session_at, earlier_s,
     monitored
    FROM runs ORDER BY seq;
  DROP TABLE runs;
  ALTER TABLE runs_after RENAME TO runs;
  CREATE INDEX runs_by_name ON runs (name);
  CREATE INDEX runs_by_start ON runs (coalesce(session_at, started_at));
  CREATE INDEX runs_running ON runs (state) WHERE state = 'running';

  -- what a sweep searches, and how: JSON
  CREATE TABLE studies (
    group_id TEXT PRIMARY KEY REFERENCES run_groups (id) ON DELETE CASCADE,
    definition TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- one choice of settings; its run is the one of the group whose position is the number. What a trial came to stays
  -- here when its run is deleted
  CREATE TABLE trials (
    group_id TEXT NOT NULL REFERENCES run_groups (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'finished', 'pruned', 'failed', 'interrupted')),
    parameters TEXT NOT NULL,
    objectives TEXT,
    epochs_done INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    -- the process that works on it
    pid INTEGER NOT NULL,
    host TEXT NOT NULL,
    process_start TEXT,
    heartbeat_at TEXT NOT NULL,
    PRIMARY KEY (group_id, number)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- under which key a run, or a group of folds, was started: one of each key and project, which whoever starts it again
  -- goes on with
  CREATE TABLE run_keys (
    project TEXT NOT NULL,
    key TEXT NOT NULL,
    run_id TEXT UNIQUE REFERENCES runs (id) ON DELETE CASCADE,
    group_id TEXT UNIQUE REFERENCES run_groups (id) ON DELETE CASCADE,
    PRIMARY KEY (project, key),
    CHECK ((run_id IS NULL) <> (group_id IS NULL))
  ) STRICT, WITHOUT ROWID;
  `,
];
