extension JSON {
    /// One form for all ways of writing the same value, made for hashing.
    ///
    /// RFC 8785 with one difference: keys sorted by UTF-16 code units, no white space, strings in one escaping,
    /// but numbers keep their text, because two that differ beyond a double's precision are different prompts.
    package func canonical() -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(raw.count)
        appendCanonical(to: &output)
        return output
    }

    /// Appends the canonical form, leaving out members of this object (not of objects inside) by their keys.
    package func appendCanonical(to output: inout [UInt8], omitting: Set<String> = []) {
        document.appendCanonical(index, to: &output, omitting: omitting)
    }
}

extension Document {
    fileprivate func appendCanonical(_ index: Int, to output: inout [UInt8], omitting: Set<String> = []) {
        switch nodes[index].kind {
        case .object: appendCanonicalObject(index, to: &output, omitting: omitting)
        case .array: appendCanonicalArray(index, to: &output)
        case .string: appendCanonicalString(index, to: &output)
        case .number, .bool, .null: output.append(contentsOf: bytes[nodes[index].range])
        }
    }

    private func appendCanonicalObject(_ index: Int, to output: inout [UInt8], omitting: Set<String>) {
        var isFirst = true
        output.append(UInt8(ascii: "{"))
        for key in sortedKeys(of: index) where omitting.isEmpty || !omitting.contains(text(at: key)) {
            if !isFirst { output.append(UInt8(ascii: ",")) }
            isFirst = false
            appendCanonicalString(key, to: &output)
            output.append(UInt8(ascii: ":"))
            appendCanonical(key + 1, to: &output)
        }
        output.append(UInt8(ascii: "}"))
    }

    private func appendCanonicalArray(_ index: Int, to output: inout [UInt8]) {
        var isFirst = true
        output.append(UInt8(ascii: "["))
        for element in elements(of: index) {
            if !isFirst { output.append(UInt8(ascii: ",")) }
            isFirst = false
            appendCanonical(element, to: &output)
        }
        output.append(UInt8(ascii: "]"))
    }

    /// A string without escapes is canonical as it stands: whatever must be escaped could not be in it.
    private func appendCanonicalString(_ index: Int, to output: inout [UInt8]) {
        let node = nodes[index]
        if node.isEscaped {
            output.appendQuoted(utf8: unescaped(bytes[node.content]))
        } else {
            output.append(contentsOf: bytes[node.range])
        }
    }

    private func sortedKeys(of object: Int) -> [Int] {
        let keys = Array(keys(of: object))
        guard keys.contains(where: { nodes[$0].isEscaped }) else {
            return keys.sorted { utf16Precedes(bytes[nodes[$0].content], bytes[nodes[$1].content]) }
        }
        return keys.map { key in
            let content = bytes[nodes[key].content]
            return (key: key, text: nodes[key].isEscaped ? unescaped(content)[...] : content)
        }
        .sorted { utf16Precedes($0.text, $1.text) }
        .map(\.key)
    }
}

/// Compares UTF-8 as its UTF-16 form would compare.
///
/// The two orders differ in one place: surrogates (lead bytes 0xF0 and up) come before U+E000 to U+FFFF (lead
/// bytes 0xEE and 0xEF). Where well-formed texts first differ, both bytes lead or both continue.
private func utf16Precedes(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>) -> Bool {
    for (a, b) in zip(left, right) where a != b {
        if a >= 0xEE, b >= 0xEE, (a >= 0xF0) != (b >= 0xF0) { return a >= 0xF0 }
        return a < b
    }
    return left.count < right.count
}
