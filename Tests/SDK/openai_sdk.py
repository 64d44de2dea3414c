"""The official `openai` SDK, of whatever generation is on the path, against renga."""

import asyncio
import inspect
import json
import sys

import openai
from renga import KEY, MODEL, World, run, valid

world = World(sys.argv[1])
client = openai.OpenAI(api_key=KEY, base_url=world.url + "/v1")
HELLO = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Name three rivers."}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}
TOOL = {"type": "function", "function": {"name": "weather", "description": "Tells the weather.", "parameters": SCHEMA}}
PIXEL = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def ask(**more):
    return {"model": MODEL, "max_tokens": 60, "messages": HELLO, **more}


def plain_call():
    answer = valid(client.chat.completions.create(**ask()))
    assert answer.choices[0].message.content and answer.choices[0].finish_reason in ("stop", "length")
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer._request_id.startswith("req_")


def plain_call_async():
    async def go():
        async with openai.AsyncOpenAI(api_key=KEY, base_url=world.url + "/v1") as mine:
            return await mine.chat.completions.create(**ask())

    valid(asyncio.run(go()))


def streamed_call():
    chunks = [valid(chunk) for chunk in client.chat.completions.create(**ask(), stream=True)]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert chunks[-1].choices[0].finish_reason
    assert len({chunk.id for chunk in chunks}) == 1


def streamed_call_with_usage():
    options = {"include_usage": True}
    chunks = list(client.chat.completions.create(**ask(), stream=True, stream_options=options))
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens > 0


def streamed_call_async():
    async def go():
        async with openai.AsyncOpenAI(api_key=KEY, base_url=world.url + "/v1") as mine:
            return [chunk async for chunk in await mine.chat.completions.create(**ask(), stream=True)]

    assert len(asyncio.run(go())) > 2


def tools():
    forced = ask(tools=[TOOL], tool_choice="required")
    message = valid(client.chat.completions.create(**forced)).choices[0].message
    call = message.tool_calls[0]
    assert call.function.name == "weather" and json.loads(call.function.arguments)["city"]
    pieces = ""
    for chunk in client.chat.completions.create(**forced, stream=True):
        for part in chunk.choices[0].delta.tool_calls or []:
            pieces += part.function.arguments or ""
    assert json.loads(pieces) == json.loads(call.function.arguments)
    following = HELLO + [
        {"role": "assistant", "tool_calls": [call.to_dict()]},
        {"role": "tool", "tool_call_id": call.id, "content": "sun"},
    ]
    valid(client.chat.completions.create(**ask(messages=following, tools=[TOOL])))


def a_call_without_arguments():
    bare = {"type": "function", "function": {"name": "now"}}
    forced = ask(tools=[bare], tool_choice={"type": "function", "function": {"name": "now"}})
    call = client.chat.completions.create(**forced).choices[0].message.tool_calls[0]
    assert json.loads(call.function.arguments) == {}
    pieces = [
        part.function.arguments or ""
        for chunk in client.chat.completions.create(**forced, stream=True)
        for part in chunk.choices[0].delta.tool_calls or []
    ]
    assert json.loads("".join(pieces)) == {}
    following = HELLO + [
        {"role": "assistant", "tool_calls": [call.to_dict()]},
        {"role": "tool", "tool_call_id": call.id, "content": ""},
    ]
    valid(client.chat.completions.create(**ask(messages=following, tools=[bare])))


def reasoning():
    answer = valid(client.chat.completions.create(**ask(max_completion_tokens=3000, reasoning_effort="medium")))
    assert answer.choices[0].message.content


