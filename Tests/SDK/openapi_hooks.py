"""What schemathesis is told of renga besides its document; each exception with its reason."""

import atexit
import json
import os
import re
from urllib.parse import parse_qsl, urlsplit

import requests
import schemathesis
from jsonschema_rs import Draft202012Validator as JsonSchema
from schemathesis.core.jsonschema import make_validator

# How often each operation was answered with each status.
answers = {}
QUEUES = ["default", "interactive", "batches", "tickets"]
# One budget is left for those that come after its removal.
THERE = {"updateRoute": "anthropic/claude-haiku-4-5-20251001", "clearMaybePaid": "daily", "removeBudget": "monthly"}
SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
# The state of a job that an operation can change.
CHANGES = {"cancelJob": "queued", "retryJob": "failed", "reviewJob": "review"}


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """OpenAPI 3.1 has no words for lines of JSON: `x-item-schema` says what each is, and here they are an array."""
    for path in raw_schema["paths"].values():
        for operation in path.values():
            read_as_array(operation.get("requestBody", {}), least=1)
            for response in operation["responses"].values():
                read_as_array(response, least=0)


def read_as_array(body, least):
    for content in body.get("content", {}).values():
        if item := content.pop("x-item-schema", None):
            content["schema"] = {"type": "array", "items": item, "minItems": least}
            content.pop("example", None)


@schemathesis.serializer("application/x-ndjson")
def lines(context, value):
    items = value if isinstance(value, list) else [value]
    return "".join(json.dumps(item) + "\n" for item in items).encode()


@schemathesis.deserializer("application/x-ndjson", "application/x-jsonl")
def read_lines(context, response):
    return [json.loads(line) for line in response.content.splitlines()]


@schemathesis.hook
def before_call(context, case, kwargs):
    # Waiting is tried for a tenth of a second: a minute would be the whole run's time. What is no wait is left to be refused.
    wait = re.fullmatch(r"([\d.]+)(ms|s|m)?", str((case.query or {}).get("wait")))
    if wait and float(wait[1]) < 60.0005:
        # Times are rounded to milliseconds: what is less than one above a minute is a minute.
        case.query["wait"] = "0.1" if float(wait[1]) <= 60 else "61"
    if not (case.meta and case.meta.generation.mode.is_positive):
        return
    # What changes something is tried on what there is, and on a job in the right state, which a random one hardly ever is.
    operation = case.operation.definition.raw["operationId"]
    if operation in THERE:
        case.path_parameters["name"] = THERE[operation]
    if operation in CHANGES:
        found = ask("GET", f"/v1/jobs?limit=100&state={CHANGES[operation]}")["data"]
        # What a batch has published stays as it is.
        found.sort(key=lambda job: job["batch_id"] is not None)
        if found:
            case.path_parameters["id"] = found[0]["id"]
    if case.path.startswith("/v1/messages/batches/{id}"):
        ended = [batch["id"] for batch in ask("GET", "/v1/messages/batches?limit=100")["data"] if batch["ended_at"]]
        # One is left for those that come after a deletion.
        if len(ended) > 1:
            case.path_parameters["id"] = ended[1 if operation == "deleteMessageBatch" else 0]


@schemathesis.hook
def after_call(context, case, response):
    statuses = answers.setdefault(case.operation.definition.raw["operationId"], {})
    statuses[response.status_code] = statuses.get(response.status_code, 0) + 1
    # What a request stopped goes on: it would leave nothing to try for all that follow.
    path = urlsplit(response.request.url).path
    if response.status_code == 200 and case.method == "PATCH":
        go_on(path)
    # Queues stop by themselves after twenty refusals in a row, which generated jobs bring about.
    if sum(statuses.values()) % 100 == 0:
        for queue in QUEUES:
            go_on("/v1/queues/" + queue)


def go_on(path):
    ask("PATCH", path if "/routes/" in path else path + "?create=true", {"paused": False} if "/routes/" in path else {"paused": False, "concurrency": None, "requirements": None})


def ask(method, path, body=None):
    answer = requests.request(method, os.environ["RENGA_URL"] + path, json=body, headers={"x-api-key": os.environ["RENGA_API_KEY"]}, timeout=60)
    answer.raise_for_status()
    return answer.json()


@atexit.register
def tell():
    with open(os.environ["RENGA_ANSWERS"], "w") as file:
        json.dump(answers, file)


@schemathesis.hook
def filter_failure(context, failure, case, response):
    return not is_expected(type(failure).__name__, case, response)


def is_expected(failure, case, response):
    """What is right although the document cannot say so."""
    if failure == "ServerError":
        # A deadline that has passed is answered with 504.
        return response.status_code == 504 and "x-renga-deadline" in case.headers
    if failure == "AcceptedNegativeData":
        # Null counts as left out, whatever its name, and so do empty words of a list.
        lists = [words for name, words in parse_qsl(urlsplit(response.request.url).query) if name in ("by", "include")]
        return any("" in words.split(",") for words in lists) or is_wrong_by_nulls(case)
    if failure == "RejectedPositiveData" and response.status_code == 400:
        problem = response.json()
        field = problem.get("field", "")
        # Lengths are in bytes.
        value = sent(case, field)
        is_long = isinstance(value, str) and len(value.encode()) > problem.get("limit", len(value.encode()))
        return "%00" in response.request.url or is_long or is_beyond_schemas(problem.get("detail", ""), field)
    return False


def sent(case, field):
    """The value of a field such as `jobs[3].custom_id`, or of a query parameter."""
    value = case.query if field in (case.query or {}) else case.body
    for name in re.findall(r"[^.\[\]]+", field):
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and name.isdigit():
            value = value[int(name)]
    return value


def is_beyond_schemas(detail, field):
    """Whether a value was refused for what JSON Schema cannot say of it."""
    # It takes 64.0 for an integer.
    number = re.search(r"must be a whole number .*, not (\S*[.eE]\S*)$", detail)
    if number:
        return float(number[1]).is_integer()
    # Durations end: for deadlines after a hundred years, for waiting after a minute; in a query they have no exponent.
    for words, most in [("seconds, at most 60", 60), ("a duration such as .*", 36600 * 86400)]:
        duration = re.search(words + r', not (["“]?)([\d.e+-]+)(ms|s|m|h|d)?["”]?$', detail)
        if duration:
            quote, number, unit = duration.groups()
            return float(number) * SECONDS[unit or "s"] > most or (quote == "“" and "e" in number)
    return (
        # Numbers have more places than amounts.
        "up to nine places" in detail
        # A processing that the deadline, the provider or the call does not allow.
        or "cannot be batch" in detail
        # References that lead nowhere, expressions that mean nothing, steps after the last.
        or re.match(r".*\.(\$ref|pattern|on_fail\[\d+\])$", field) is not None
    )


def is_wrong_by_nulls(case):
    body = case.operation.get_body_for_media_type(case.media_type)
    if body is None:
        return False
    schema = make_validator(body.optimized_schema, JsonSchema)
    return not schema.is_valid(case.body) and schema.is_valid(without_nulls(case.body))


def without_nulls(value):
    if isinstance(value, list):
        return [without_nulls(member) for member in value]
    return {name: without_nulls(member) for name, member in value.items() if member is not None} if isinstance(value, dict) else value
