import Foundation
import JSON
import Jobs

extension Property {
    static let json = [
        Property(name: "json", check: read), Property(name: "json-pointer", check: point),
        Property(name: "json-replacing", check: replace),
    ]

    /// What is read is sound in itself, has one canonical form, and is JSON to Foundation too.
    private static func read(_ bytes: [UInt8]) throws {
        let value: JSON
        do {
            value = try JSON.parse(bytes, maxDepth: JSON.deepest)
        } catch {
            return try demand((0...bytes.count).contains(error.offset), "the error's place: \(error.offset)")
        }
        try demand(String(validating: bytes, as: UTF8.self) != nil, "accepted, though not UTF-8")
        let canonical = value.canonical()
        let again = try JSON.parse(canonical, maxDepth: JSON.deepest)
        try demand(again.canonical().text, is: canonical.text, "the canonical form's own")
        try visit(value, depth: 0)
        if isWithinFoundation(value, depth: 0) {
            _ = try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
        }
    }

    private static func visit(_ value: JSON, depth: Int) throws {
        let parsed = try JSON.parse(Array(value.raw), maxDepth: JSON.deepest)
        try demand(parsed.canonical().text, is: value.canonical().text, "a value read by itself")
        _ = (value.string, value.int, value.double, value.bool, value.numberText)
        guard depth < 3 else { return }
        for (index, element) in (value.elements ?? []).enumerated() {
            try demand(value[index]?.raw, is: element.raw, "the element \(index)")
            try visit(element, depth: depth + 1)
        }
        for member in value.members ?? [] {
            try demand(value[member.key]?.raw, is: member.value.raw, "the member \(member.key)")
            try visit(member.value, depth: depth + 1)
        }
    }

    /// Foundation reads 512 levels, and numbers within a double's range.
    private static func isWithinFoundation(_ value: JSON, depth: Int) -> Bool {
        switch value.kind {
        case .number: value.double != nil
        case .array, .object:
            depth < 500
                && (value.elements ?? value.members?.map(\.value) ?? []).allSatisfy {
                    isWithinFoundation($0, depth: depth + 1)
                }
        default: true
        }
    }

    /// Every value is found by the pointer that its keys make.
    private static func point(_ bytes: [UInt8]) throws {
        guard let value = try? JSON.parse(bytes) else {
            _ = JSONPointer(bytes.text)
            return
        }
        try point(at: value, in: value, by: "")
    }

    private static func point(at value: JSON, in root: JSON, by path: String) throws {
        let found = JSONPointer(path)?.value(in: root)
        try demand(found?.raw, is: value.raw, "what is at \(path)")
        for (index, element) in (value.elements ?? []).enumerated() {
            try point(at: element, in: root, by: "\(path)/\(index)")
        }
        for member in value.members ?? [] {
            var token = ""
            for scalar in member.key.unicodeScalars {
                switch scalar {
                case "~": token += "~0"
                case "/": token += "~1"
                default: token.unicodeScalars.append(scalar)
                }
            }
            try point(at: member.value, in: root, by: path + "/" + token)
        }
    }

    /// The one member changes, and nothing else.
    private static func replace(_ bytes: [UInt8]) throws {
        guard let object = try? JSON.parse(bytes), let members = object.members else { return }
        for key in ["stream", members.first?.key ?? "é"] {
            let changed = try JSON.parse(object.replacing(key, with: Array("[7]".utf8)))
            try demand(changed[key].map { Array($0.raw).text }, is: "[7]", "what was replaced")
            try demand(changed.count, is: members.count + (object[key] == nil ? 1 : 0), "the members")
            for member in members where !member.key.utf8.elementsEqual(key.utf8) {
                try demand(
                    changed[member.key]?.raw.elementsEqual(member.value.raw), is: true, "member \(member.key)"
                )
            }
        }
    }
}
