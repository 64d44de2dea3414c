/// A request line's target, split first and decoded afterwards, so that `%2F` separates nothing.
struct RequestTarget {
    var rawPath: String
    var path: [String]
    var query: [(name: String, value: String)] = []

    /// For escapes that are not hexadecimal, NUL, and invalid UTF-8; what could not be read stays as it was sent, or out.
    var refusal: Refusal?

    /// A space or a control character, which others may take for the target's end.
    let hasControl: Bool

    init(_ target: UnsafeBufferPointer<UInt8>) {
        let target = Slice(base: target, bounds: Self.pathStart(target)..<target.count)
        let mark = target.firstIndex(of: UInt8(ascii: "?"))
        let path = target[..<(mark ?? target.endIndex)]
        self.hasControl = target.contains { $0 <= 0x20 || $0 == 0x7F }
        self.rawPath = String(decoding: path, as: UTF8.self)
        self.path = []
        readPath(path)
        if let mark { readQuery(target[(mark + 1)...]) }
    }
}

extension RequestTarget {
    private typealias Bytes = Slice<UnsafeBufferPointer<UInt8>>

    /// Skips scheme and authority if a client sent them ("absolute-form", RFC 9112 §3.2.2).
    private static func pathStart(_ target: UnsafeBufferPointer<UInt8>) -> Int {
        guard target.first != UInt8(ascii: "/"), let slash = target.firstIndex(of: UInt8(ascii: "/")),
            slash > 0,
            slash + 1 < target.count, target[slash - 1] == UInt8(ascii: ":"),
            target[slash + 1] == UInt8(ascii: "/")
        else { return 0 }
        return target[(slash + 2)...].firstIndex(of: UInt8(ascii: "/")) ?? target.count
    }

    private mutating func readPath(_ path: Bytes) {
        if path.isEmpty || path.elementsEqual([UInt8(ascii: "*")]) { return }
        guard path.first == UInt8(ascii: "/") else { return refusal = .badPath }
        let rest = path.dropFirst()
        if rest.isEmpty { return }
        for segment in rest.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            if let plain = Self.decoded(segment, plusIsSpace: false) {
                self.path.append(plain)
            } else {
                self.path.append(String(decoding: segment, as: UTF8.self))
                refusal = .badPath
            }
        }
    }

    private mutating func readQuery(_ bytes: Bytes) {
        for pair in bytes.split(separator: UInt8(ascii: "&")) {
            let equals = pair.firstIndex(of: UInt8(ascii: "="))
            let value = equals.map { pair[($0 + 1)...] } ?? pair[pair.endIndex...]
            guard let name = Self.decoded(pair[..<(equals ?? pair.endIndex)], plusIsSpace: true),
                let value = Self.decoded(value, plusIsSpace: true)
            else {
                refusal = refusal ?? .badRequest("the query has an invalid escape, NUL or invalid UTF-8")
                continue
            }
            query.append((name: name, value: value))
        }
    }

    private static func decoded(_ bytes: Bytes, plusIsSpace: Bool) -> String? {
        let isPlain = bytes.allSatisfy {
            $0 != UInt8(ascii: "%") && $0 != 0 && $0 < 0x80 && !(plusIsSpace && $0 == UInt8(ascii: "+"))
        }
        if isPlain { return String(decoding: bytes, as: UTF8.self) }
        var plain: [UInt8] = []
        plain.reserveCapacity(bytes.count)
        var rest = bytes[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%") {
                guard let high = rest.popFirst().flatMap(hexadecimal),
                    let low = rest.popFirst().flatMap(hexadecimal)
                else { return nil }
                plain.append(high << 4 | low)
            } else {
                plain.append(plusIsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return plain.contains(0) ? nil : String(validating: plain, as: UTF8.self)
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}
