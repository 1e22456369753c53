"""Variational autoencoders and sparse coding go the whole way."""

import pytest

from tests.pipelines.whole_way import goes_the_whole_way

# What generates stands in components/tasks, a conditional one too, and what is asked of it in verbs/.
pytestmark = pytest.mark.whole

CONFIGS = ["digits_vae", "digits_conv_vae", "digits_conditional_vae", "digits_sparse_coding", "digits_psd"]


@pytest.mark.parametrize("name", CONFIGS)
def test_it_is_blessed_and_pushed_and_answers(name, place, scans, tmp_path):
    goes_the_whole_way(name, place, scans, tmp_path)
