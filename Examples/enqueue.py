#!/usr/bin/env python3
"""Hands a few tickets to renga over HTTP and waits for their labels. Needs nothing but Python.

    RENGA_URL      where renga listens (http://127.0.0.1:8080)
    RENGA_API_KEY  its key, if it has one
"""

import json
import os
import sys
import urllib.error
import urllib.request

URL = os.environ.get("RENGA_URL", "http://127.0.0.1:8080")
KEY = os.environ.get("RENGA_API_KEY")
ENDED = {"succeeded", "failed", "cancelled"}

SYSTEM = "Classify the support ticket. Answer with one word: billing, bug, how-to, access or other."
TICKETS = [
    "I was charged twice for March, please refund one of the payments.",
    "The export button does nothing since this morning.",
    "How do I add a guest to a single board?",
    "My new phone has no authenticator and I have lost my recovery codes.",
]


def call(method, path, body=None):
    request = urllib.request.Request(URL + path, method=method)
    request.add_header("content-type", "application/json")
    if KEY:
        request.add_header("x-api-key", KEY)
    data = None if body is None else json.dumps(body).encode()
    # Longer than the server's longest wait, so that it answers first.
    with urllib.request.urlopen(request, data, timeout=90) as response:
        return json.load(response)


def enqueue(ticket):
    return call(
        "POST",
        "/v1/jobs",
        {
            "queue": "tickets",
            "tags": ["example"],
            "request": {
                "max_tokens": 16,
                "system": SYSTEM,
                "messages": [{"role": "user", "content": ticket}],
            },
        },
    )


def finished(job):
    while job["state"] not in ENDED:
        job = call("GET", f"/v1/jobs/{job['id']}?wait=60")
    return job


def main():
    try:
        jobs = [enqueue(ticket) for ticket in TICKETS]
        for ticket, job in zip(TICKETS, map(finished, jobs)):
            answer = job["text"] if job["state"] == "succeeded" else job["state"]
            cost = "cached" if job["cached"] else f"${job['cost_usd']}"
            print(f"{answer:12} {cost:10} {ticket}")
    except urllib.error.HTTPError as error:
        sys.exit(f"renga answered {error.code}: {error.read().decode()}")
    except urllib.error.URLError as error:
        sys.exit(f"renga is not reachable at {URL}: {error.reason} (start it with ./dev run)")


if __name__ == "__main__":
    main()
