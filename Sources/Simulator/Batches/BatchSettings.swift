/// How message batches behave; all its times are milliseconds of the calendar clock.
package struct BatchSettings: Sendable, Equatable {
    /// In which a batch is done, drawn for each batch; its rows are done one by one until then.
    package var turnaround: ClosedRange<Int64> = 60_000...60_000
    /// What is not done so long after the creation expires.
    package var window: Int64 = 86_400_000
    /// The share of rows that are never processed.
    package var stuckShare = 0.0
    /// How long a batch stays `canceling`.
    package var cancelTime: Int64 = 5_000
    /// Requests per minute on the endpoints of batches, 0 for no limit; as the provider's first tier has it.
    package var rpm = 1_000
    /// Rows that may wait in all batches together; as the provider's first tier has it.
    package var queue = 200_000
    package var faults = BatchFaults()
}

/// What can be asked of the batch endpoints, as options and the journal name it.
enum BatchOperation: String, Sendable, CaseIterable {
    case create, list, get, results, cancel, delete
}

/// Which requests to the batch endpoints go wrong.
package struct BatchFaults: Sendable, Equatable {
    private var plans: [BatchOperation: FaultPlan] = [:]

    package init() {}

    /// Reads `OPERATION=FAULT[:TRIGGER]`, separated by commas: `create=drop-after:#1,results=truncate:0.5`.
    ///
    /// Triggers are those of `FaultPlan`; numbers count the requests of one operation since this was set.
    package init(text: String) throws(SettingError) {
        var texts: [BatchOperation: [String]] = [:]
        for part in text.split(separator: ",") {
            let pair = trimmed(part).split(separator: "=", maxSplits: 1).map(String.init)
            guard let name = pair.first, let operation = BatchOperation(rawValue: name), pair.count == 2
            else {
                let names = BatchOperation.allCases.map(\.rawValue).joined(separator: ", ")
                throw SettingError("\(part) is no OPERATION=FAULT; an operation is one of \(names)")
            }
            texts[operation, default: []].append(pair[1])
        }
        for (operation, list) in texts {
            let plan = try FaultPlan(text: list.joined(separator: ","))
            guard let foreign = plan.entries.first(where: { $0.fault.isContent }) else {
                plans[operation] = plan
                continue
            }
            throw SettingError("\(foreign.fault.name) befalls a model's answer, not the endpoints of batches")
        }
    }

    func fault(_ operation: BatchOperation, number: Int, _ random: inout SeededRandom) -> Fault? {
        plans[operation]?.fault(number: number, &random)
    }
}

extension Fault {
    /// Whether it is something that the model says.
    fileprivate var isContent: Bool {
        switch kind {
        case .refusal, .maxTokens, .pauseTurn: true
        default: false
        }
    }
}
