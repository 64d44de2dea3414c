/// Which calls go wrong: by chance, by number, or for a while.
package struct FaultPlan: Sendable, Equatable {
    /// When a fault strikes.
    package enum Trigger: Sendable, Equatable {
        case chance(Double)
        /// Calls of these numbers, counted from 1 since the start or the last reset.
        case numbers(ClosedRange<Int>)
        case every(Int)
    }

    /// The limit keeps a mistyped list from slowing every call.
    static let maximumEntries = 64

    package private(set) var entries: [(fault: Fault, trigger: Trigger)] = []

    package init() {}

    /// Reads `FAULT[:TRIGGER]`, separated by commas.
    ///
    /// TRIGGER is a probability (`0.01`), a number or a range of numbers (`#3`, `#3-9`), or every so many (`%100`);
    /// none means always.
    package init(text: String) throws(SettingError) {
        for part in text.split(separator: ",") {
            let pieces = trimmed(part).split(separator: ":", maxSplits: 1)
            guard let fault = pieces.first else { continue }
            let trigger: Trigger = pieces.count == 2 ? try Self.trigger(pieces[1]) : .chance(1)
            entries.append((try Fault(text: String(fault)), trigger))
        }
        guard entries.count <= Self.maximumEntries else {
            throw SettingError("at most \(Self.maximumEntries) faults, not \(entries.count)")
        }
    }

    /// The fault for the call of this number; chances are drawn one after the other and exclude each other.
    func fault(number: Int, _ random: inout SeededRandom) -> Fault? {
        guard !entries.isEmpty else { return nil }
        var draw = random.unit()
        for (fault, trigger) in entries {
            switch trigger {
            case .numbers(let numbers) where numbers.contains(number): return fault
            case .every(let n) where number.isMultiple(of: n): return fault
            case .chance(let chance):
                if draw < chance { return fault }
                draw -= chance
            default: continue
            }
        }
        return nil
    }

    package static func == (a: FaultPlan, b: FaultPlan) -> Bool {
        a.entries.elementsEqual(b.entries) { $0.fault == $1.fault && $0.trigger == $1.trigger }
    }

    private static func trigger(_ text: Substring) throws(SettingError) -> Trigger {
        if text.hasPrefix("#") {
            let ends = text.dropFirst().split(separator: "-").compactMap { Int($0) }
            if let first = ends.first, let last = ends.last, ends.count <= 2, 1 <= first, first <= last {
                return .numbers(first...last)
            }
        } else if text.hasPrefix("%") {
            if let n = Int(text.dropFirst()), n > 0 { return .every(n) }
        } else if let chance = Double(text), (0...1).contains(chance) {
            return .chance(chance)
        }
        throw SettingError("\(text) is no trigger; expected a probability, #3, #3-9 or %100")
    }
}

/// Times at which every call goes wrong.
package struct Outage: Sendable, Equatable {
    package var fault: Fault
    /// Milliseconds since the start, or since the setting was changed.
    package var window: Range<Int64>

    /// Reads `FROM+FOR:FAULT`, separated by commas: `10s+30s:529` is 529 from the tenth second to the fortieth.
    package static func list(text: String) throws(SettingError) -> [Outage] {
        var outages: [Outage] = []
        for part in text.split(separator: ",") {
            let pieces = trimmed(part).split(separator: ":", maxSplits: 1)
            let times = pieces.first?.split(separator: "+").compactMap { milliseconds(String($0)) } ?? []
            guard pieces.count == 2, times.count == 2 else {
                throw SettingError("\(part) is no outage; expected FROM+FOR:FAULT, as 10s+30s:529")
            }
            let fault = try Fault(text: String(pieces[1]))
            outages.append(Outage(fault: fault, window: times[0]..<times[0] + times[1]))
        }
        return outages
    }
}
