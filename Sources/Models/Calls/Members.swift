import JSON

/// An object under construction: members in their order, each value as its JSON bytes.
struct Members {
    private var list: [(key: String, raw: [UInt8])] = []

    init() {}

    /// Nil for anything but an object.
    init?(_ object: JSON) {
        guard let members = object.members else { return nil }
        list = members.map { ($0.key, Array($0.value.raw)) }
    }

    var isEmpty: Bool { list.isEmpty }

    subscript(key: String) -> [UInt8]? {
        get { list.first { $0.key == key }?.raw }
        set {
            let index = list.firstIndex { $0.key == key }
            switch (index, newValue) {
            case (let index?, let raw?): list[index].raw = raw
            case (let index?, nil): list.remove(at: index)
            case (nil, let raw?): list.append((key, raw))
            case (nil, nil): break
            }
        }
    }

    /// Takes over every member that says something: null leaves what was there.
    mutating func update(from object: JSON) {
        for (key, value) in object.members ?? [] where !value.isNull || self[key] == nil {
            self[key] = Array(value.raw)
        }
    }

    var json: [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            for (key, raw) in list { writer.field(key, raw: raw) }
        }
        return writer.bytes
    }
}

func jsonArray(_ values: [[UInt8]]) -> [UInt8] {
    Array(("[".utf8)) + values.joined(separator: ",".utf8) + Array("]".utf8)
}
