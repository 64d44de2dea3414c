import Testing

@testable import JobStoreCopy

@Suite struct MomentTests {
    private let scale = MomentScale(database: 1_790_000_000_000, boot: 5, moment: 10_000)

    @Test func `A moment is as far from now in both clocks`() {
        #expect(scale.inDatabase(10_250, ofBoot: 5) == 1_790_000_000_250)
        #expect(scale.inFile(1_790_000_000_250) == 10_250)
    }

    @Test func `A moment of another boot has passed`() {
        #expect(scale.inDatabase(.max, ofBoot: 4) == 0)
        #expect(scale.inFile(0) < 0)
    }

    @Test(arguments: [Int64.min, -1, 0, 1, 1_790_000_000_000, 1 << 61, .max])
    func `No moment is too far away`(_ moment: Int64) {
        let extremes = [(Int64.min, Int64.max), (.max, .min), (.max, 0), (0, 0)]
        for (database, boot) in extremes {
            let scale = MomentScale(database: database, boot: 5, moment: boot)
            let canonical = scale.inDatabase(moment, ofBoot: 5)
            #expect(scale.inDatabase(scale.inFile(canonical), ofBoot: 5) == canonical)
        }
    }
}
