package import Jobs

extension Timestamp {
    /// The least number that a job or a place in the order of finishing gets at this time; ids end in the year 2248.
    package var firstID: Int64 {
        min(max(milliseconds, 0), Int64.max >> 20) << 20
    }
}
