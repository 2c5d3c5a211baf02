"""A right slot cache written in another way than the library's."""


class OnDicts:
    """Full marks in another way, with helpers that return nothing."""

    def __init__(self, max_loras):
        self.table, self.free = {}, list(range(max_loras))
        self.max_loras = max_loras
        self.hits = self.misses = self.evictions = 0

    def activate(self, adapter_id):
        if adapter_id == -1:
            return -1
        if adapter_id in self.table:
            self.hits += 1
            self.table[adapter_id] = self.table.pop(adapter_id)
        else:
            self.misses += 1
            self.make_room()
            self.table[adapter_id] = self.free.pop(0)
        return self.table[adapter_id]

    def make_room(self):
        if not self.free:
            self.evictions += 1
            self.free.append(self.table.pop(next(iter(self.table))))

    @property
    def slots(self):
        held = {slot: item for item, slot in self.table.items()}
        return [held.get(slot) for slot in range(self.max_loras)]

    @property
    def hit_rate(self):
        return self.hits / max(self.hits + self.misses, 1)
