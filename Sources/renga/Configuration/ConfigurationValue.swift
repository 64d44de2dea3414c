import JSON
import Jobs

/// What is wrong with the configuration file, and where.
struct ConfigurationError: Error, CustomStringConvertible {
    /// `$.routes.haiku.limits.rpm`.
    var path: String
    var message: String

    var description: String { "\(path): \(message)" }
}

/// A value of the file under its path; each reading says what it expected if it finds something else.
struct ConfigurationValue {
    let path: String
    let json: JSON

    func refused(_ message: String) -> ConfigurationError {
        ConfigurationError(path: path, message: message)
    }

    func expected(_ what: String) -> ConfigurationError {
        refused("expected \(what), found \(found)")
    }

    private var found: String {
        switch json.kind {
        case .null: "null"
        case .bool, .number, .string:
            json.raw.count <= 60 ? String(decoding: json.raw, as: UTF8.self) : "something longer"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

/// Shapes.
extension ConfigurationValue {
    /// An object that has these keys and no others.
    func object(_ known: [String]) throws(ConfigurationError) -> ConfigurationObject {
        var members: [String: ConfigurationValue] = [:]
        for member in try named() {
            guard known.contains(member.name) else {
                let suggestion = Suggestion.text(for: member.name, among: known)
                throw member.value.refused(
                    "no such key\(suggestion.isEmpty ? "; expected one of \(known.joined(separator: ", "))" : suggestion)"
                )
            }
            members[member.name] = member.value
        }
        return ConfigurationObject(value: self, members: members)
    }

    /// An object whose keys are names of the operator's choice, in the order of the file.
    func named() throws(ConfigurationError) -> [(name: String, value: ConfigurationValue)] {
        guard let members = json.members else { throw expected("an object") }
        return members.map { ($0.key, ConfigurationValue(path: path + Self.step($0.key), json: $0.value)) }
    }

    func elements() throws(ConfigurationError) -> [ConfigurationValue] {
        guard let elements = json.elements else { throw expected("an array") }
        return elements.enumerated().map { ConfigurationValue(path: "\(path)[\($0)]", json: $1) }
    }

    /// `.haiku`, or `["a b"]` if the name is not a plain one.
    private static func step(_ name: String) -> String {
        let isPlain =
            !name.isEmpty
            && name.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
            }
        return isPlain ? "." + name : "[\"\(name.prefix(60))\"]"
    }
}

/// Scalars.
extension ConfigurationValue {
    /// A string of at least one byte, without control characters.
    func text(_ what: String, atMost limit: Int = 256) throws(ConfigurationError) -> String {
        guard let text = json.string, (1...limit).contains(text.utf8.count),
            text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
        else { throw expected(what) }
        return text
    }

    func integer(in range: ClosedRange<Int>) throws(ConfigurationError) -> Int {
        guard let number = json.int, range.contains(number) else {
            throw expected("a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func flag() throws(ConfigurationError) -> Bool {
        guard let flag = json.bool else { throw expected("true or false") }
        return flag
    }

    func choice<Choice: RawRepresentable & CaseIterable>(_: Choice.Type) throws(ConfigurationError) -> Choice
    where Choice.RawValue == String {
        guard let choice = json.string.flatMap(Choice.init(rawValue:)) else {
            throw expected("one of " + Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", "))
        }
        return choice
    }

    /// US dollars, as a number or a string: both are read as decimals, never as binary fractions.
    func dollars() throws(ConfigurationError) -> Money {
        guard let money = (json.string ?? json.numberText).flatMap(Money.init(dollars:)) else {
            throw expected("US dollars with at most nine places, such as 12.50")
        }
        return money
    }
}

/// An object of the file with its known members.
struct ConfigurationObject {
    let value: ConfigurationValue
    let members: [String: ConfigurationValue]

    subscript(_ key: String) -> ConfigurationValue? { members[key] }

    func required(_ key: String, _ what: String) throws(ConfigurationError) -> ConfigurationValue {
        guard let member = members[key] else {
            throw ConfigurationError(path: "\(value.path).\(key)", message: "is missing; expected \(what)")
        }
        return member
    }
}
