"""What TFDV counts of images, ids and labels."""

import tensorflow_data_validation as tfdv
from tensorflow_data_validation import StatsOptions
from tfx.types import Channel, standard_artifacts

from components import keys
from components.statistics_gen.component import StatisticsGen


def test_values_of_bytes_and_ids_are_not_counted(artifacts):
    made = StatisticsGen(Channel(type=standard_artifacts.Examples))
    options = StatsOptions.from_json(made.exec_properties["stats_options_json"])
    files = str(artifacts.examples / f"Split-{keys.TRAIN}" / "*")
    told, plain = (
        tfdv.generate_statistics_from_tfrecord(files, stats_options=chosen).datasets[0] for chosen in (options, StatsOptions())
    )
    features = {
        name: {feature.path.step[0]: feature for feature in split.features} for name, split in (("told", told), ("plain", plain))
    }
    for name in (keys.IMAGE_ENCODED, keys.EXAMPLE_ID):
        assert features["plain"][name].string_stats.unique > 1
        assert features["plain"][name].string_stats.top_values
        assert not features["told"][name].HasField("string_stats")
        assert features["told"][name].bytes_stats.unique == 0
        assert features["told"][name].bytes_stats.common_stats.num_non_missing == 240
    assert features["told"][keys.LABEL].num_stats.max == 9
