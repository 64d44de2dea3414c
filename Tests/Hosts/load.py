"""What renga is given to do, by clients that repeat whatever was not acknowledged."""

import json
import threading
import time
import urllib.error
import urllib.request

from hosts import OUTSIDE, Failure, demand

KEY = "key-of-the-proof"
SIMULATOR = f"http://{OUTSIDE}:8090"


def call(url, body=None, method=None, seconds=15):
    request = urllib.request.Request(url, data=body, method=method, headers={"x-api-key": KEY, "content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=seconds) as answer:
        return answer.read()


def simulator_stats():
    return json.loads(call(f"{SIMULATOR}/_sim/stats"))


def state_budget(server, name, usd, scope):
    call(f"{server}/v1/budgets/{name}", json.dumps({"usd": f"{usd:.6f}", "window": "total", "scope": scope}).encode(), "PUT")


def budgets(server):
    return json.loads(call(f"{server}/v1/budgets"))["data"]


def journal():
    """Every call that the simulator got."""
    after = 0
    while page := json.loads(call(f"{SIMULATOR}/_sim/journal?after={after}&limit=1000", seconds=60)):
        yield from page["data"]
        if not page["data"] or page.get("next_after") in (None, after):
            return
        after = page["next_after"]


class Feeder:
    """Enqueues jobs with names of their own, so that repeating is safe, and keeps what was acknowledged."""

    CHUNK = 20

    def __init__(self, servers, queues=lambda number: "proof"):
        self.servers = servers
        self.queues = queues
        # Name to id.
        self.acknowledged = {}
        self.refusals = 0
        self.failure = None
        self._stopping = threading.Event()
        self._threads = []

    def line(self, number):
        name = f"job-{number}"
        prompt = f"Say the number {number} in words. [[sim:id={name}]]"
        return json.dumps({"custom_id": name, "queue": self.queues(number), "prompt": prompt, "max_tokens": 64})

    def start(self, per_second, count=None, threads=1):
        """So many jobs in all, or until it is stopped; each thread begins at another server."""
        for index in range(threads):
            numbers = range(index * self.CHUNK, count or 1 << 40, threads * self.CHUNK)
            thread = threading.Thread(target=self._feed, args=(index, numbers, count, per_second / threads), daemon=True)
            thread.start()
            self._threads.append(thread)

    def finish(self):
        for thread in self._threads:
            thread.join()
        if self.failure:
            raise Failure(self.failure)

    def stop(self):
        self._stopping.set()
        self.finish()

    def _feed(self, index, numbers, count, per_second):
        due = time.monotonic()
        for first in numbers:
            due = max(due + self.CHUNK / per_second, time.monotonic())
            if self._stopping.wait(max(0, due - time.monotonic())):
                return
            last = min(first + self.CHUNK, count or 1 << 40)
            body = "\n".join(self.line(number) for number in range(first, last)).encode()
            while not self._post(self.servers[index % len(self.servers)], body):
                index += 1
                time.sleep(0.2)

    def _post(self, server, body):
        try:
            answers = [json.loads(line) for line in call(f"{server}/v1/jobs/bulk", body, seconds=8).splitlines()]
        except (OSError, ValueError, urllib.error.HTTPError):
            answers = []
        for line, answer in zip(body.splitlines(), answers):
            name, id = json.loads(line)["custom_id"], answer.get("id")
            if id is not None and self.acknowledged.setdefault(name, id) != id:
                self.failure = f"{name} was acknowledged as {self.acknowledged[name]} and as {id}"
        if sum("id" in answer for answer in answers) == len(body.splitlines()):
            return True
        self.refusals += 1
        return False


def results(server, queue):
    """Name and state of each job that has ended, as the API has it."""
    lines = [json.loads(line) for line in call(f"{server}/v1/results?queue={queue}", seconds=300).splitlines()]
    return [(line["custom_id"], line["state"]) for line in lines]


def demand_all(feeder, server, queues):
    """Nothing that was acknowledged is lost, and nothing is doubled, by the API."""
    ended = [result for queue in queues for result in results(server, queue)]
    found = {name for name, _ in ended}
    demand(len(found) == len(ended), f"{len(ended) - len(found)} results are doubled")
    demand(all(state == "succeeded" for _, state in ended), "a job did not succeed")
    lost = feeder.acknowledged.keys() - found
    demand(not lost, f"{len(lost)} acknowledged jobs are lost, such as {next(iter(lost), '')}")
