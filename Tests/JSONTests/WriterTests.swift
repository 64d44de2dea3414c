import JSON
import Testing

@Suite struct WriterTests {
    private func written(_ body: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        body(&writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    @Test func `commas come by themselves`() {
        let text = written { json in
            json.object { json in
                json.field("a", "x")
                json.field("n", 3)
                json.key("list")
                json.array { json in
                    json.int(1)
                    json.array { _ in }
                    json.object { _ in }
                    json.null()
                }
                json.field("b", true)
                json.field("x", 0.5)
                json.field("raw", raw: Array(#"{"k":[]}"#.utf8))
            }
        }
        #expect(text == #"{"a":"x","n":3,"list":[1,[],{},null],"b":true,"x":0.5,"raw":{"k":[]}}"#)
    }

    @Test func `nil fields are null`() {
        let text = written { json in
            json.object { json in
                json.field("s", String?.none)
                json.field("i", Int?.none)
                json.field("j", Int64?.none)
                json.field("d", Double?.none)
                json.field("b", Bool?.none)
                json.field("r", raw: [UInt8]?.none)
            }
        }
        #expect(text == #"{"s":null,"i":null,"j":null,"d":null,"b":null,"r":null}"#)
    }

    @Test func `lines stand alone`() {
        let text = written { json in
            json.object { $0.field("n", 1) }
            json.newline()
            json.object { $0.field("n", 2) }
            json.newline()
        }
        #expect(text == "{\"n\":1}\n{\"n\":2}\n")
    }

    @Test(arguments: [
        (1.0, "1"), (-0.5, "-0.5"), (1e-7, "1e-07"), (1e300, "1e+300"), (.infinity, "null"), (.nan, "null"),
    ])
    func `doubles are always JSON`(_ value: Double, _ text: String) {
        #expect(written { $0.double(value) } == text)
    }

    @Test func `any text survives writing and reading`() throws {
        let text =
            String(String.UnicodeScalarView((0..<0x300).compactMap(UnicodeScalar.init)))
            + "\u{FFFF}😀\u{10FFFF}"
        let read = try JSON.parse(written { $0.string(text) })
        #expect(read.string?.unicodeScalars.elementsEqual(text.unicodeScalars) == true)
        #expect(read.canonical() == Array(written { $0.string(text) }.utf8))
    }
}