def json_schema():
    form = {"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA, "strict": True}}
    answer = client.chat.completions.create(**ask(response_format=form))
    assert set(json.loads(answer.choices[0].message.content)) == {"city"}


def images():
    parts = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": PIXEL}}]
    valid(client.chat.completions.create(**ask(messages=[{"role": "user", "content": parts}])))


def errors_keep_their_classes():
    expected = {400: openai.BadRequestError, 403: openai.PermissionDeniedError, 404: openai.NotFoundError, 422: openai.UnprocessableEntityError}
    for status, kind in expected.items():
        words = ask(messages=[{"role": "user", "content": f"[[sim:status={status}]] Go."}])
        try:
            client.chat.completions.create(**words)
        except kind as error:
            assert error.message
        else:
            raise AssertionError(f"{status} was no error")


def what_has_no_counterpart_is_named():
    try:
        client.chat.completions.create(**ask(n=2))
    except openai.BadRequestError as error:
        assert error.param == "n" and error.type == "invalid_request_error" and error.code is None, error
    else:
        raise AssertionError("n=2 was taken")


def a_stream_that_breaks_raises():
    words = ask(messages=[{"role": "user", "content": "[[sim:output=200;error-event]] Go."}], max_completion_tokens=500)
    del words["max_tokens"]
    try:
        list(client.chat.completions.create(**words, stream=True))
    except openai.APIError:
        return
    raise AssertionError("it looked whole")


def wrong_key():
    try:
        openai.OpenAI(api_key="wrong", base_url=world.url + "/v1").chat.completions.create(**ask())
    except openai.AuthenticationError as error:
        assert error.code == "invalid_api_key", error
        return
    raise AssertionError("a wrong key was let in")


def models():
    assert MODEL in [model.id for model in client.models.list()]
    assert valid(client.models.retrieve(MODEL)).id == MODEL


def full_parameters():
    """Every parameter of `create`: those that are taken at once, and each of the others refused by its name."""
    given = {
        "messages": [{"role": "developer", "content": "Say hello.", "name": "name"}],
        "model": MODEL,
        "frequency_penalty": 0,
        "logit_bias": {},
        "logprobs": False,
        "max_completion_tokens": 50,
        "max_tokens": 50,
        "metadata": {"foo": "string"},
        "modalities": ["text"],
        "n": 1,
        "parallel_tool_calls": True,
        "prediction": {"content": "string", "type": "content"},
        "presence_penalty": 0,
        "prompt_cache_key": "custom_id",
        "prompt_cache_options": {"mode": "implicit", "ttl": "30m"},
        "prompt_cache_retention": "in_memory",
        "reasoning_effort": "none",
        "response_format": {"type": "text"},
        "safety_identifier": "safety",
        "seed": 7,
        "service_tier": "auto",
        "stop": "\n",
        "store": True,
        "stream": False,
        "temperature": 1,
        "tool_choice": "none",
        "tools": [TOOL],
        "top_logprobs": 0,
        "top_p": 1,
        "user": "user-1234",
        "verbosity": "low",
    }
    refused = {
        "audio": {"format": "wav", "voice": "alloy"},
        "function_call": "none",
        "functions": [{"name": "name"}],
        "moderation": {"model": "model"},
        "web_search_options": {"search_context_size": "low"},
    }
    known = set(inspect.signature(client.chat.completions.create).parameters)
    transport = {"extra_headers", "extra_query", "extra_body", "timeout", "stream_options"}
    assert known <= set(given) | set(refused) | transport, known - set(given) - set(refused)
    valid(client.chat.completions.create(**{name: value for name, value in given.items() if name in known}))
    options = {"include_usage": True, "include_obfuscation": True}
    streamed = {name: value for name, value in given.items() if name in known} | {"stream": True, "stream_options": options}
    for chunk in client.chat.completions.create(**streamed):
        valid(chunk)
    for name in known & set(refused):
        try:
            client.chat.completions.create(**ask(**{name: refused[name]}))
        except openai.BadRequestError as error:
            assert error.param == name, error
        else:
            raise AssertionError(f"{name} was taken")


def json_of_any_form():
    valid(client.chat.completions.create(**ask(response_format={"type": "json_object"})))


def a_schema_with_limits():
    schema = {
        "type": "object",
        "required": ["count", "tags"],
        "properties": {
            "count": {"type": "integer", "minimum": 1, "maximum": 9},
            "tags": {"type": "array", "items": {"type": "string", "maxLength": 20}, "minItems": 2},
            "inner": {"type": "object", "properties": {"ok": {"type": "boolean"}}},
        },
    }
    form = {"type": "json_schema", "json_schema": {"name": "counted", "schema": schema}}
    answer = client.chat.completions.create(**ask(response_format=form, max_tokens=200))
    assert {"count", "tags"} <= set(json.loads(answer.choices[0].message.content))


def samplers_are_dropped_where_the_model_takes_none():
    raw = client.chat.completions.with_raw_response.create(**ask(model="claude-opus-5-5", temperature=0.2, top_p=0.5))
    assert raw.headers["x-renga-dropped"] == "temperature, top_p", raw.headers
    raw = client.chat.completions.with_raw_response.create(**ask(temperature=0.2))
    assert "x-renga-dropped" not in raw.headers


def paths_that_are_not_served():
    wrong = [
        (lambda it: it.embeddings.create(model="m", input="x"), "/v1", "renga has no /v1/embeddings"),
        (lambda it: it.batches.list(), "/v1", "/v1/jobs/batches"),
        (lambda it: it.chat.completions.create(**ask()), "", "lacks /v1"),
        (lambda it: it.chat.completions.create(**ask()), "/v1/v1", "one /v1 too many"),
    ]
    for call, base, words in wrong:
        try:
            call(openai.OpenAI(api_key=KEY, base_url=world.url + base))
        except openai.NotFoundError as error:
            assert words in error.message and error.code == "unknown_url", error
        else:
            raise AssertionError(f"{words}: it was there")


run(
    f"openai {openai.__version__}",
    [
        plain_call, plain_call_async, streamed_call, streamed_call_with_usage, streamed_call_async, tools,
        a_call_without_arguments, reasoning, json_schema, images, errors_keep_their_classes,
        what_has_no_counterpart_is_named, a_stream_that_breaks_raises, wrong_key, models, full_parameters,
        json_of_any_form, a_schema_with_limits, samplers_are_dropped_where_the_model_takes_none,
        paths_that_are_not_served,
    ],
)
