"""What Ray Serve is asked is checked before anything starts; no Ray."""

import pytest

from bad_input import each_wrong_value
from multilora.engine import ray_setup
from multilora.engine.ray_serve import (
    Phase,
    Setting,
    check_setting,
    serve_on_ray,
)
from multilora.tenants import folder_of

SQL = {"sql": folder_of("sql")}
PHASE = Phase(1, ("sql",))
SETTING = Setting(1, 1, (PHASE,))

test_each_wrong_value_works_or_is_named = each_wrong_value(
    {check_setting: (SETTING, SQL)}
)

WRONG = {
    "num_replicas": [0, 65, 1.5, "x", None],
    "max_models": [0, -1, 2.0, None],
    "max_ongoing": [0, 1.5, "many"],
    "phases": [3, None, [3], ["sql"], (Phase(1, ("law",)),), (Phase(1, 5),)],
}


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in WRONG.items() for value in values],
    ids=range(sum(map(len, WRONG.values()))),
)
def test_a_field_that_is_wrong_is_named(name, value):
    with pytest.raises((ValueError, TypeError), match=rf"^{name} (is|holds) "):
        check_setting(SETTING._replace(**{name: value}), SQL)


@pytest.mark.parametrize("num", [0, 1025, 2.5])
def test_clients_are_a_number(num):
    with pytest.raises((ValueError, TypeError), match=r"^num_clients is"):
        check_setting(SETTING._replace(phases=(Phase(num, ("sql",)),)), SQL)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"settings": 3}, "settings is 3"),
        ({"settings": [3]}, "settings holds 3"),
        ({"settings": [], "adapters": 3}, "adapters is 3"),
        ({"adapters": {}}, "phases holds 'sql', but adapters has no such"),
        ({"model": 3}, "model is 3"),
        ({"prompt": 3}, "prompt is 3"),
        ({"num_tokens": 0}, "num_tokens is 0"),
        ({"disk_ms": -1}, "disk_ms is -1"),
        ({"seconds": 0}, "seconds is 0"),
    ],
    ids=range(9),
)
def test_wrong_arguments_are_a_sentence(wrong, said):
    good = {"model": folder_of("base"), "adapters": SQL, "settings": [SETTING]}
    with pytest.raises((ValueError, TypeError), match=f"^{said}"):
        serve_on_ray(**(good | wrong))


def test_ray_that_is_absent_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(ray_setup, "find_spec", lambda name: None)
    match = r"^settings is .*, but Ray is not installed: pip install 'ray\[se"
    with pytest.raises(ValueError, match=match):
        serve_on_ray(folder_of("base"), SQL, [SETTING])
