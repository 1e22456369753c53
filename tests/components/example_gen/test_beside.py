"""What stands beside the Examples is written whole, and what is empty not at all."""

import json

import apache_beam as beam

from components.compat.beam import RUNNER
from components.example_gen import beside


def test_each_value_is_a_line_of_its_file_and_an_empty_collection_is_none(tmp_path):
    values = {
        "quarantine/images.jsonl": [{"id": "ä/1.png", "reason": "no"}, {"id": "2"}, {"id": "2"}],
        "summary.json": [{"peak": 3}],
    }
    with beam.Pipeline(RUNNER) as pipeline:
        beside.write(
            {
                tmp_path / name: pipeline | f"Make{name}" >> beam.Create(of_file)
                for name, of_file in {**values, "duplicates/images.jsonl": []}.items()
            }
        )
    written = {path.relative_to(tmp_path).as_posix(): path for path in tmp_path.rglob("*") if path.is_file()}
    assert written.keys() == values.keys()
    for name, path in written.items():
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        assert sorted(lines, key=str) == sorted(values[name], key=str)


def test_a_file_has_no_stages_of_its_own(tmp_path, monkeypatch):
    """However many there are: a stage is about 50 ms of a core."""
    from apache_beam.runners.portability.fn_api_runner import fn_runner

    bundles = []
    execute = fn_runner.FnApiRunner._execute_bundle
    monkeypatch.setattr(fn_runner.FnApiRunner, "_execute_bundle", lambda *given: bundles.append(1) or execute(*given))
    counted = []
    for files in (2, 5):
        with beam.Pipeline(RUNNER) as pipeline:
            made = pipeline | beam.Create([1, 2])
            beside.write({tmp_path / str(files) / f"{number}.jsonl": made for number in range(files)})
        counted.append(len(bundles))
        bundles.clear()
    assert counted[0] == counted[1] <= 4
