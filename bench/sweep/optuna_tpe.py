"""Best values after some trials by Optuna's TPE, as JSON: {function: [best of each seed]}. The functions of functions.ts."""
import json
import math
import sys

import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)


def sphere(trial):
    return sum(trial.suggest_float(name, -5, 5) ** 2 for name in "xyz")


def rosenbrock(trial):
    x, y = trial.suggest_float("x", -2, 2), trial.suggest_float("y", -1, 3)
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def branin(trial):
    a, b = trial.suggest_float("x", -5, 10), trial.suggest_float("y", 0, 15)
    bowl = (b - 5.1 / (4 * math.pi**2) * a**2 + 5 / math.pi * a - 6) ** 2
    return bowl + 10 * (1 - 1 / (8 * math.pi)) * math.cos(a) + 10


def conditional(trial):
    rate = trial.suggest_float("rate", 1e-5, 1, log=True)
    kind = trial.suggest_categorical("kind", ["sgd", "adam", "rmsprop"])
    best, base = {"sgd": (-1, 0), "adam": (-3, 0.2), "rmsprop": (-2.5, 0.5)}[kind]
    own = 2 * (trial.suggest_float("momentum", 0, 1) - 0.9) ** 2 if kind == "sgd" else 0
    layers = trial.suggest_int("layers", 1, 8)
    return base + 0.3 * (math.log10(rate) - best) ** 2 + own + 0.05 * (layers - 5) ** 2


seeds, trials = int(sys.argv[1]), int(sys.argv[2])
found = {}
for function in (sphere, rosenbrock, branin, conditional):
    bests = []
    for seed in range(seeds):
        study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed, warn_independent_sampling=False))
        study.optimize(function, n_trials=trials)
        bests.append(study.best_value)
    found[function.__name__] = bests
print(json.dumps({"optuna": optuna.__version__, "best": found}))
