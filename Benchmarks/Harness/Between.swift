/// A measurement between two of its ceiling, of which the mean counts: a machine's speed changes from minute to minute.
func measured<T>(
    between ceiling: () async throws -> Double, _ body: () async throws -> T
) async throws -> (value: T, ceiling: Double) {
    let before = try await ceiling()
    let value = try await body()
    return (value, (before + (try await ceiling())) / 2)
}
