"""Others' sides of benchmarks/tuner.py, which starts it: a search over arrays in memory, as one writes it with a library's manual.

Needs keras and keras_tuner or optuna; nothing of hubel's.

    PYTHON benchmarks/tuner_by_hand.py keras_tuner|optuna ARRAYS.npz EPOCHS

It prints {library: with its version, params: of the first network} as JSON. For each line {trials, seed} on standard input it then
searches, and prints {begin, end: time.time() around the search, trials: how many there were, values: of each, best: least
validation loss}. Both train the same networks, hubel's `mlp` behind its normalisation, in the same way.
"""

import json
import os
import sys
import tempfile
import time

import keras
import numpy as np

RATES, BATCHES, HIDDEN = (1e-4, 1e-1), (32, 64, 128), ("50", "100", "200", "100-50")
CLASSES = 10


class Arrays:
    """Images float32 [N, height, width, channels] and labels [N] of training and validation."""

    def __init__(self, file):
        held = np.load(file)
        self.train, self.validation = ((held[f"{split}_images"], held[f"{split}_labels"]) for split in ("train", "validation"))
        self.mean, self.variance = self.train[0].mean((0, 1, 2)), self.train[0].var((0, 1, 2))


def network(arrays, rate, hidden):
    """Compiled."""
    model = keras.Sequential([keras.Input(arrays.train[0].shape[1:])])
    model.add(keras.layers.Normalization(mean=arrays.mean, variance=arrays.variance))
    model.add(keras.layers.Flatten())
    for units in hidden.split("-"):
        model.add(keras.layers.Dense(int(units), activation="relu"))
    model.add(keras.layers.Dense(CLASSES))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss=loss, metrics=["accuracy"])
    return model


def with_keras_tuner(arrays, epochs, trials, seed):
    """RandomSearch, as its guide has it."""
    import keras_tuner

    class Searched(keras_tuner.HyperModel):
        def build(self, hp):
            keras.utils.set_random_seed(seed)
            rate = hp.Float("rate", *RATES, sampling="log")
            hp.Choice("batch_size", list(BATCHES))
            return network(arrays, rate, hp.Choice("hidden", list(HIDDEN)))

        def fit(self, hp, model, *given, **options):
            return model.fit(*given, batch_size=hp.get("batch_size"), **options)

    with tempfile.TemporaryDirectory() as folder:
        tuner = keras_tuner.RandomSearch(Searched(), "val_loss", trials, seed=seed + 1, directory=folder, overwrite=True)
        begin = time.time()
        tuner.search(*arrays.train, validation_data=arrays.validation, epochs=epochs, verbose=0)
        end = time.time()
        done = sorted(tuner.oracle.trials.values(), key=lambda trial: trial.trial_id)
        best = min(trial.score for trial in done)
    return {"begin": begin, "end": end, "values": [trial.hyperparameters.values for trial in done], "best": best}


def with_optuna(arrays, epochs, trials, seed):
    """TPE and the median pruner, both as they are by default."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)

    class Report(keras.callbacks.Callback):
        def __init__(self, trial):
            super().__init__()
            self.trial = trial

        def on_epoch_end(self, epoch, logs=None):
            self.trial.report(logs["val_loss"], epoch)
            if self.trial.should_prune():
                raise optuna.TrialPruned

    def objective(trial):
        keras.backend.clear_session()
        keras.utils.set_random_seed(seed)
        rate = trial.suggest_float("rate", *RATES, log=True)
        batch = trial.suggest_categorical("batch_size", BATCHES)
        model = network(arrays, rate, trial.suggest_categorical("hidden", HIDDEN))
        given = {"batch_size": batch, "epochs": epochs, "validation_data": arrays.validation, "verbose": 0}
        return min(model.fit(*arrays.train, callbacks=[Report(trial)], **given).history["val_loss"])

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed), pruner=optuna.pruners.MedianPruner())
    begin = time.time()
    study.optimize(objective, n_trials=trials)
    return {"begin": begin, "end": time.time(), "values": [trial.params for trial in study.trials], "best": study.best_value}


SEARCHES = {"keras_tuner": with_keras_tuner, "optuna": with_optuna}


def main():
    """Search as often as asked."""
    library, file, epochs = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # a library's own words are no answers
    arrays = Arrays(file)
    version = getattr(__import__(library), "__version__", "")
    first = network(arrays, RATES[0], HIDDEN[0])
    params = sum(int(np.prod(variable.shape)) for variable in first.trainable_variables)
    answers.write(json.dumps({"library": f"{library} {version}", "params": params}) + "\n")
    for line in sys.stdin:
        asked = json.loads(line)
        told = SEARCHES[library](arrays, int(epochs), asked["trials"], asked["seed"])
        answers.write(json.dumps({**told, "trials": len(told["values"])}) + "\n")


if __name__ == "__main__":
    main()
