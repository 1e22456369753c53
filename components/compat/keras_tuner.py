"""keras-tuner: its chief's servicer and its client, and what its oracles keep to themselves."""

import time
from collections.abc import Callable
from pathlib import Path

import grpc
import numpy as np
from keras_tuner.src import protos
from keras_tuner.src.distribute.oracle_chief import OracleServicer

CALLS = ("GetSpace", "UpdateSpace", "CreateTrial", "UpdateTrial", "EndTrial", "GetTrial", "GetBestTrials")


def serve(oracle, server: grpc.Server) -> None:
    """Have a server answer for an oracle, by keras-tuner's own servicer."""
    protos.get_service_grpc().add_OracleServicer_to_server(OracleServicer(oracle), server)


def connect(client, channel: grpc.Channel, patiently: Callable[[Callable], Callable], pause: float) -> None:
    """Have an OracleClient ask its chief through a channel, each call by way of `patiently`, which is given it and gives another.

    Args:
        pause: seconds until a worker that was told to wait asks again; keras-tuner's asks without one.
    """
    client.stub = protos.get_service_grpc().OracleStub(channel)
    for name in CALLS:
        setattr(client.stub, name, patiently(getattr(client.stub, name)))
    create = client.stub.CreateTrial

    def pausing(request, **options):
        response = create(request, **options)
        if response.trial.status == protos.get_proto().TrialStatus.IDLE:
            time.sleep(pause)
        return response

    client.stub.CreateTrial = pausing


class Saving:
    """Stands before an Oracle among the bases of a class: what it would write in place goes to `write_trial`."""

    def write_trial(self, trial) -> None:
        """Write trial.json."""
        raise NotImplementedError

    def _save_trial(self, trial):
        self.write_trial(trial)


def settle(oracle, folder: Path) -> None:
    """Give an oracle its folder, as keras-tuner's Tuner does."""
    oracle._set_project_dir(str(folder.parent), folder.name)


def waiting(oracle) -> list[str]:
    """The ids of trials that are to run again; a list that may be changed."""
    return oracle._retry_queue


def remember(oracle, trial) -> None:
    """Note the values of a trial, so that they are not drawn again."""
    oracle._record_values(trial)


def is_known(oracle, values: dict) -> bool:
    """Whether an oracle has drawn these values, or was told them."""
    return oracle._duplicate(values)


def next_in_grid(oracle, values: dict) -> dict | None:
    """What follows a trial's values in the grid of a GridSearchOracle; None after the last."""
    return oracle._get_next_combination(values)


def draw_by(oracle, seed: list[int]) -> None:
    """Have a BayesianOptimizationOracle look for the next optimum from random numbers of this seed. It does not save the state of
    its own, so that a search that went on would not be the one that it went on from."""
    oracle._random_state = np.random.RandomState(seed)


def trials_of_hyperband(oracle) -> int:
    """How many a HyperbandOracle runs in one sweep over its brackets, if all complete."""
    brackets = range(oracle._get_num_brackets())
    return sum(oracle._get_size(bracket, of) for bracket in brackets for of in range(oracle._get_num_rounds(bracket)))


def draw_at_random(oracle) -> dict | None:
    """Values that an oracle has not drawn yet, evenly from its space; None where it does not come upon any."""
    return oracle._random_values()
