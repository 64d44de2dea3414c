import Jobs
import Testing

@Suite struct PostgresDatabaseTests {
    @Test func `An empty database violates nothing`() async throws {
        let database = try PostgresDatabase()
        #expect(try await database.violations(isPruned: false) == [])
        #expect(try await database.jobs().isEmpty)
        await database.destroy()
    }
}
