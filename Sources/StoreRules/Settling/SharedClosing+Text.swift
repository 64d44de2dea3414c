import JSON
import Jobs

// How closings are kept until they are applied: a JSON array of them, in the order in which they were decided.
extension SharedClosing {
    package static func write(_ closings: [SharedClosing]) -> [UInt8] {
        var writer = JSONWriter()
        writer.array { writer in
            for closing in closings { closing.write(&writer) }
        }
        return writer.bytes
    }

    /// Nil if it is no array of closings.
    ///
    /// Moments are of this epoch.
    package static func read(_ bytes: [UInt8], epoch: Int64) -> [SharedClosing]? {
        guard let list = try? JSON.parse(bytes), list.elements != nil else { return nil }
        return list.all { SharedClosing($0, epoch: epoch) }
    }

    private func write(_ writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("route", route)
            writer.field("queue", queue)
            writer.field("opened", openedAt.milliseconds)
            writer.field("now", now.timestamp.milliseconds)
            writer.field("moment", now.moment.milliseconds)
            if let call {
                writer.key("call")
                call.write(&writer)
            }
            if let credential { writer.field("credential", credential) }
            saying.write(&writer)
            if !windows.isEmpty { writer.field("windows", windows) }
            writer.field("worst", worstCase.nanodollars)
            writer.field("reserved", money.reserved.nanodollars)
            writer.field("settled", money.settled.nanodollars)
            writer.field("unconfirmed", money.unconfirmedCost.nanodollars)
            writer.list("releases", releases) { release, writer in release.write(&writer) }
            writer.list("prefixes", prefixes) { prefix, writer in prefix.write(&writer) }
        }
    }

    private init?(_ json: JSON, epoch: Int64) {
        guard let route = json.integer("route"), let queue = json.integer("queue"),
            let opened = json.integer("opened"), let now = json.integer("now"),
            let moment = json.integer("moment"),
            let windows = json.list("windows", { $0.int.map(Int64.init) })
        else { return nil }
        self.init(
            route: route, queue: queue, openedAt: Moment(epoch: epoch, milliseconds: opened),
            windows: windows,
            worstCase: json.money("worst"),
            now: Now(
                timestamp: Timestamp(milliseconds: now), moment: Moment(epoch: epoch, milliseconds: moment)))
        if let call = json["call"] {
            guard let call = Call(call) else { return nil }
            self.call = call
        }
        credential = json.integer("credential")
        saying = Saying(json)
        money = BudgetLedger.Change(
            reserved: json.money("reserved"), settled: json.money("settled"),
            unconfirmedCost: json.money("unconfirmed"))
        guard let releases = json.list("releases", Release.init),
            let prefixes = json.list("prefixes", { Prefix($0, epoch: epoch) })
        else { return nil }
        (self.releases, self.prefixes) = (releases, prefixes)
    }
}

// MARK: - Parts

extension SharedClosing.Call {
    fileprivate func write(_ writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("input", need.input)
            writer.field("output", need.output)
            writer.field("marks", [marks.requests, marks.input, marks.output])
            writer.field("succeeded", marks.succeeded)
            writer.field("bytes", requestBytes)
            writer.field("milliseconds", milliseconds)
            used.write(&writer)
            event.write(&writer)
            guard let limits else { return }
            writer.key("limits")
            writer.array { writer in
                for window in [limits.requests, limits.inputTokens, limits.outputTokens] {
                    writer.array { writer in
                        guard let window else { return }
                        writer.int(window.limit)
                        if let remaining = window.remaining { writer.int(remaining) }
                    }
                }
            }
        }
    }

    fileprivate init?(_ json: JSON) {
        guard let input = json["input"]?.double, let output = json["output"]?.double,
            let marks = json["marks"]?.elements?.compactMap(\.double), marks.count == 3,
            let event = RouteEvent(json)
        else { return nil }
        self.init(
            need: RouteLedger.Need(input: input, output: output),
            marks: RouteLedger.Marks(
                requests: marks[0], input: marks[1], output: marks[2], succeeded: json["succeeded"]?.int ?? 0),
            requestBytes: json["bytes"]?.int ?? 0, used: RouteLedger.Used(json), event: event,
            limits: json["limits"]?.elements.map(LimitReport.init),
            milliseconds: json.integer("milliseconds") ?? 0)
    }
}

extension LimitReport {
    fileprivate init(_ windows: [JSON]) {
        func window(_ place: Int) -> Window? {
            guard windows.indices.contains(place), let limit = windows[place][0]?.int else { return nil }
            return Window(limit: limit, remaining: windows[place][1]?.int)
        }
        self.init(requests: window(0), inputTokens: window(1), outputTokens: window(2))
    }
}

extension RouteLedger.Used {
    fileprivate func write(_ writer: inout JSONWriter) {
        switch self {
        case .nothing: writer.field("used", "nothing")
        case .requestOnly: writer.field("used", "request")
        case .unknown: writer.field("used", "unknown")
        case .tokens(let usage):
            writer.field(
                "used",
                [usage.inputTokens, usage.cacheWriteTokens, usage.cacheReadTokens, usage.outputTokens])
        }
    }

    /// What cannot be read was spent.
    fileprivate init(_ json: JSON) {
        if let tokens = json["used"]?.elements?.compactMap({ $0.int.map(Int64.init) }), tokens.count == 4 {
            self = .tokens(
                Usage(
                    inputTokens: tokens[0], outputTokens: tokens[3], cacheWriteTokens: tokens[1],
                    cacheReadTokens: tokens[2]))
            return
        }
        switch json["used"]?.string {
        case "nothing": self = .nothing
        case "request": self = .requestOnly
        default: self = .unknown
        }
    }
}

