"""Trainer as TFX calls it, for a model that a pushed one's features go into; not eagerly, as test_transfer.py has the rest."""

import numpy as np

from components import keys
from components.trainer import artifact, component
from components.trainer.card import Card
from components.trainer.origin import Origin
from keras_models import normalize, transfer
from tests.components import digits
from tests.components.trainer.test_transfer import PIXELS, slice_of


def test_trainer_transfers_a_pushed_model_with_a_few_images(artifacts, classifier, tmp_path):
    kept = str(classifier / keys.KERAS_FILE)
    origin = Origin("tiny/3", "mlp", kept, "digest", True, artifact=str(classifier))
    cfg = slice_of("tiny/3", head="nearest_neighbours", shots=2, neighbours=3)
    args = digits.fn_args(tmp_path, artifacts.examples, artifacts.transform, artifacts.schema, cfg, origin=origin.as_json())
    args.base_model = str(classifier / "Format-Serving")  # for the lineage; `task.start` must not see it
    component.run_fn(args)
    card = Card.read(str(tmp_path / "model"))
    assert (card.architecture, card.task, card.epochs, card.train_images) == ("mlp", "classification", 1, 20)
    assert (card.transfer, card.params) == (cfg.transfer, 64 * 16 + 16)
    model = artifact.load(str(tmp_path / "model"))
    references, labels = normalize.inner(model).get_layer(transfer.HEAD).get_weights()
    assert sorted(labels) == sorted([*range(10)] * 2)
    taken = transfer.extractor(artifact.load(str(classifier))).predict_on_batch(PIXELS[:240])
    assert all(np.abs(taken - row).max(1).min() < 1e-5 for row in references)
    assert not list((tmp_path / "training").rglob("*"))
