import Jobs
import Testing

@Suite struct TextTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (1, "1970-01-01T00:00:00.001Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"), (1_795_165_200_123, "2026-11-20T09:00:00.123Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z"), (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
            (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
        ] as [(Int64, String)])
    func `A time is written in UTC with milliseconds and reads back`(milliseconds: Int64, text: String) {
        #expect(Timestamp(milliseconds: milliseconds).text == text)
        #expect(Timestamp(text: text)?.milliseconds == milliseconds)
    }

    @Test func `Days all over four hundred years read back`() {
        let day: Int64 = 86_400_000
        for index in stride(from: Int64(0), to: 146_097, by: 13) {
            let time = Timestamp(milliseconds: index * day - 62_167_219_200_000)
            guard Timestamp(text: time.text) != time else { continue }
            Issue.record("\(time.text)")
            return
        }
    }

    @Test(arguments: [
        ("2026-11-20T10:00:00+01:00", "2026-11-20T09:00:00.000Z"),
        ("2026-11-20T00:30:00-09:30", "2026-11-20T10:00:00.000Z"),
        ("2026-11-20t09:00:00z", "2026-11-20T09:00:00.000Z"),
        ("2026-11-20T09:00:00.5Z", "2026-11-20T09:00:00.500Z"),
        ("2026-11-20T09:00:00.123999Z", "2026-11-20T09:00:00.123Z"),
        ("2026-06-30T23:59:60Z", "2026-07-01T00:00:00.000Z"),
        ("2026-11-20T09:00:00.1+00:00", "2026-11-20T09:00:00.100Z"),
    ])
    func `Other forms of RFC 3339 are read`(text: String, utc: String) {
        #expect(Timestamp(text: text)?.text == utc)
    }

    @Test(arguments: [
        "", "2026-11-20", "2026-11-20T09:00:00", "2026-11-20 09:00:00Z", "2026-11-20T24:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-00-01T00:00:00Z", "2026-13-01T00:00:00Z", "2026-11-00T00:00:00Z", "2026-11-31T00:00:00Z",
        "2026-11-20T09:60:00Z", "2026-11-20T09:00:61Z", "2026-11-20T09:00:00.Z", "2026-11-20T09:00:00+1:00",
        "2026-11-20T09:00:00+24:00", "2026-11-20T09:00:00ZZ", "+026-11-20T09:00:00Z", "2026-11-20T09:00:00é",
        "20261-11-20T09:00:00Z", "1795165200", "9999-12-31T23:59:00-00:01", "0000-01-01T00:00:00+00:01",
    ])
    func `What is no time is refused`(text: String) {
        #expect(Timestamp(text: text) == nil)
    }

    @Test(
        arguments: [
            ("500ms", 500), ("30s", 30_000), ("5m", 300_000), ("2h", 7_200_000), ("7d", 604_800_000),
            ("90", 90_000),
            ("1.5s", 1500), ("0.25", 250), ("0", 0), ("0ms", 0), (".5s", 500), ("36600d", 3_162_240_000_000),
        ] as [(String, Milliseconds)])
    func `A duration is read`(text: String, milliseconds: Milliseconds) {
        #expect(DurationText.parse(text) == milliseconds)
    }

    @Test(arguments: [
        "", "s", "-1s", "+1s", "1 s", " 1s", "1S", "1w", "1e3", "1.", "1.2.3s", ".", "٣s", "36601d", "inf",
        "nan", "0x10",
        "99999999999999999999999999", "1ss", "1,5s",
    ])
    func `What is no duration is refused`(text: String) {
        #expect(DurationText.parse(text) == nil)
    }

    @Test(
        arguments: [
            (0, "0"), (1, "1ms"), (1500, "1500ms"), (90_000, "90s"), (60_000, "1m"), (3_600_000, "1h"),
            (86_400_000, "1d"),
            (172_800_000, "2d"),
        ] as [(Milliseconds, String)])
    func `A duration is written in its shortest exact form and reads back`(
        milliseconds: Milliseconds, text: String
    ) {
        #expect(DurationText.text(milliseconds) == text)
        #expect(DurationText.parse(text) == milliseconds)
    }

    @Test(arguments: [0, 1, 31, 32, 1_795_165_200_123 << 20, Int64.max])
    func `An id is written in thirteen characters and reads back`(value: Int64) {
        let id = JobID(value)
        #expect(id.description.hasPrefix("job_") && id.description.utf8.count == 17)
        #expect(JobID(id.description) == id)
        #expect(BatchID(BatchID(value).description) == BatchID(value))
        #expect(JobID(BatchID(value).description) == nil)
    }

    @Test func `The order of ids as text is their order as numbers`() {
        let values: [Int64] = [0, 9, 10, 31, 32, 1000, 1 << 40, (1 << 40) + 1, .max]
        #expect(values.map { JobID($0).description }.sorted() == values.map { JobID($0).description })
        #expect(values.map { JobID($0) }.sorted().map(\.value) == values)
    }

    @Test(arguments: [
        "", "job_", "job_000000000000", "job_00000000000000", "job_000000000000i", "job_000000000000A",
        "job_8000000000000",
        "job_zzzzzzzzzzzzz", "0000000000000", "JOB_0000000000000", "job_00000000000é", "job_000000000000 ",
    ])
    func `What is no id is refused`(text: String) {
        #expect(JobID(text) == nil)
    }
}
