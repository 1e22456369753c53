"""What serving says of tf.Examples without importing who reads them."""

from components import inputs
from serving import features


def test_features_are_those_of_the_kinds_of_input():
    assert {kind: inputs.input_of(kind).feature for kind in inputs.kinds()} == features.OF
