import HTTPClient
import JSON
import Jobs
import Testing

@testable import Models

/// A Messages request as chat completion request: what is said in which words, and what is refused by name.
@Suite struct ChatRequestTests {
    @Test(arguments: [
        (
            #"{"system":"Be brief.","messages":[{"role":"user","content":"Hi"}]}"#,
            #"[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"}]"#
        ),
        (
            #"{"system":[{"type":"text","text":"A","cache_control":{"type":"ephemeral"}},{"type":"text","text":"B"}],"messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}]}"#,
            #"[{"role":"system","content":"A\nB"},{"role":"user","content":"Hi"}]"#
        ),
        (
            #"{"messages":[{"role":"user","content":[{"type":"text","text":"What?"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBO"}},{"type":"image","source":{"type":"url","url":"https://x/y.png"}}]}]}"#,
            #"[{"role":"user","content":[{"type":"text","text":"What?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBO"}},{"type":"image_url","image_url":{"url":"https://x/y.png"}}]}]"#
        ),
        (
            #"{"messages":[{"role":"user","content":[{"type":"document","title":"T","source":{"type":"text","media_type":"text/plain","data":"D"}},{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBE"}}]}]}"#,
            #"[{"role":"user","content":[{"type":"text","text":"T\n\nD"},{"type":"file","file":{"filename":"document.pdf","file_data":"data:application/pdf;base64,JVBE"}}]}]"#
        ),
        (
            #"{"messages":[{"role":"user","content":"Weather?"},{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"I look."},{"type":"tool_use","id":"t1","name":"w","input":{"city":"Rome"}},{"type":"tool_use","id":"t2","name":"w","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":[{"type":"text","text":"sun"},{"type":"text","text":"wind"}]},{"type":"tool_result","tool_use_id":"t2","is_error":true,"content":"no city"},{"type":"text","text":"And?"}]}]}"#,
            #"[{"role":"user","content":"Weather?"},{"role":"assistant","content":"I look.","tool_calls":[{"id":"t1","type":"function","function":{"name":"w","arguments":"{\"city\":\"Rome\"}"}},{"id":"t2","type":"function","function":{"name":"w","arguments":"{}"}}]},{"role":"tool","tool_call_id":"t1","content":"sun\nwind"},{"role":"tool","tool_call_id":"t2","content":"Error: no city"},{"role":"user","content":"And?"}]"#
        ),
        (
            #"{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{"x":1.0}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t"}]}]}"#,
            #"[{"role":"user","content":"a"},{"role":"assistant","content":null,"tool_calls":[{"id":"t","type":"function","function":{"name":"f","arguments":"{\"x\":1.0}"}}]},{"role":"tool","tool_call_id":"t","content":""}]"#
        ),
        (
            #"{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"system","content":"c"},{"role":"user","content":"d"}]}"#,
            #"[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"system","content":"c"},{"role":"user","content":"d"}]"#
        ),
    ])
    func `A conversation is told message by message`(request: String, messages: String) throws {
        let body = try JSON.parse(chat(request).body(streams: false))
        #expect(text(body["messages"]) == text(try JSON.parse(messages)))
    }

