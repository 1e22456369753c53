"""Variational autoencoders and sparse coding go the whole way; `digits_vae` in test_without_labels.py."""

import pytest

from tests.pipelines.whole_way import goes_the_whole_way, is_blessed

# What generates stands in components/tasks, a conditional one too, and what is asked of it in verbs/.
CONFIGS = ["digits_conditional_vae", "digits_sparse_coding"]
# As digits_vae and digits_sparse_coding, and components/tasks has a good and a crippled one of each judged.
OF_THE_SAME_SIGNATURES = ["digits_conv_vae", "digits_psd"]


@pytest.mark.whole
@pytest.mark.parametrize("name", CONFIGS)
def test_it_is_blessed_and_pushed_and_answers(name, place, scans, tmp_path):
    goes_the_whole_way(name, place, scans, tmp_path)


@pytest.mark.every
@pytest.mark.parametrize("name", OF_THE_SAME_SIGNATURES)
def test_it_is_blessed(name, place):
    is_blessed(name, place)
