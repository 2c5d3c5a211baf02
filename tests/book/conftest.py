"""A package made up for a test, with a contract of its own."""

import pytest


@pytest.fixture
def made_up(tmp_path, monkeypatch):
    """Makes a package of {file: source} and returns its pyproject.toml."""
    monkeypatch.syspath_prepend(tmp_path)
    name = tmp_path.name  # of this test alone, for Python keeps modules

    def made_up(files, layers):
        for file, source in {"__init__.py": "", **files}.items():
            path = tmp_path / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source.replace("PACKAGE", name), "utf-8")
        pyproject = tmp_path / "pyproject.toml"
        pyproject.write_text(
            f'[tool.importlinter]\nroot_package = "{name}"\n'
            '[[tool.importlinter.contracts]]\ntype = "layers"\n'
            f"layers = {layers}\n"
        )
        return pyproject

    return made_up
