"""Variational autoencoders and sparse coding go the whole way."""

import pytest

from tests.pipelines.whole_way import first_alone, goes_the_whole_way

CONFIGS = ["digits_vae", "digits_conv_vae", "digits_conditional_vae", "digits_sparse_coding", "digits_psd"]


@pytest.mark.parametrize("name", first_alone(CONFIGS, "digits_conditional_vae"))
def test_it_is_blessed_and_pushed_and_answers(name, place, scans, tmp_path):
    goes_the_whole_way(name, place, scans, tmp_path)
