import JSON
import Synchronization
import Telemetry
import Testing

@Suite struct LogTests {
    private final class Lines: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }
        func add(_ line: [UInt8]) { lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) } }
    }

    private let lines = Lines()

    /// Friday, 20 November 2026, 12:00:01.250 UTC.
    private func log(
        _ level: Log.Level = .debug, _ format: Log.Format = .json, at time: Int64 = 1_795_176_001_250
    ) -> Log {
        Log(level: level, format: format, now: { time }, sink: { [lines] in lines.add($0) })
    }

    @Test func `a line is one object with time, level, message and fields in order`() {
        let attempt = 2
        log().info("job settled", ["job_id": "job_\(attempt)", "attempt": 3, "cost": 0.5, "cached": false])
        #expect(
            lines.all == [
                #"{"time":"2026-11-20T12:00:01.250Z","level":"info","message":"job settled","job_id":"job_2","attempt":3,"cost":0.5,"cached":false}"#
                    + "\n"
            ])
    }

    @Test func `lines below the level are not written and cost no fields`() {
        func never() -> LogValue {
            Issue.record("fields were made for a line that is not written")
            return 0
        }
        let log = log(.warning)
        log.debug("no", ["x": never()])
        log.info("no")
        log.notice("no")
        log.warning("yes")
        log.error("yes")
        #expect(lines.all.count == 2)
        Log.silent.error("nobody hears this")
    }

    @Test func `a child carries its fields, and the nearest value wins`() throws {
        let child = log().with(["worker": "w1", "queue": "a"]).with(["queue": "b"])
        child.info("claimed", ["queue": "c", "n": 1, "n": 2])
        child.info("claimed")
        let first = try JSON.parse(lines.all[0])
        #expect(first.members?.map(\.key) == ["time", "level", "message", "worker", "queue", "n"])
        #expect(first["queue"]?.string == "c")
        #expect(first["n"]?.int == 2)
        #expect(try JSON.parse(lines.all[1])["queue"]?.string == "b")
    }

    @Test func `no field can pass for the time, the level or the message`() throws {
        log().info("real", ["message": "forged", "time": 0, "level": "error"])
        let line = try JSON.parse(lines.all[0])
        #expect(line["message"]?.string == "real")
        #expect(line["message_"]?.string == "forged")
    }

    @Test func `a person reads time, level, message and fields`() {
        let log = log(.debug, .human)
        log.info("job settled", ["job_id": "job_01", "attempt": 1])
        log.warning("provider is slow")
        log.error("call failed", ["why": "no \"route\"\nto host", "path": "", "a": "x=y"])
        #expect(
            lines.all == [
                "12:00:01 INFO  job settled  job_id=job_01 attempt=1\n",
                "12:00:01 WARNING provider is slow\n",
                "12:00:01 ERROR call failed  why=\"no \\\"route\\\"\\nto host\" path=\"\" a=\"x=y\"\n",
            ])
    }

    @Test(arguments: ["a\nb", "a\r\u{1B}[31m", "\u{7F}", "\u{9B}31m", "x\u{202E}y", "\u{2028}"])
    func `text from outside can neither break a line nor steer a terminal`(_ text: String) throws {
        log(.debug, .human).info("m", ["f": .string(text)])
        log().info("m", ["f": .string(text)])
        for line in lines.all { #expect(line.utf8.filter { $0 < 0x20 } == [0x0A]) }
        let human = lines.all[0].unicodeScalars.dropLast()
        #expect(human.allSatisfy { $0.value < 0x7F }, "\(human)")
        #expect(try JSON.parse(lines.all[1])["f"]?.string == text)
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59.999Z"), (1_709_251_200_000, "2024-03-01T00:00:00.000Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"), (1_798_761_599_000, "2026-12-31T23:59:59.000Z"),
        ] as [(Int64, String)])
    func `times are those of the calendar`(_ milliseconds: Int64, _ text: String) throws {
        log(at: milliseconds).info("m")
        #expect(try JSON.parse(lines.all[0])["time"]?.string == text)
    }

    @Test func `levels have names and an order`() {
        #expect(Log.Level.allCases.map(\.name) == ["debug", "info", "notice", "warning", "error"])
        #expect(Log.Level(name: "notice") == .notice)
        #expect(Log.Level(name: "verbose") == nil)
        #expect(Log.Level.allCases.sorted() == Log.Level.allCases)
    }
}
