"""The floors of a package: the contract's rooms and the code's imports."""

import pytest

from multilora.book.floors import house_of


def test_a_house_has_the_contracts_rooms_and_the_codes_imports(made_up):
    pyproject = made_up(
        {
            "roof/__init__.py": "from PACKAGE.hall.stairs import up",
            "roof/tiles.py": "import PACKAGE.cellar, os",
            "hall/__init__.py": "",
            "hall/stairs.py": "def up():\n    from PACKAGE import roof",
            "cellar.py": "import json",
        },
        ["roof", "(attic)", "hall | cellar"],
    )
    house = house_of(pyproject)
    assert house.rooms == ("roof", "hall", "cellar")
    assert house.uses == {
        "roof": {"hall", "cellar"}, "hall": {"roof"}, "cellar": set(),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("layers", "said"),
    [(["hall"], "do not for: cellar"), (["hall", "cellar", "attic"], "attic"),
     (["hall", "cellar", "hall"], "do not for: hall")],
)  # fmt: skip
def test_a_contract_that_is_not_the_code_is_refused(made_up, layers, said):
    pyproject = made_up({"hall.py": "", "cellar.py": ""}, layers)
    with pytest.raises(ValueError, match=said) as caught:
        house_of(pyproject)
    assert str(pyproject) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool", "is no TOML"),
        ("[tool.ruff]", r"has no section \[tool.importlinter\]"),
        ("[tool.importlinter]\nroot_package = 'multilora'", "0 such"),
        ("[[tool.importlinter.contracts]]\ntype = 'layers'\nlayers = ['a']",
         "root_package None and 1 such"),
    ],
)  # fmt: skip
def test_a_broken_pyproject_is_named(tmp_path, text, said):
    pyproject = tmp_path / "pyproject.toml"
    pyproject.write_text(text)
    with pytest.raises(ValueError, match=said) as caught:
        house_of(pyproject)
    assert str(pyproject) in str(caught.value)
    pyproject.unlink()
    with pytest.raises(FileNotFoundError, match=r"pyproject\.toml"):
        house_of(pyproject)
