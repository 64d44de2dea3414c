"""Requests made of renga's own OpenAPI document, against renga: no server error, and no answer that breaks the document.

BINARY [REQUESTS [SEED]]: a short round of every kind of test, and after it further ones until so many requests were made.
Each round has a seed, a server and a database of its own; where one fails, everything that it found is told.
"""

import json
import os
import subprocess
import sys
import tempfile
import urllib.request

from openapi_spec_validator import validate
from renga import KEY, MODEL, World

SETTINGS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "schemathesis.toml")
# Every kind of test at its least; the first two make the same requests whatever the seed.
SHORT = ["--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "15"]
# About as many requests as a database of its own can tell apart.
FURTHER = ["--phases", "fuzzing,stateful", "--max-examples", "300"]
# No round takes a tenth of this on a machine of its own.
SECONDS = 7200


def ask(world, path, body=None):
    request = urllib.request.Request(world.url + path, headers={"x-api-key": KEY}, data=body and json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)


def jobs_in_every_state(world):
    """For requests that need one: in review, failed, succeeded, and waiting for their time."""
    reviewed = {"prompt": "Say what you like.", "check": {"labels": ["what nobody says"], "on_fail": "review"}}
    refused = {"request": {"messages": [{"role": "nobody", "content": "?"}]}}
    jobs = [{**reviewed, "sample": n} for n in range(40)] + [{**refused, "sample": n} for n in range(10)]
    jobs += [{"prompt": f"Name {n} rivers."} for n in range(10)] + [{"prompt": "Later.", "delay": "1h", "sample": n} for n in range(10)]
    ask(world, "/v1/jobs?wait=3", {"jobs": jobs})
    assert ask(world, "/v1/jobs?state=review")["data"], "no job is in review"
    request = {"model": MODEL, "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]}
    for name in ["one", "two"]:
        ask(world, "/v1/messages/batches", {"requests": [{"custom_id": name, "params": request}]})


def round_of(binary, seed, kind):
    """How many requests were made, and whether all went well."""
    # Interactive calls wait a moment for their turn, not a minute; the budgets are there to be looked at.
    world = World(binary, RENGA_INTERACTIVE_WAIT="1s", RENGA_DAILY_BUDGET_USD="900000", RENGA_MONTHLY_BUDGET_USD="900000")
    document = ask(world, "/openapi.json")
    validate(document)
    jobs_in_every_state(world)
    with tempfile.NamedTemporaryFile("r", prefix="renga-answers-") as count:
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", SETTINGS, "run", world.url + "/openapi.json"]
        done = subprocess.run(
            [*command, *kind, "--seed", str(seed), "--header", "x-api-key: " + KEY],
            env={**os.environ, "RENGA_URL": world.url, "RENGA_API_KEY": KEY, "RENGA_ANSWERS": count.name},
            cwd=world.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
        )
        answers = json.loads(count.read() or "{}")
    requests = sum(sum(statuses.values()) for statuses in answers.values())
    ended = [child for child in world.children if child.poll() is not None]
    is_well = done.returncode == 0 and not ended
    if not is_well:
        print(done.stdout)
    for child in ended:
        print(f"test-api: {child.args[1]} ended with {child.returncode}:", *world.last_words(child), sep="\n")
    # What nothing was right for is not tried: a round of every kind must find the way into each operation.
    operations = {operation["operationId"] for path in document["paths"].values() for operation in path.values()}
    # (The document itself was asked for above; schemathesis leaves it out.)
    closed = [name for name in sorted(operations - {"showDescription"}) if not any(status.startswith("2") for status in answers.get(name, {}))]
    if closed and kind is SHORT:
        print("test-api: never answered with success:", {name: answers.get(name, {}) for name in closed})
        is_well = False
    print(f"test-api: {requests} requests with seed {seed}: {'as the document says' if is_well else 'FAILED'}", flush=True)
    world.end()
    return requests, is_well


def main(binary, wanted=0, seed=1):
    total, is_well = round_of(os.path.abspath(binary), seed, SHORT)
    failed = [] if is_well else [seed]
    while 0 < total < wanted:
        seed += 1
        requests, is_well = round_of(os.path.abspath(binary), seed, FURTHER)
        total += requests
        failed += [] if is_well else [seed]
    print(f"test-api: {total} requests, {f'failures with the seeds {failed}' if failed else 'no server error and no answer that breaks the document'}")
    sys.exit(1 if failed or not total else 0)


main(sys.argv[1], *map(int, sys.argv[2:]))
