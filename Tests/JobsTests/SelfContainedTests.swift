import JSON
import Jobs
import Testing

/// What a request's bytes cannot tell is neither bounded nor shared; what is not known is never assumed harmless.
@Suite struct SelfContainedTests {
    private func bound(_ members: String) throws -> CostBound {
        CostBound(
            request: try JSON.parse(
                Array(
                    #"{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"hi"}]\#(members)}"#
                        .utf8)))
    }

    @Test(arguments: [
        "", #","thread":null"#, #","thinking":{"type":"adaptive"}"#,
        #","speed":"standard","diagnostics":null"#,
        #","context_management":{"edits":[{"type":"clear_tool_uses_20250919"}]}"#,
        #","output_config":{"effort":"low","format":{"type":"json_schema","schema":{}}}"#,
        #","metadata":{"user_id":"u"},"service_tier":"auto","tool_choice":{"type":"auto"}"#,
    ])
    func `what is known is bounded by its bytes`(_ members: String) throws {
        let bound = try bound(members)
        #expect(bound.inputTokens != nil && bound.isSelfContained)
        #expect(bound.writes == .none)
    }

    @Test(arguments: [
        #","thread":{"type":"create"}"#, #","thread":{"type":"continue","previous_message_id":"msg_1"}"#,
        #","compaction":{"type":"summarize"}"#, #","fallbacks":[{"model":"claude-opus-5-5"}]"#,
        #","context_management":{"edits":[{"type":"compact_20260112"}]}"#, #","surprise":{"id":"x"}"#,
        #","output_config":{"surprise":1}"#,
    ])
    func `a conversation that lives elsewhere, and whatever is not known, may be of any length`(
        _ members: String
    ) throws {
        let bound = try bound(members)
        #expect(bound.inputTokens == nil && !bound.isSelfContained)
        #expect(bound.writes == .oneHour)
    }

    @Test(arguments: [
        #","container":{"id":"c"}"#, #","mcp_servers":[{"type":"url","url":"https://x","name":"n"}]"#,
        #","fallback_credit_token":"t""#, #","diagnostics":{"previous_message_id":"msg_1"}"#,
        #","billing_policy":{"type":"billing_policy","bill_to":"user_profile"}"#,
    ])
    func `what names something elsewhere is shared with nobody`(_ members: String) throws {
        #expect(try !bound(members).isSelfContained)
    }

    @Test(arguments: [
        (#"{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBO"}}"#, true, true),
        (#"{"type":"image","source":{"type":"url","url":"https://x/y.png"}}"#, true, false),
        (#"{"type":"image","source":{"type":"file","file_id":"file_1"}}"#, true, false),
        (
            #"{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBE"}}"#,
            false, true
        ),
        (#"{"type":"document","source":{"type":"url","url":"https://x/y.pdf"}}"#, false, false),
        (#"{"type":"container_upload","file_id":"f"}"#, false, false),
        (#"{"type":"text","text":"x","surprise":1}"#, false, false),
        (#"{"type":"text","text":"x","cache_control":null,"citations":[]}"#, true, true),
        (#"{"type":"surprise"}"#, false, false),
    ])
    func `a block counts as what it is`(block: String, isBounded: Bool, isSelfContained: Bool) throws {
        let bound = CostBound(
            request: try JSON.parse(Array(#"{"messages":[{"role":"user","content":[\#(block)]}]}"#.utf8)))
        #expect((bound.inputTokens != nil) == isBounded)
        #expect(bound.isSelfContained == isSelfContained)
    }
}