    @Test(arguments: [
        (#""max_tokens":50"#, #"{"max_tokens":50}"#),
        (
            #""stop_sequences":["\n\n"],"temperature":0.30,"top_p":1"#,
            #"{"stop":["\n\n"],"temperature":0.30,"top_p":1}"#
        ),
        (#""stop_sequences":[],"temperature":null,"stream":true,"cache_control":{"type":"ephemeral"}"#, "{}"),
        (
            #""tools":[{"name":"f","description":"d","input_schema":{"type":"object"},"strict":true,"cache_control":null}]"#,
            #"{"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"},"strict":true}}]}"#
        ),
        (
            #""speed":"standard","diagnostics":{"previous_message_id":"m"},"inference_geo":"global","context_management":{"edits":[{"type":"clear_thinking_20251015"}]}"#,
            "{}"
        ),
        (
            #""tools":[{"name":"f","input_schema":{"type":"object"},"defer_loading":true,"allowed_callers":["direct"]}]"#,
            #"{"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}]}"#
        ),
        (#""tool_choice":{"type":"auto"}"#, #"{"tool_choice":"auto"}"#),
        (
            #""tool_choice":{"type":"any","disable_parallel_tool_use":true}"#,
            #"{"tool_choice":"required","parallel_tool_calls":false}"#
        ),
        (#""tool_choice":{"type":"none"}"#, #"{"tool_choice":"none"}"#),
        (
            #""tool_choice":{"type":"tool","name":"f"}"#,
            #"{"tool_choice":{"type":"function","function":{"name":"f"}}}"#
        ),
        (
            #""output_config":{"format":{"type":"json_schema","schema":{"type":"object"}},"effort":"max"}"#,
            #"{"response_format":{"type":"json_schema","json_schema":{"name":"answer","schema":{"type":"object"},"strict":true}},"reasoning_effort":"max"}"#
        ),
        (#""thinking":{"type":"enabled","budget_tokens":1024}"#, #"{"reasoning_effort":"low"}"#),
        (#""thinking":{"type":"enabled","budget_tokens":2048}"#, #"{"reasoning_effort":"medium"}"#),
        (#""thinking":{"type":"enabled","budget_tokens":9000}"#, #"{"reasoning_effort":"high"}"#),
        (#""thinking":{"type":"adaptive"}"#, "{}"), (#""thinking":{"type":"disabled"}"#, "{}"),
        (
            #""metadata":{"user_id":"u-1"},"service_tier":"standard_only""#,
            #"{"user":"u-1","service_tier":"default"}"#
        ),
        (#""service_tier":"auto","container":null"#, #"{"service_tier":"auto"}"#),
    ])
    func `What shapes the answer is said in the other words`(members: String, expected: String) throws {
        let request = #"{"model":"ours","messages":[{"role":"user","content":"Hi"}],\#(members)}"#
        let body = try JSON.parse(chat(request).body(streams: false))
        var rest: [String: String] = [:]
        for (key, value) in body.members ?? [] where key != "messages" { rest[key] = text(value) }
        #expect(rest.removeValue(forKey: "model") == #""theirs""#)
        let wanted = try JSON.parse(expected).members ?? []
        #expect(rest == Dictionary(uniqueKeysWithValues: wanted.map { ($0.key, text($0.value)) }))
    }

    @Test(arguments: [
        (#""top_k":5"#, "top_k"), (#""mcp_servers":[]"#, "mcp_servers"),
        (#""container":"c""#, "container"), (#""max_tokens":0"#, "max_tokens"),
        (#""thinking":{"type":"between_tools"}"#, "thinking.type"),
        (#""output_config":{"task_budget":{}}"#, "output_config.task_budget"),
        (#""output_config":{"format":{"type":"grammar"}}"#, "output_config.format"),
        (#""tools":[{"type":"web_search_20250305","name":"web_search"}]"#, "tools.0.type"),
        (#""tools":[{"name":"f","input_schema":{},"input_examples":[{}]}]"#, "tools.0.input_examples"),
        (
            #""tools":[{"name":"f","input_schema":{},"allowed_callers":["code_execution_20260521"]}]"#,
            "tools.0.allowed_callers"
        ),
        (#""speed":"fast""#, "speed"), (#""inference_geo":"us""#, "inference_geo"),
        (#""thread":{}"#, "thread"),
        (
            #""context_management":{"edits":[{"type":"compact_20260112"}]}"#, "context_management.edits.0"
        ),
        (#""tool_choice":{"type":"most"}"#, "tool_choice.type"),
        (#""system":[{"type":"image"}]"#, "system.0"), (#""system":5"#, "system"),
    ])
    func `What cannot be said is refused by its name`(members: String, path: String) {
        let request = #"{"messages":[{"role":"user","content":"Hi"}],\#(members)}"#
        #expect(refusal(of: request)?.path == path)
    }

    @Test(arguments: [
        (#"{"role":"user","content":[{"type":"image","source":{"type":"file","file_id":"f"}}]}"#, "0.source"),
        (#"{"role":"user","content":[{"type":"text","text":"x"},{"type":"search_result"}]}"#, "1"),
        (#"{"role":"user","content":[{"type":"container_upload","text":"x"}]}"#, "0"),
        (#"{"role":"user","content":[{"type":"document","source":{"type":"url","url":"u"}}]}"#, "0.source"),
        (
            #"{"role":"user","content":[{"type":"document","citations":{"enabled":true},"source":{"type":"text","data":"d"}}]}"#,
            "0.citations"
        ),
        (
            #"{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"image"}]}]}"#,
            "0.content.0"
        ),
    ])
    func `A block that no chat can hold is refused by its place`(message: String, path: String) {
        #expect(refusal(of: #"{"messages":[\#(message)]}"#)?.path == "messages.0.content." + path)
    }

    @Test func `Words put into the assistant's mouth are refused`() {
        let request = #"{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"{"}]}"#
        #expect(refusal(of: request)?.path == "messages.1")
    }

    @Test func `A stream asks for the counts, and the limit goes by the provider's name for it`() throws {
        let request = #"{"max_tokens":9,"stream":false,"messages":[{"role":"user","content":"a"}]}"#
        let body = try JSON.parse(chat(request, .maxCompletionTokens).body(streams: true))
        #expect(body["stream"]?.bool == true && body["stream_options"]?["include_usage"]?.bool == true)
        #expect(body["max_completion_tokens"]?.int == 9 && body["max_tokens"] == nil)
    }

    @Test
    func `The address has its version, the key is a bearer, and OpenAI's own field is chosen by address`()
        throws
    {
        let key = CallPlanTests.key
        let local = OpenAIService(key: key, baseURL: "http://localhost:11434/v1/", apiKey: Secret(""))
        #expect(local.completionsURL == "http://localhost:11434/v1/chat/completions")
        #expect(local.headers.allSatisfy { $0.0 != "authorization" } && local.limitField == .maxTokens)
        let remote = OpenAIService(key: key, baseURL: "https://api.openai.com/v1", apiKey: Secret("sk-o"))
        #expect(remote.headers.contains { $0 == ("authorization", "Bearer sk-o") })
        #expect(remote.limitField == .maxCompletionTokens)
    }

    @Test func `A long call is a stream, a short one is plain`() throws {
        let service = OpenAIService(key: CallPlanTests.key, baseURL: "http://h/v1", apiKey: Secret("k"))
        let request = #"{"messages":[{"role":"user","content":"a"}]}"#
        for (maxTokens, streams) in [(4096, false), (4097, true)] {
            let attempt = CallPlanTests.attempt(request, maxTokens: maxTokens)
            let plan = try CallPlan<ChatFormat>(attempt, service, CallSettings())
            #expect(plan.streams == streams && plan.request.url == "http://h/v1/chat/completions")
            #expect(try JSON.parse(plan.request.body)["model"]?.string == "m")
        }
    }

    private func chat(_ request: String, _ field: OpenAIService.LimitField = .maxTokens) throws -> ChatRequest
    {
        ChatRequest(request: try JSON.parse(request), model: "theirs", limitField: field)
    }

    private func refusal(of request: String) -> Unmappable? {
        do {
            _ = try chat(request).body(streams: false)
            return nil
        } catch {
            return error as? Unmappable
        }
    }

    private func text(_ json: JSON?) -> String {
        json.map { String(decoding: $0.canonical(), as: UTF8.self) } ?? "-"
    }
}
