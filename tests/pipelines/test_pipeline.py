"""What is refused when a pipeline is put together, before anything runs."""

import pytest

from configs import load
from configs.errors import UsageError
from pipelines import pipeline
from pipelines.workspace import Workspace


@pytest.mark.parametrize(
    ("assignment", "sentence"),
    [("model={name: lenet5, options: {}}", "this model is none"), ("anomaly.score=elbo", "this model is no density of images")],
)
def test_a_score_that_the_model_cannot_give(assignment, sentence, tmp_path):
    with pytest.raises(UsageError, match=sentence):
        pipeline.build(load.load("digits_anomalies", [assignment]), Workspace.at(tmp_path), None)
