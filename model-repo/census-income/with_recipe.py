"""Makes a version with a recipe: `.venv/bin/python model-repo/census-income/with_recipe.py FOLDER [--version 3]`.

Version 1 as it is, under another number, and the folder training/ of what retraining it takes (training/retrain.py says
what lies there). The committed versions have none: a version never changes, and whoever has pushed census-income:1
has it without. Then

    modelyard push FOLDER && modelyard alias set census-income challenger 3

and a Model as manifests/retrained.yaml follows that alias.
"""

import argparse
import shutil
import sys
from pathlib import Path

import numpy as np
import synthetic
import yaml
from features import features

HERE = Path(__file__).resolve().parent
BESIDE = (HERE / "training" / "retrain.py", HERE / "features.py", HERE / "adult.py", HERE.parent / "scikit_onnx.py")


def write(folder: Path, name: str = "census-income", version: str = "3") -> Path:
    """The entry's folder; FOLDER must not be there yet. Raises FileExistsError when it is."""
    shutil.copytree(HERE / "1", folder)
    described = yaml.safe_load((folder / "modelyard.yaml").read_text())
    described |= {"name": name, "version": version}
    (folder / "modelyard.yaml").write_text(yaml.safe_dump(described, sort_keys=False, allow_unicode=True, width=110))
    training = folder / "training"
    training.mkdir()
    for file in BESIDE:
        shutil.copyfile(file, training / file.name)
    known = synthetic.people(synthetic.KNOWN, synthetic.SEED)
    np.savez_compressed(training / "old.npz", allow_pickle=False, x=features(known), y=known.earns_more)
    return folder


def main() -> None:
    """Writes the folder, and says what to type next."""
    parser = argparse.ArgumentParser(description="Makes a version of census-income that can be retrained.")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a folder that is not there yet")
    parser.add_argument("--name", default="census-income", help="name of the entry")
    parser.add_argument("--version", default="3", help="its version, which nobody has pushed yet")
    asked = parser.parse_args()
    try:
        write(asked.folder, asked.name, asked.version)
    except FileExistsError:
        sys.exit(f"{asked.folder} is there already: name a folder that is not.")
    print(f"modelyard push {asked.folder} && modelyard alias set {asked.name} challenger {asked.version}")


if __name__ == "__main__":
    main()
