import JSON
import Testing

@Suite struct AccessTests {
    let job = #"""
        { "key" : "ticket-17", "n": 3, "nested": {"a": [1, {"b": null}, "x"] , "é": true},
          "esc\u0061ped": "line\n\"two\" \ud83d\ude00", "off": false }
        """#

    @Test func `members are found by key at any depth`() throws {
        let value = try JSON.parse(job)
        #expect(value["key"]?.string == "ticket-17")
        #expect(value["nested"]?["é"]?.bool == true)
        #expect(value["off"]?.bool == false)
        #expect(value["nested"]?["a"]?[1]?["b"]?.isNull == true)
        #expect(value["escaped"]?.string == "line\n\"two\" 😀")
        #expect(value["esc"] == nil)
        #expect(value["nested"]?["a"]?[3] == nil)
        #expect(value["nested"]?["a"]?[-1] == nil)
        #expect(value["key"]?["x"] == nil)
    }

    @Test func `raw is the exact source of a value`() throws {
        let value = try JSON.parse(job)
        #expect(
            value["nested"].map { String(decoding: $0.raw, as: UTF8.self) }
                == #"{"a": [1, {"b": null}, "x"] , "é": true}"#)
        #expect(value["n"].map { String(decoding: $0.raw, as: UTF8.self) } == "3")
        #expect(String(decoding: value.raw, as: UTF8.self) == job)
    }

    @Test func `members and elements keep the order of the source`() throws {
        let value = try JSON.parse(job)
        #expect(value.members?.map(\.key) == ["key", "n", "nested", "escaped", "off"])
        #expect(value["nested"]?["a"]?.elements?.map(\.kind) == [.number, .object, .string])
        #expect(value.count == 5)
        #expect(value["nested"]?["a"]?.count == 3)
        #expect(try JSON.parse("[]").elements?.isEmpty == true)
        #expect(try JSON.parse("{}").members?.isEmpty == true)
    }

    @Test func `an accessor of another kind gives nil`() throws {
        let value = try JSON.parse("\"1\"")
        #expect(value.int == nil && value.double == nil && value.bool == nil && value.numberText == nil)
        #expect(value.elements == nil && value.members == nil && value["a"] == nil && value.count == 0)
        #expect(!value.isNull)
        #expect(try JSON.parse("1").string == nil)
    }

    @Test(
        arguments: [
            ("0", 0), ("-0", 0), ("1", 1), ("-2", -2), ("9223372036854775807", .max),
            ("-9223372036854775808", .min),
            ("9223372036854775808", nil), ("-9223372036854775809", nil), ("99999999999999999999999", nil),
            ("1.0", nil), ("1e3", nil), ("-1.5", nil), ("1E0", nil),
        ] as [(String, Int?)])
    func `int is exact or nil`(_ text: String, _ expected: Int?) throws {
        let value = try JSON.parse(text)
        #expect(value.int == expected)
        #expect(value.numberText == text)
    }

    @Test(
        arguments: [
            ("0.05", "0.05"), ("1e-5", "0.00001"), ("5E-05", "0.00005"), ("12.5e-1", "1.25"),
            ("2.5e+3", "2500"),
            ("1.0e-9", "0.000000001"), ("1.50", "1.50"), ("1e31", nil), ("1e-9223372036854775809", nil),
            ("-1", nil),
            ("true", nil),
        ] as [(String, String?)])
    func `An amount is read without its exponent`(text: String, decimal: String?) throws {
        #expect(try JSON.parse(text).decimalText == decimal)
    }

    @Test func `double is the nearest, or nil beyond its range`() throws {
        #expect(try JSON.parse("0.1").double == 0.1)
        #expect(try JSON.parse("-12").double == -12)
        #expect(try JSON.parse("5e-324").double == .leastNonzeroMagnitude)
        #expect(try JSON.parse("1e999").double == nil)
    }
}
