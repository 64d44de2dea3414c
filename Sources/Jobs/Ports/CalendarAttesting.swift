/// A store whose calendar is what the processes of its database agree on; one that goes by its database's own has nothing to attest.
package protocol CalendarAttesting: Store {
    /// Says what this machine's clocks say to all processes of the database, and goes by what they agree on.
    func attest() async throws
}
