/// A value to bind to a placeholder.
package enum Value: Sendable, Equatable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])
    /// Bytes known to be UTF-8, stored as text without becoming a `String` on the way.
    case utf8([UInt8])
}

// Shorthands, so that a caller can hand over what it has: an absent value binds as NULL.
extension Value {
    package static func integer(_ value: Int64?) -> Value { value.map { .integer($0) } ?? .null }
    package static func integer(_ value: Int) -> Value { .integer(Int64(value)) }
    package static func integer(_ value: Int?) -> Value { value.map { .integer(Int64($0)) } ?? .null }
    package static func real(_ value: Double?) -> Value { value.map { .real($0) } ?? .null }
    package static func text(_ value: String?) -> Value { value.map { .text($0) } ?? .null }
    package static func blob(_ value: [UInt8]?) -> Value { value.map { .blob($0) } ?? .null }
    package static func utf8(_ value: [UInt8]?) -> Value { value.map { .utf8($0) } ?? .null }
    /// Stored as 1 or 0.
    package static func bool(_ value: Bool) -> Value { .integer(value ? 1 : 0) }
}

extension Value: ExpressibleByNilLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByStringLiteral, ExpressibleByBooleanLiteral
{
    package init(nilLiteral: ()) { self = .null }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(floatLiteral value: Double) { self = .real(value) }
    package init(stringLiteral value: String) { self = .text(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
}
