import Dialects
import JSON
import Testing

/// A chat's messages as turns of the Messages API.
@Suite struct CompletionMessagesTests {
    private func turns(_ messages: String) throws -> String {
        let request = try CompletionRequest(try JSON.parse(#"{"messages":\#(messages)}"#))
        return try canonical(String(decoding: request.messages, as: UTF8.self))
    }

    @Test func `turns are merged, instructions hoisted, answers of tools are the user's`() throws {
        let chat = """
            [{"role":"system","content":"Be brief."},{"role":"user","content":"weather?"},
            {"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"w","arguments":"{\\"city\\":\\"Paris\\"}"}},
            {"id":"c2","type":"function","function":{"name":"w","arguments":""}}]},
            {"role":"tool","tool_call_id":"c1","content":"sun"},{"role":"tool","tool_call_id":"c2","content":"rain"},
            {"role":"user","content":[{"type":"text","text":"so?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,QUJD"}},
            {"type":"image_url","image_url":{"url":"https://example.com/a.png"}}]},{"role":"developer","content":"Now."}]
            """
        let expected = """
            {"system":[{"type":"text","text":"Be brief."},{"type":"text","text":"Now."}],"messages":[
            {"role":"user","content":[{"type":"text","text":"weather?"}]},
            {"role":"assistant","content":[{"type":"tool_use","id":"c1","name":"w","input":{"city":"Paris"}},
            {"type":"tool_use","id":"c2","name":"w","input":{}}]},
            {"role":"user","content":[{"type":"tool_result","tool_use_id":"c1","content":[{"type":"text","text":"sun"}]},
            {"type":"tool_result","tool_use_id":"c2","content":[{"type":"text","text":"rain"}]},
            {"type":"text","text":"so?"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"QUJD"}},
            {"type":"image","source":{"type":"url","url":"https://example.com/a.png"}}]}]}
            """
        #expect(try turns(chat) == canonical(expected))
    }

    @Test(arguments: [
        Row(#"{"type":"text","text":"é😀\n"}"#, #"{"type":"text","text":"é😀\n"}"#),
        Row(
            #"{"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"1h"},"prompt_cache_breakpoint":{"mode":"explicit"}}"#,
            #"{"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"1h"}}"#),
        Row(
            #"{"type":"image_url","image_url":{"url":"data:image/jpg;base64,/9j/","detail":"high"},"cache_control":{"type":"ephemeral"}}"#,
            #"{"type":"image","source":{"type":"base64","media_type":"image/jpeg","data":"/9j/"},"cache_control":{"type":"ephemeral"}}"#
        ),
        Row(
            #"{"type":"image_url","image_url":{"url":"data:image/png;charset=utf-8;base64,QQ=="}}"#,
            #"{"type":"image","source":{"type":"base64","media_type":"image/png","data":"QQ=="}}"#),
        Row(
            #"{"type":"image_url","image_url":{"url":"http://example.com/a,b.png"}}"#,
            #"{"type":"image","source":{"type":"url","url":"http://example.com/a,b.png"}}"#),
        Row(
            #"{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,JVBE"}}"#,
            #"{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBE"},"title":"a.pdf"}"#
        ),
        Row(
            #"{"type":"file","file":{"file_data":"data:application/pdf;base64,JVBE"}}"#,
            #"{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBE"}}"#),
    ])
    func `a part becomes a block`(_ row: Row) throws {
        #expect(
            try turns(#"[{"role":"user","content":[\#(row.asked)]}]"#)
                == canonical(#"{"messages":[{"role":"user","content":[\#(row.becomes)]}]}"#))
    }

    @Test(arguments: [
        Row(
            #"{"role":"assistant","content":"a","name":"x","tool_calls":null,"function_call":null,"audio":null,"annotations":[],"refusal":null}"#,
            #"[{"type":"text","text":"a"}]"#),
        Row(
            #"{"role":"assistant","content":[{"type":"text","text":"a"},{"type":"refusal","refusal":"no"}]}"#,
            #"[{"type":"text","text":"a"},{"type":"text","text":"no"}]"#),
        Row(#"{"role":"assistant","refusal":"I can't."}"#, #"[{"type":"text","text":"I can't."}]"#),
        Row(
            #"{"role":"assistant","content":"","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":" {\"x\":1.0} "}}]}"#,
            #"[{"type":"tool_use","id":"c","name":"f","input":{"x":1.0}}]"#),
        Row(
            #"{"role":"assistant","content":"I look.","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"\n"}}]}"#,
            #"[{"type":"text","text":"I look."},{"type":"tool_use","id":"c","name":"f","input":{}}]"#),
        Row(
            #"{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"a\":"}}]}"#,
            #"[{"type":"tool_use","id":"c","name":"f","input":{"INVALID_JSON":"{\"a\":"}}]"#),
        Row(
            #"{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"[1]"}}]}"#,
            #"[{"type":"tool_use","id":"c","name":"f","input":{"INVALID_JSON":"[1]"}}]"#),
    ])
    func `an answer is said again`(_ row: Row) throws {
        let chat = #"[{"role":"user","content":"q"},\#(row.asked)]"#
        let expected =
            #"{"messages":[{"role":"user","content":[{"type":"text","text":"q"}]},{"role":"assistant","content":\#(row.becomes)}]}"#
        #expect(try turns(chat) == canonical(expected))
    }

    @Test func `empty texts are left out, and a tool may say nothing`() throws {
        let chat = """
            [{"role":"system","content":""},{"role":"user","content":[{"type":"text","text":""},{"type":"text","text":"q"}]},
            {"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},
            {"role":"tool","tool_call_id":"c","content":""}]
            """
        let expected = """
            {"messages":[{"role":"user","content":[{"type":"text","text":"q"}]},
            {"role":"assistant","content":[{"type":"tool_use","id":"c","name":"f","input":{}}]},
            {"role":"user","content":[{"type":"tool_result","tool_use_id":"c"}]}]}
            """
        #expect(try turns(chat) == canonical(expected))
    }

    @Test func `a last word of the assistant's is where the answer goes on`() throws {
        let chat = #"[{"role":"user","content":"q"},{"role":"assistant","content":"It is"}]"#
        #expect(try turns(chat).contains(#"[{"text":"It is","type":"text"}],"role":"assistant"}]"#))
    }

    @Test(arguments: [
        Row("[]", "messages"), Row("5", "messages"), Row(#"[{"role":"system","content":""}]"#, "messages"),
        Row(#"[{"role":"alien","content":"x"}]"#, "messages[0].role"),
        Row(#"[{"role":"function","name":"f","content":"x"}]"#, "messages[0].role"),
        Row(#"[{"role":"user","content":""}]"#, "messages[0].content"),
        Row(#"[{"role":"user","content":null}]"#, "messages[0].content"),
        Row(#"[{"role":"user","content":[]}]"#, "messages[0].content"),
        Row(#"[{"role":"user","content":[{"type":"input_audio"}]}]"#, "messages[0].content[0]"),
        Row(#"[{"role":"user","content":[{"type":"text"}]}]"#, "messages[0].content[0].text"),
        Row(#"[{"role":"user","content":["x"]}]"#, "messages[0].content[0]"),
        Row(
            #"[{"role":"user","content":[{"type":"image_url","image_url":"https://x/y"}]}]"#,
            "messages[0].content[0].image_url.url"),
        Row(
            #"[{"role":"user","content":[{"type":"image_url","image_url":{"url":"iVBORw0KGgo"}}]}]"#,
            "messages[0].content[0].image_url.url"),
        Row(
            #"[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/svg+xml,<svg/>"}}]}]"#,
            "messages[0].content[0].image_url.url"),
        Row(
            #"[{"role":"user","content":[{"type":"file","file":{"file_id":"file-1"}}]}]"#,
            "messages[0].content[0]"),
        Row(
            #"[{"role":"user","content":[{"type":"file","file":{"file_data":"JVBERi0"}}]}]"#,
            "messages[0].content[0].file.file_data"),
        Row(
            #"[{"role":"system","content":[{"type":"image_url","image_url":{"url":"https://x/y"}}]}]"#,
            "messages[0].content[0]"),
        Row(#"[{"role":"user","content":"x"},{"role":"assistant"}]"#, "messages[1]"),
        Row(
            #"[{"role":"user","content":"x"},{"role":"assistant","content":"y","function_call":{"name":"f","arguments":""}}]"#,
            "messages[1].function_call"),
        Row(
            #"[{"role":"user","content":"x"},{"role":"assistant","content":"y","tool_calls":{}}]"#,
            "messages[1].tool_calls"),
        Row(
            #"[{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"id":"c","type":"custom","custom":{"name":"f"}}]}]"#,
            "messages[1].tool_calls[0]"),
        Row(
            #"[{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f","arguments":{"a":1}}}]}]"#,
            "messages[1].tool_calls[0].function.arguments"),
        Row(#"[{"role":"user","content":"x"},{"role":"tool","content":"x"}]"#, "messages[1]"),
    ])
    func `a message that cannot be said is refused by its place`(_ row: Row) throws {
        let body = try JSON.parse(#"{"messages":\#(row.asked)}"#)
        let error = #expect(throws: CompletionRequest.Refused.self) { try CompletionRequest(body) }
        #expect(error?.parameter == row.becomes)
    }
}
