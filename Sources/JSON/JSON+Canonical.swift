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
    ///
    /// With `setting` this object has that member, whatever it has under the key; its value must be canonical.
    package func appendCanonical(
        to output: inout [UInt8], omitting: Set<String> = [], setting: (key: String, value: String)? = nil
    ) {
        guard kind == .object else { return document.appendCanonical(index, to: &output) }
        document.appendCanonicalObject(index, to: &output, omitting: omitting, setting: setting)
    }
}

extension Document {
    fileprivate func appendCanonical(_ index: Int, to output: inout [UInt8]) {
        switch nodes[index].kind {
        case .object: appendCanonicalObject(index, to: &output)
        case .array: appendCanonicalArray(index, to: &output)
        case .string: appendCanonicalString(index, to: &output)
        case .number, .bool, .null: output.append(contentsOf: bytes[nodes[index].range])
        }
    }

    fileprivate func appendCanonicalObject(
        _ index: Int, to output: inout [UInt8], omitting: Set<String> = [],
        setting: (key: String, value: String)? = nil
    ) {
        var unset = setting
        output.append(UInt8(ascii: "{"))
        for key in sortedKeys(of: index) where omitting.isEmpty || !omitting.contains(text(at: key)) {
            if let member = unset, !keyPrecedes(key, member.key) {
                append(member, to: &output)
                unset = nil
            }
            if let setting, text(at: key) == setting.key { continue }
            separate(&output)
            appendCanonicalString(key, to: &output)
            output.append(UInt8(ascii: ":"))
            appendCanonical(key + 1, to: &output)
        }
        if let unset { append(unset, to: &output) }
        output.append(UInt8(ascii: "}"))
    }

    private func append(_ member: (key: String, value: String), to output: inout [UInt8]) {
        separate(&output)
        output.appendQuoted(member.key)
        output.append(UInt8(ascii: ":"))
        output.append(contentsOf: member.value.utf8)
    }

    /// A comma, unless the object or array has only begun: no value ends in an opening bracket.
    private func separate(_ output: inout [UInt8]) {
        let last = output.last
        if last != UInt8(ascii: "{"), last != UInt8(ascii: "[") { output.append(UInt8(ascii: ",")) }
    }

    private func keyPrecedes(_ key: Int, _ other: String) -> Bool {
        let content = bytes[nodes[key].content]
        let text = nodes[key].isEscaped ? unescaped(content) : Array(content)
        return utf16Precedes(text.span, other.utf8.span)
    }

    private func appendCanonicalArray(_ index: Int, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "["))
        for element in elements(of: index) {
            separate(&output)
            appendCanonical(element, to: &output)
        }
        output.append(UInt8(ascii: "]"))
    }

    /// A string without escapes is canonical as it is: whatever must be escaped could not be in it.
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
            let source = bytes
            return keys.sorted { left, right in
                utf16Precedes(
                    source.span.extracting(nodes[left].content), source.span.extracting(nodes[right].content))
            }
        }
        return keys.map { key in
            let content = bytes[nodes[key].content]
            return (key: key, text: nodes[key].isEscaped ? unescaped(content)[...] : content)
        }
        .sorted { utf16Precedes($0.text.span, $1.text.span) }
        .map(\.key)
    }
}

/// Compares UTF-8 as its UTF-16 form would compare.
///
/// The two orders differ in one place: surrogates (lead bytes 0xF0 and up) come before U+E000 to U+FFFF (lead
/// bytes 0xEE and 0xEF). Where well-formed texts first differ, both bytes lead or both continue.
private func utf16Precedes(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
    for index in 0..<min(left.count, right.count) {
        let (a, b) = (left[index], right[index])
        if a == b { continue }
        if a >= 0xEE, b >= 0xEE, (a >= 0xF0) != (b >= 0xF0) { return a >= 0xF0 }
        return a < b
    }
    return left.count < right.count
}
