"""Detectors of anomalies held against masks, on DeepPCB: reconstruction error, PCA, PaDiM and PatchCore.

    .venv/bin/python -m benchmarks.pcb_data --data DIR pcb
    .venv/bin/python -m benchmarks.anomaly_maps pcb --workspace DIR

Each is a whole run (`hubel run`), seed 0; what learns features runs first. A row has the image AUROC, the pixel AUROC and AUPRO
with their 95 % intervals. `--only` measures some of them, and their rows take the place of their earlier ones.
"""

import argparse
from pathlib import Path

from benchmarks import commands, record

FIGURES = ("auroc", "pixel_auroc", "pixel_average_precision", "aupro", "pixel_bound")
FEATURES = "pcb_autoencoder"
METHODS = {  # name -> config, and what is set besides
    "reconstruction": (FEATURES, {}),
    "pca": (FEATURES, {"name": "pcb_pca", "model.name": "pca", "model.options": "{code_size: 32}"}),
    "padim": ("pcb_padim", {"transfer.source": f"{FEATURES}@candidate"}),
    "patchcore": ("pcb_patchcore", {"transfer.source": f"{FEATURES}@candidate"}),
}
NAME = "anomaly_maps"


def measured(method: str, folder: Path, workspace: str) -> dict[str, object]:
    """A row."""
    config, further = METHODS[method]
    words = ["run", config, "--workspace", workspace, "--set", f"data.source=folder:{folder}"]
    for key, value in further.items():
        words += ["--set", f"{key}={value}"]
    answer = commands.ask(words)
    row: dict[str, object] = {"method": method, "seconds": round(answer.wall), "cpu_seconds": round(answer.cpu)}
    for name in FIGURES:
        low, high = answer.value["intervals"].get(name, ("", ""))
        row |= {name: answer.value["metrics"][name], f"{name}_low": low, f"{name}_high": high}
    return row


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="what benchmarks.pcb_data wrote")
    parser.add_argument("--workspace", required=True)
    parser.add_argument("--only", nargs="+", choices=list(METHODS), default=list(METHODS))
    asked = parser.parse_args()
    known = record.circumstances()
    for method in asked.only:
        row = {**measured(method, asked.folder.resolve(), asked.workspace), **known}
        print(row, flush=True)
        record.add(NAME, [row], ["method"])


if __name__ == "__main__":
    main()
