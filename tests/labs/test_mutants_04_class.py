"""Lab 04: a class that lacks what the lab asks of it is told so, by line."""

from mutants import each_named
from on_dicts import OnDicts


class NoProperty(OnDicts):
    def hit_rate(self):
        return 0.0


class NoActivate:
    def __init__(self, max_loras):
        self.hits = self.misses = self.evictions = 0
        self.slots, self.hit_rate = [], 0.0


class NoCounts(OnDicts):
    def __init__(self, max_loras):
        super().__init__(max_loras)
        del self.evictions


class NoMaximum(OnDicts):
    def __init__(self):
        super().__init__(2)


class NoSelf(OnDicts):
    def activate(adapter_id):  # noqa: N805, the slip itself
        return -1


class NoStart:
    def activate(self, adapter_id):
        return -1


MUTANTS = [
    (NoProperty, "test_mutants_04_class.py: hit_rate is a method"),
    (NoActivate, "test_mutants_04_class.py: the class has no method activate"),
    (NoCounts, "test_mutants_04_class.py: the class counts no evictions"),
    (NoMaximum, "wanted is def __init__(self, max_loras)"),
    (NoSelf, "wanted is def activate(self, adapter_id)"),
    (NoStart, "test_mutants_04_class.py: AdapterSlotCache has no __init__"),
]


test_a_mutant_is_named = each_named(
    [("AdapterSlotCache", *row) for row in MUTANTS]
)