extension RouteEvent {
    private var word: String {
        switch self {
        case .succeeded: "succeeded"
        case .rateLimited: "rate_limited"
        case .overloaded: "overloaded"
        case .unavailable: "unavailable"
        case .unauthorized: "unauthorized"
        case .forbidden: "forbidden"
        case .spendCapped: "spend_capped"
        case .refused: "refused"
        case .neutral: "neutral"
        }
    }

    fileprivate func write(_ writer: inout JSONWriter) {
        writer.field("event", word)
        switch self {
        case .rateLimited(let after), .overloaded(let after): writer.field("after", after)
        case .spendCapped(let until, let suspected):
            writer.field("until", until?.milliseconds)
            writer.field("suspected", suspected)
        case .refused(let signature): writer.field("signature", signature)
        case .succeeded, .unavailable, .unauthorized, .forbidden, .neutral: break
        }
    }

    fileprivate init?(_ json: JSON) {
        switch json["event"]?.string {
        case "succeeded": self = .succeeded
        case "rate_limited": self = .rateLimited(retryAfter: json.integer("after"))
        case "overloaded": self = .overloaded(retryAfter: json.integer("after"))
        case "unavailable": self = .unavailable
        case "unauthorized": self = .unauthorized
        case "forbidden": self = .forbidden
        case "spend_capped":
            self = .spendCapped(
                until: json.integer("until").map { Timestamp(milliseconds: $0) },
                suspected: json["suspected"]?.bool ?? false)
        case "refused": self = .refused(signature: json["signature"]?.string ?? "")
        case "neutral": self = .neutral
        default: return nil
        }
    }
}

extension SharedClosing.Saying {
    fileprivate func write(_ writer: inout JSONWriter) {
        switch self {
        case .nothing: break
        case .succeeded: writer.field("answered", true)
        case .refused(let signature, let message): writer.field("refused", [signature, message])
        }
    }

    fileprivate init(_ json: JSON) {
        if let words = json["refused"]?.elements?.compactMap(\.string), words.count == 2 {
            self = .refused(signature: words[0], message: words[1])
        } else {
            self = json["answered"]?.bool == true ? .succeeded : .nothing
        }
    }
}

extension Release {
    fileprivate func write(_ writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("hash", hash)
            writer.field("route", route)
            switch whom {
            case .all(let skips): writer.field("all", skips)
            case .first: break
            case .firstAt(let time): writer.field("at", time.milliseconds)
            }
        }
    }

    fileprivate init?(_ json: JSON) {
        guard let hash = json.bytes("hash"), let route = json.integer("route") else { return nil }
        let whom: Whom =
            if let skips = json["all"]?.bool {
                .all(skippingCoalescing: skips)
            } else if let time = json.integer("at") {
                .firstAt(Timestamp(milliseconds: time))
            } else {
                .first
            }
        self.init(whom, hash, route: route)
    }
}

extension SharedClosing.Prefix {
    fileprivate func write(_ writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("hash", hash)
            writer.field("route", route)
            switch change {
            case .gone: break
            case .warm(let until): writer.field("warm", until.milliseconds)
            case .awaited(let key, let until):
                writer.field("warm", until.milliseconds)
                writer.field("job", key.job.value)
                writer.field("number", key.number)
            }
        }
    }

    fileprivate init?(_ json: JSON, epoch: Int64) {
        guard let hash = json.bytes("hash"), let route = json.integer("route") else { return nil }
        self.init(hash: hash, route: route, change: Self.change(json, epoch: epoch))
    }

    private static func change(_ json: JSON, epoch: Int64) -> PrefixChange {
        guard let until = json.integer("warm") else { return .gone }
        let moment = Moment(epoch: epoch, milliseconds: until)
        guard let job = json.integer("job"), let number = json["number"]?.int else {
            return .warm(until: moment)
        }
        return .awaited(by: AttemptKey(job: JobID(job), number: number), moment)
    }
}

// MARK: - Values

extension JSON {
    /// Nil unless each of its elements can be read.
    fileprivate func all<T>(_ read: (JSON) -> T?) -> [T]? {
        let elements = elements ?? []
        let values = elements.compactMap(read)
        return values.count == elements.count ? values : nil
    }

    /// Empty if there is no such list.
    fileprivate func list<T>(_ key: String, _ read: (JSON) -> T?) -> [T]? {
        self[key].map { $0.all(read) } ?? []
    }

    fileprivate func integer(_ key: String) -> Int64? { self[key]?.int.map(Int64.init) }
    fileprivate func money(_ key: String) -> Money { Money(nanodollars: integer(key) ?? 0) }
    fileprivate func bytes(_ key: String) -> [UInt8]? {
        self[key]?.all { $0.int.flatMap { UInt8(exactly: $0) } }
    }
}

extension JSONWriter {
    fileprivate mutating func field(_ name: String, _ values: [Int64]) {
        key(name)
        array { writer in for value in values { writer.int(value) } }
    }

    fileprivate mutating func field(_ name: String, _ values: [UInt8]) {
        field(name, values.map(Int64.init))
    }

    fileprivate mutating func field(_ name: String, _ values: [Double]) {
        key(name)
        array { writer in for value in values { writer.double(value) } }
    }

    fileprivate mutating func field(_ name: String, _ values: [String]) {
        key(name)
        array { writer in for value in values { writer.string(value) } }
    }

    fileprivate mutating func list<T>(
        _ name: String, _ values: [T], _ write: (T, inout JSONWriter) -> Void
    ) {
        guard !values.isEmpty else { return }
        key(name)
        array { writer in for value in values { write(value, &writer) } }
    }
}
