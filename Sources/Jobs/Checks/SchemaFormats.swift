import JSON

/// The formats of strings that structured outputs know, by what they look like.
enum SchemaFormats {
    private static let date = #"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"#
    private static let time =
        #"([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"#
    private static let name = #"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"#
    private static let octet = #"(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"#

    static let sources: [String: String] = [
        "date": "^\(date)$",
        "time": "^\(time)$",
        "date-time": "^\(date)[Tt]\(time)$",
        "duration":
            #"^P([0-9]+W|([0-9]+Y)?([0-9]+M)?([0-9]+D)?(T([0-9]+H)?([0-9]+M)?([0-9]+(\.[0-9]+)?S)?)?)$"#,
        "email": #"^[^@\s]+@\#(name)(\.\#(name))*$"#,
        "hostname": #"^\#(name)(\.\#(name))*$"#,
        "uri": #"^[A-Za-z][A-Za-z0-9+.-]*:[^\s]+$"#,
        "ipv4": #"^\#(octet)\.\#(octet)\.\#(octet)\.\#(octet)$"#,
        "ipv6": #"^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$"#,
        "uuid": #"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"#,
    ]

    static func find(_ value: JSON, at path: String) throws(CheckError) -> (name: String, pattern: Pattern) {
        guard let name = value.string, let source = sources[name] else {
            throw CheckError(path, "must be one of " + sources.keys.sorted().joined(separator: ", "))
        }
        do {
            return (name, try Pattern(source))
        } catch {
            preconditionFailure("the format \(name) is no pattern: \(error.message)")
        }
    }
}
