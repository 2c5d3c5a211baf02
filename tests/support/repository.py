"""The folder of the repository, its pages and its notebooks."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
BOOK = ROOT / "book"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LABS = [path for path in NOTEBOOKS if path.stem.startswith("lab-")]
