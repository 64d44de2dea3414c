"""`/metrics` of a renga that has worked, read by Prometheus' own parser for Python."""

import json
import re
import sys
import tempfile
import urllib.error
import urllib.request

from prometheus_client.parser import text_string_to_metric_families as parse
from renga import KEY, MODEL, World, run

# Names of models and budgets are any text of one line: what the text format escapes, and what it does not.
ODD = ['say "hi"', "back\\slash", "\\n is no line", '{a="b"} 1 # x', "großes 渋谷 🎌", "e\u0301 and é", " ", "NaN"]
QUEUES = ["a:b/c.d_e-F", "0", "NaN", "le"]
configuration = tempfile.NamedTemporaryFile("w", suffix=".json")
json.dump(
    {
        "providers": {"anthropic": {}},
        # No provider knows the odd ones: their jobs fail.
        "routes": {"known": {"provider": "anthropic", "model": MODEL, "limits": {"rpm": 60000}}}
        | {f"odd-{n}": {"provider": "anthropic", "model": name, "prices": {"input": 1, "output": 5}} for n, name in enumerate(ODD)},
        "budgets": [{"name": name, "window": "total", "usd": 100} for name in ODD],
    },
    configuration,
)
configuration.flush()
world = World(sys.argv[1], RENGA_CONFIG=configuration.name)


def call(method, path, body=None):
    request = urllib.request.Request(world.url + path, method=method, headers={"x-api-key": KEY}, data=body and json.dumps(body).encode())
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def scrape():
    status, headers, text = call("GET", "/metrics")
    assert status == 200 and headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8", (status, headers)
    return text, list(parse(text))


def samples(families, name):
    return {tuple(sorted(sample.labels.items())): sample.value for family in families for sample in family.samples if sample.name == name}


def is_well_formed(text, families):
    """What Prometheus wants of a scrape beyond its grammar, and what its guide says of names."""
    for word in ["HELP", "TYPE"]:
        named = re.findall(rf"^# {word} (\S+) .+$", text, re.MULTILINE)
        assert len(named) == len(set(named)) == len(families), f"{word} is not once for each family: {named}"
    assert [line for line in text.splitlines() if line.startswith("#") and not re.match(r"# (HELP|TYPE) ", line)] == []
    seen = set()
    for family in families:
        assert family.type in ("counter", "gauge") and family.documentation, family
        for sample in family.samples:
            # The parser takes `_total` off a counter's family.
            assert sample.name == family.name + ("_total" if family.type == "counter" else ""), (family.name, sample.name)
            assert re.fullmatch(r"renga_[a-z0-9_]*[a-z0-9]", sample.name) and sample.value == sample.value, sample
            series = (sample.name, tuple(sorted(sample.labels.items())))
            assert series not in seen, f"twice: {series}"
            seen.add(series)
            assert family.type != "counter" or sample.value >= 0, sample
    return seen


def nothing_yet():
    text, families = scrape()
    is_well_formed(text, families)


def every_state_under_odd_names():
    """What is counted is what was done, under the names as they were given."""
    for queue in QUEUES:
        wrong = {"request": {"messages": [{"role": "nobody", "content": "?"}]}}
        unlikely = {"prompt": "Say what you like.", "check": {"labels": ["what nobody says"], "on_fail": "review"}}
        jobs = [{"prompt": f"Name {n} rivers.", "model": "known"} for n in range(3)]
        jobs += [{"prompt": "?", "model": f"odd-{n}"} for n in range(len(ODD))]
        jobs += [wrong, unlikely]
        status, _, text = call("POST", "/v1/jobs?wait=30", {"jobs": [{**job, "queue": queue} for job in jobs]})
        assert status in (200, 202), text
        assert call("POST", "/v1/jobs", {"prompt": "Later.", "delay": "1h", "queue": queue})[0] == 202
    assert call("PATCH", "/v1/queues/default", {"paused": True})[0] == 200
    call("POST", "/v1/jobs", {"prompt": "Never.", "queue": "default"})
    call("POST", "/v1/messages", {"model": "claude-haiku-4-5", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]})
    text, families = scrape()
    series = is_well_formed(text, families)
    counted = samples(families, "renga_jobs")
    for queue in QUEUES:
        states = {state: counted[("queue", queue), ("state", state)] for state in ["queued", "running", "succeeded", "failed", "cancelled", "review"]}
        assert states == {"queued": 1, "running": 0, "succeeded": 3, "failed": 1 + len(ODD), "cancelled": 0, "review": 1}, (queue, states)
        assert samples(families, "renga_queue_paused")[(("queue", queue),)] == 0
    assert samples(families, "renga_queue_paused")[(("queue", "default"),)] == 1
    succeeded = samples(families, "renga_route_succeeded_total")
    routes = {dict(labels)["route"]: value for labels, value in succeeded.items()}
    assert routes.keys() >= {"anthropic/" + name for name in ODD} and routes["anthropic/" + MODEL] >= 3, routes
    assert {dict(labels)["budget"] for labels in samples(families, "renga_budget_settled_usd")} == set(ODD)
    # The server's own line for interactive calls is no worker.
    assert samples(families, "renga_workers")[()] == 1, families
    assert samples(families, "renga_spend_usd_today")[()] > 0, families
    assert {name for name, _ in series} >= {"renga_route_latency_seconds", "renga_budget_settled_usd", "renga_route_available"}, series


def quantiles_in_order():
    latencies = samples(scrape()[1], "renga_route_latency_seconds")
    assert latencies
    for labels, value in latencies.items():
        quantile = dict(labels)["quantile"]
        others = {dict(other)["quantile"]: known for other, known in latencies.items() if {**dict(other), "quantile": quantile} == dict(labels)}
        assert list(others) == ["0.5", "0.95", "0.99"] and sorted(others.values()) == list(others.values()), others


def counters_only_grow():
    before = samples(scrape()[1], "renga_route_succeeded_total")
    call("POST", "/v1/jobs?wait=30", {"prompt": "One more.", "queue": QUEUES[0]})
    after = samples(scrape()[1], "renga_route_succeeded_total")
    assert sum(after.values()) > sum(before.values()) and all(after[key] >= value for key, value in before.items()), (before, after)


run("metrics", [nothing_yet, every_state_under_odd_names, quantiles_in_order, counters_only_grow])
