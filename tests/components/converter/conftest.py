"""Conversion in this process, which has TensorFlow; what runs the files is started as hubel starts it: it imports none."""

import pytest

from components.converter import convert, work


@pytest.fixture(autouse=True, scope="package")
def converted_here():
    start = work._process

    def process(script, asked, does):
        if script != work.CONVERT:
            return start(script, asked, does)
        try:
            convert.main(**asked)
        except Exception as error:
            return f"the process that {does} ended with code 1: {convert.said(error)}"
        return ""

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(work, "_process", process)
        yield start
