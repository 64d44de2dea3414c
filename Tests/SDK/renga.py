"""A renga and its simulator for the SDKs' tests: real processes on free ports, ended with the test."""

import atexit
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.request

# Ends the processes too: those of `atexit` are not asked otherwise.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

MODEL = "claude-haiku-4-5-20251001"
KEY = "sesame"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class World:
    """`renga simulate`, `renga serve` and `renga work` in a folder of their own."""

    def __init__(self, binary, simulator=(), **settings):
        self.folder = tempfile.mkdtemp(prefix="renga-sdk-")
        self.children = []
        atexit.register(self.end)
        provider, port = free_port(), free_port()
        self.provider_url = f"http://127.0.0.1:{provider}"
        self.url = f"http://127.0.0.1:{port}"
        self.environment = {
            "PATH": os.environ["PATH"],
            "LD_LIBRARY_PATH": os.environ.get("LD_LIBRARY_PATH", ""),
            "ANTHROPIC_API_KEY": "sk-simulated",
            "ANTHROPIC_BASE_URL": self.provider_url,
            "RENGA_API_KEY": KEY,
            "RENGA_DATABASE": os.path.join(self.folder, "jobs.db"),
            "RENGA_LISTEN": f"127.0.0.1:{port}",
            "RENGA_BACKOFF_BASE": "10ms",
            "RENGA_BACKOFF_CAP": "50ms",
            **settings,
        }
        self.binary = os.path.abspath(binary)
        self.start("simulate", *simulator, RENGA_LISTEN=f"127.0.0.1:{provider}")
        self.start("serve")
        self.start("work")
        self.until_ready()

    def start(self, *arguments, **more):
        log = open(self.log_path(len(self.children), arguments[0]), "wb")
        self.children.append(
            subprocess.Popen(
                [self.binary, *arguments],
                env={**self.environment, **more},
                stdout=log,
                stderr=log,
                cwd=self.folder,
            )
        )

    def until_ready(self):
        end = time.monotonic() + 20
        while True:
            try:
                urllib.request.urlopen(self.url + "/ready", timeout=1).read()
                return
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def get(self, path):
        request = urllib.request.Request(self.url + path, headers={"x-api-key": KEY})
        with urllib.request.urlopen(request, timeout=20) as answer:
            import json

            return json.load(answer)

    def last_words(self, child, lines=20):
        with open(self.log_path(self.children.index(child), child.args[1]), errors="replace") as log:
            return log.read().splitlines()[-lines:]

    def log_path(self, number, command):
        return os.path.join(self.folder, f"{number}-{command}.log")

    def end(self):
        for child in self.children:
            child.kill()
        for child in self.children:
            child.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def valid(answer):
    """Holds an answer against the SDK's own type: by itself it builds its objects without looking."""
    import pydantic

    pydantic.TypeAdapter(type(answer)).validate_python(answer.to_dict())
    return answer


def run(name, checks):
    """Runs every check, says how each went, and ends with 1 where one failed."""
    failed = 0
    for check in checks:
        try:
            check()
        except Exception:
            failed += 1
            print(f"FAILED {name}: {check.__name__.replace('_', ' ')}", flush=True)
            traceback.print_exc()
    print(f"{name}: {len(checks) - failed} of {len(checks)} checks passed", flush=True)
    sys.exit(1 if failed else 0)
