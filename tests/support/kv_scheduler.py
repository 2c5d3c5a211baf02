"""vLLM's scheduler with KV blocks as a plain loop over requests.

Compared with vLLM's own step by step; the simulator is compared with it.
"""

from multilora.matmul.operands import BASE


class KvScheduler:
    """Queues of request ids; step() schedules once and makes the tokens."""

    def __init__(
        self, max_loras, seats, budget, num_blocks, block_size=16, hits=None
    ):
        self.max_loras, self.seats, self.budget = max_loras, seats, budget
        self.free, self.size = num_blocks, block_size
        self.waiting, self.running, self.preempted = [], [], []
        self.adapter, self.prompt, self.output = {}, {}, {}
        self.done, self.made, self.hits = {}, {}, hits or {}

    def add(self, request, adapter_id, prompt, output):
        self.waiting.append(request)
        self.adapter[request] = adapter_id
        self.prompt[request], self.output[request] = prompt, output
        self.done[request] = self.made[request] = 0

    def step(self):
        """Return {request: tokens} in vLLM's order."""
        tokens, left = {}, self.budget
        self.preempted = []
        place = 0
        while place < len(self.running) and left:
            request = self.running[place]
            num = min(self._to_run(request), left)
            while self._new_blocks(request, num) > self.free:
                victim = self.running.pop()
                self._preempt(victim)
                if victim == request:
                    break
            else:
                self._store(request, num)
                tokens[request] = num
                left -= num
                place += 1
                continue
            break
        if not self.preempted:
            self._admit(tokens, left)
        for request in tokens:
            if not self._to_run(request):
                self.made[request] += 1
        for request in [r for r in self.running if self._is_finished(r)]:
            self.running.remove(request)
            self.free += self._blocks(self.done[request])
        return tokens

    def _admit(self, tokens, left):
        active = {self.adapter[r] for r in tokens} - {BASE}
        for request in list(self.waiting):
            if not left or len(self.running) == self.seats:
                break
            new = active | {self.adapter[request]} - {BASE}
            if len(new) > self.max_loras:
                continue
            hit = self.hits.get(request, 0)
            whole = self._blocks(self.prompt[request] + self.made[request])
            if whole > self.free:
                break
            active = new
            self.waiting.remove(request)
            self.running.append(request)
            self._store(request, hit)
            tokens[request] = min(self._to_run(request), left)
            self._store(request, tokens[request])
            left -= tokens[request]

    def _to_run(self, request):
        return self.prompt[request] + self.made[request] - self.done[request]

    def _blocks(self, tokens):
        return -(-tokens // self.size)

    def _new_blocks(self, request, num):
        done = self.done[request]
        return self._blocks(done + num) - self._blocks(done)

    def _store(self, request, num):
        self.free -= self._new_blocks(request, num)
        self.done[request] += num

    def _preempt(self, request):
        self.free += self._blocks(self.done[request])
        self.done[request] = 0
        self.waiting.insert(0, request)
        self.preempted.append(request)

    def _is_finished(self, request):
        return self.made[request] == self.output[request]
