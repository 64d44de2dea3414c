/// What a field of a log line may hold; literals and interpolations become one by themselves.
package enum LogValue: Sendable, Equatable {
    case string(String)
    case int(Int)
    case double(Double)
    case bool(Bool)
}

extension LogValue: ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int) { self = .int(value) }
    package init(floatLiteral value: Double) { self = .double(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
}

typealias LogField = (name: String, value: LogValue)

extension [LogField] {
    /// Adds fields after these; one whose name is taken replaces the value in its place.
    func merging(_ fields: Log.Fields) -> [LogField] {
        fields.reduce(into: self) { merged, field in
            if let index = merged.firstIndex(where: { $0.name == field.key }) {
                merged[index].value = field.value
            } else {
                merged.append((field.key, field.value))
            }
        }
    }
}
