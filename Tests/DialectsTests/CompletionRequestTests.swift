import Dialects
import JSON
import Testing

/// Parameters of a chat completion as those of a Messages request.
@Suite struct CompletionRequestTests {
    private static let user = #""messages":[{"role":"user","content":"hi"}]"#
    private static let said = #""messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]"#

    private func expect(_ row: Row) throws {
        let request = try CompletionRequest(try JSON.parse(Array("{\(Self.user),\(row.asked)}".utf8)))
        let becomes = row.becomes.isEmpty ? "" : "," + row.becomes
        #expect(
            try canonical(String(decoding: request.messages, as: UTF8.self))
                == canonical("{\(Self.said)\(becomes)}"))
    }

    private func refusal(_ asked: String) throws -> CompletionRequest.Refused? {
        let body = try JSON.parse(Array("{\(Self.user),\(asked)}".utf8))
        do {
            _ = try CompletionRequest(body)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        Row(#""model":"m""#, #""model":"m""#),
        Row(#""max_tokens":5"#, #""max_tokens":5"#),
        Row(#""max_completion_tokens":7,"max_tokens":5"#, #""max_tokens":7"#),
        Row(#""max_completion_tokens":null,"max_tokens":5"#, #""max_tokens":5"#),
        Row(#""temperature":1.5,"top_p":0.5"#, #""temperature":1,"top_p":0.5"#),
        Row(#""temperature":0.30"#, #""temperature":0.30"#),
        Row(#""stop":"END""#, #""stop_sequences":["END"]"#),
        Row(#""stop":["a"," ","\n\n"]"#, #""stop_sequences":["a"]"#),
        Row(#""stop":[" "]"#, ""),
        Row(#""stream":true"#, #""stream":true"#),
        Row(#""stream":false"#, ""),
        Row(#""user":"u1""#, #""metadata":{"user_id":"u1"}"#),
        Row(#""service_tier":"default""#, #""service_tier":"standard_only""#),
        Row(#""service_tier":"auto""#, #""service_tier":"auto""#),
        Row(
            #""response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type":"object"}}}"#,
            #""output_config":{"format":{"type":"json_schema","schema":{"type":"object","additionalProperties":false}}}"#
        ),
        Row(
            #""response_format":{"type":"json_object"}"#,
            #""system":[{"type":"text","text":"Answer with one JSON object and nothing else: no explanation, no code fences."}]"#
        ),
        Row(#""response_format":{"type":"text"}"#, ""),
        Row(
            #""thinking":{"type":"enabled","budget_tokens":2000}"#,
            #""thinking":{"type":"enabled","budget_tokens":2000}"#),
    ])
    func `a parameter becomes its counterpart`(_ row: Row) throws { try expect(row) }

    @Test(arguments: [
        #""n":1"#, #""logprobs":false"#, #""top_logprobs":0"#, #""presence_penalty":0"#,
        #""frequency_penalty":0.0"#, #""logit_bias":{}"#, #""modalities":["text"]"#, #""seed":3"#,
        #""store":true"#, #""metadata":{"a":"b"}"#, #""prompt_cache_key":"k""#,
        #""prompt_cache_options":{"mode":"implicit"}"#, #""prompt_cache_retention":"24h""#,
        #""safety_identifier":"s""#, #""verbosity":"low""#, #""prediction":{"type":"content","content":"x"}"#,
        #""stream_options":{"include_usage":true,"include_obfuscation":false}"#,
        #""n":null,"logprobs":null,"stop":null,"tools":null,"user":null,"audio":null,"surprise":null"#,
        #""tool_choice":"none""#, #""tools":[],"tool_choice":"auto","parallel_tool_calls":false"#,
    ])
    func `what shapes no answer is left out`(_ asked: String) throws { try expect(Row(asked, "")) }

    @Test(arguments: [
        Row(
            #""tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"},"strict":true}}]"#,
            #""tools":[{"name":"f","description":"d","input_schema":{"type":"object"},"strict":true}]"#),
        Row(
            #""tools":[{"type":"function","function":{"name":"f","parameters":{"properties":{}},"strict":false},"cache_control":{"type":"ephemeral"}}]"#,
            #""tools":[{"name":"f","input_schema":{"properties":{},"type":"object"},"cache_control":{"type":"ephemeral"}}]"#
        ),
        Row(
            #""tools":[{"type":"function","function":{"name":"f","parameters":{}}}]"#,
            #""tools":[{"name":"f","input_schema":{"type":"object"}}]"#),
    ])
    func `a function becomes a tool`(_ row: Row) throws { try expect(row) }

    @Test(arguments: [
        Row(#""tool_choice":"auto""#, #"{"type":"auto"}"#),
        Row(#""tool_choice":"none","parallel_tool_calls":false"#, #"{"type":"none"}"#),
        Row(#""tool_choice":"required""#, #"{"type":"any"}"#),
        Row(
            #""tool_choice":"required","parallel_tool_calls":false"#,
            #"{"type":"any","disable_parallel_tool_use":true}"#),
        Row(#""parallel_tool_calls":false"#, #"{"type":"auto","disable_parallel_tool_use":true}"#),
        Row(#""parallel_tool_calls":true,"tool_choice":"auto""#, #"{"type":"auto"}"#),
        Row(
            #""tool_choice":{"type":"function","function":{"name":"f"}}"#, #"{"type":"tool","name":"f"}"#),
    ])
    func `a choice of tools is told in the other's words`(_ row: Row) throws {
        try expect(
            Row(
                #""tools":[{"type":"function","function":{"name":"f"}}],\#(row.asked)"#,
                #""tools":[{"name":"f","input_schema":{"type":"object","properties":{}}}],"tool_choice":\#(row.becomes)"#
            ))
    }

    @Test(arguments: [Row("auto", "auto"), Row("required", "any")])
    func `of tools that are not allowed nothing is said`(_ row: Row) throws {
        let allowed =
            #"{"mode":"\#(row.asked)","tools":[{"type":"function","function":{"name":"g"}}]}"#
        try expect(
            Row(
                #""tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g"}}],"tool_choice":{"type":"allowed_tools","allowed_tools":\#(allowed)}"#,
                #""tools":[{"name":"g","input_schema":{"type":"object","properties":{}}}],"tool_choice":{"type":"\#(row.becomes)"}"#
            ))
    }

    @Test(arguments: [
        Row(#""n":2"#, "n"), Row(#""logprobs":true"#, "logprobs"), Row(#""top_logprobs":3"#, "top_logprobs"),
        Row(#""frequency_penalty":0.5"#, "frequency_penalty"),
        Row(#""presence_penalty":-1"#, "presence_penalty"),
        Row(#""logit_bias":{"50256":-100}"#, "logit_bias"),
        Row(#""modalities":["text","audio"]"#, "modalities"), Row(#""audio":{}"#, "audio"),
        Row(#""web_search_options":{}"#, "web_search_options"), Row(#""moderation":{}"#, "moderation"),
        Row(#""functions":[]"#, "functions"), Row(#""function_call":"auto""#, "function_call"),
        Row(#""surprise":1"#, "surprise"), Row(#""service_tier":"flex""#, "service_tier"),
        Row(#""response_format":{"type":"grammar"}"#, "response_format"),
        Row(#""response_format":{"type":"json_schema","json_schema":{"name":"n"}}"#, "response_format"),
        Row(#""reasoning_effort":"extreme""#, "reasoning_effort"),
        Row(#""reasoning_effort":"low""#, "reasoning_effort"),
        Row(#""model":"m","reasoning_effort":"low","thinking":{"type":"adaptive"}"#, "thinking"),
        Row(#""tool_choice":"required""#, "tool_choice"),
        Row(#""tool_choice":{"type":"function","function":{"name":"f"}}"#, "tool_choice"),
        Row(#""tools":[{"type":"custom","custom":{"name":"c"}}]"#, "tools[0]"),
        Row(#""tools":[{"type":"function","function":{}}]"#, "tools[0]"),
    ])
    func `what has no counterpart is refused by its name`(_ row: Row) throws {
        #expect(try refusal(row.asked)?.parameter == row.becomes)
    }

    @Test(arguments: [
        Row(#""model":5"#, "model"), Row(#""stream":"yes""#, "stream"),
        Row(#""stream_options":true"#, "stream_options"),
        Row(#""stream_options":{"include_usage":1}"#, "stream_options.include_usage"),
        Row(#""max_tokens":0"#, "max_tokens"), Row(#""max_tokens":1.5"#, "max_tokens"),
        Row(#""max_completion_tokens":"9""#, "max_completion_tokens"),
        Row(#""temperature":3"#, "temperature"),
        Row(#""top_p":-0.1"#, "top_p"), Row(#""stop":5"#, "stop"), Row(#""stop":["a",1]"#, "stop"),
        Row(#""user":7"#, "user"), Row(#""reasoning_effort":3"#, "reasoning_effort"),
        Row(#""response_format":"text""#, "response_format"), Row(#""tools":{}"#, "tools"),
        Row(#""thinking":"hard""#, "thinking"), Row(#""parallel_tool_calls":"no""#, "parallel_tool_calls"),
        Row(
            #""tools":[{"type":"function","function":{"name":"f","parameters":[]}}]"#,
            "tools[0].function.parameters"),
        Row(
            #""tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"always""#, "tool_choice"),
        Row(
            #""tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":{"type":"function"}"#,
            "tool_choice"),
        Row(
            #""tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"g"}}]}}"#,
            "tool_choice.allowed_tools.tools"),
        Row(
            #""tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":{"type":"allowed_tools","allowed_tools":{"tools":[{"type":"function","function":{"name":"f"}}]}}"#,
            "tool_choice.allowed_tools.mode"),
    ])
    func `a value of another kind is refused and never passed over`(_ row: Row) throws {
        let refused = try #require(try refusal(row.asked))
        #expect(refused.parameter == row.becomes)
        #expect(refused.message.contains(row.becomes))
    }

    @Test func `what is no object is no request`() throws {
        #expect(throws: CompletionRequest.Refused.self) { try CompletionRequest(try JSON.parse("[]")) }
    }

    @Test(arguments: [
        (#""stream":true"#, true, false), (#""stream":true,"stream_options":{}"#, true, false),
        (#""stream":true,"stream_options":{"include_usage":true}"#, true, true), (#""n":1"#, false, false),
    ])
    func `how the answer is wanted is told`(asked: String, streams: Bool, includesUsage: Bool) throws {
        let request = try CompletionRequest(try JSON.parse(Array("{\(Self.user),\(asked)}".utf8)))
        #expect(request.streams == streams && request.includesUsage == includesUsage)
    }
}
